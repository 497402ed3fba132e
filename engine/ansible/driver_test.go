package ansible

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// newDriver returns a driver with real Ansible.
func newDriver(t *testing.T) *Driver {
	t.Helper()
	d := New(Options{
		Ansible: enginetest.Need(t, "ansible-playbook", "apt-get install ansible-core"),
		Self:    os.Args[0],
		WorkDir: t.TempDir(),
		Log:     slog.New(slog.DiscardHandler),
		Playbooks: func(name string) (fs.FS, error) {
			if name != "note" {
				return nil, fs.ErrNotExist
			}
			return fstest.MapFS{"site.yml": {Data: []byte(notePlay)}}, nil
		},
	})
	return d
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return found
}

const notePlay = `
- name: Keep a note
  hosts: all
  gather_facts: false
  tasks:
    - name: Write the note
      ansible.builtin.copy:
        dest: "{{ dest }}"
        content: "{{ text }}\n"
        mode: "0644"
`

// bundle writes a bundle with the playbook as site.yml.
func bundle(t *testing.T, play string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "site.yml"), []byte(play), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newJob is a job for site.yml on two hosts that are this machine.
func newJob(t *testing.T, vars map[string]string) *engine.Job {
	raw := map[string]json.RawMessage{}
	for k, v := range vars {
		raw[k], _ = json.Marshal(v)
	}
	dir := t.TempDir()
	t.Cleanup(func() {
		for _, f := range files(t, dir) {
			t.Errorf("left behind: %s", f)
		}
	})
	return &engine.Job{
		Dir: dir, Hurry: make(chan struct{}),
		Run: "run-1", RunKind: engine.RunApply, Step: "step-1", Stack: "shop", Component: "ansible.web", Sources: "abc",
		Grace: 10 * time.Second,
		Ansible: &engine.AnsibleJob{
			Playbook:  "./site.yml",
			Inventory: localInventory("web-1"),
			Vars:      raw,
		},
	}
}

func localInventory(names ...string) engine.Inventory {
	g := engine.Group{Name: "web", Vars: map[string]json.RawMessage{"ansible_connection": json.RawMessage(`"local"`)}}
	for _, n := range names {
		g.Hosts = append(g.Hosts, engine.Host{Name: n, Address: "127.0.0.1"})
	}
	return engine.Inventory{Groups: []engine.Group{g}}
}

// apply checks and applies the job, as a run does.
func apply(t *testing.T, d *Driver, job *engine.Job, dir string, log *bytes.Buffer) (Result, engine.Recap, error) {
	t.Helper()
	res, err := d.Check(t.Context(), job, dir, log)
	if err != nil {
		t.Fatalf("check: %v\n%s", err, log)
	}
	job.PlanHash = res.Hash
	done, err := d.Apply(t.Context(), job, dir, res.Artifact, log)
	return res, done.Recap, err
}

func TestPlayIsPlannedAppliedAndThenUnchanged(t *testing.T) {
	t.Parallel()
	for name, playbook := range map[string]string{"playbook of the bundle": "./site.yml", "playbook that is shipped": "playbooks/note"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, dest := newDriver(t), filepath.Join(t.TempDir(), "note")
			job, dir := newJob(t, map[string]string{"dest": dest, "text": "hello"}), bundle(t, notePlay)
			job.Ansible.Playbook = playbook
			var log bytes.Buffer

			res, recap, err := apply(t, d, job, dir, &log)
			if err != nil {
				t.Fatalf("apply: %v\n%s", err, &log)
			}
			again, err := d.Check(t.Context(), job, dir, &log)
			if err != nil {
				t.Fatal(err)
			}

			want := []engine.Change{{Subject: "web-1: Write the note", Type: "copy", Action: engine.ActionUpdate, Host: "web-1", Task: "Write the note"}}
			if diff := cmp.Diff(want, res.Plan.Changes, cmpopts.IgnoreFields(engine.Change{}, "Diff")); diff != "" || !res.Changed {
				t.Errorf("changed = %t, changes (-want +got):\n%s", res.Changed, diff)
			}
			if !strings.Contains(res.Plan.Changes[0].Diff, "+hello") {
				t.Errorf("diff = %q", res.Plan.Changes[0].Diff)
			}
			wantRecap := engine.Recap{
				Hosts: []engine.HostStats{{Host: "web-1", OK: 1, Changed: 1}},
				Tasks: []engine.TaskResult{{Host: "web-1", Task: "Write the note", Module: "copy", Status: "changed"}},
			}
			if diff := cmp.Diff(wantRecap, recap, cmpopts.IgnoreFields(engine.TaskResult{}, "Diff", "Seconds")); diff != "" {
				t.Errorf("recap (-want +got):\n%s", diff)
			}
			if s := Summarize(recap); s != (engine.Summary{Update: 1}) {
				t.Errorf("summary = %+v", s)
			}
			if again.Changed || len(again.Plan.Changes)+len(again.Plan.Notes) > 0 {
				t.Errorf("second check = %+v", again.Plan)
			}
			if !strings.Contains(log.String(), "TASK [Write the note]") || strings.Contains(log.String(), "\x1b[") {
				t.Errorf("log:\n%s", &log)
			}
		})
	}
}

func TestApplyRefusesWhatWasNotApproved(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(job *engine.Job, dir string)
		want   string
	}{
		"another variable": {
			func(job *engine.Job, _ string) { job.Ansible.Vars["text"] = json.RawMessage(`"bye"`) },
			"the variables of ansible.web changed since the plan was approved; start a new run"},
		"another host": {
			func(job *engine.Job, _ string) { job.Ansible.Inventory = localInventory("web-2") },
			"the inventory of ansible.web changed since the plan was approved; start a new run"},
		"another playbook": {
			func(_ *engine.Job, dir string) { os.WriteFile(filepath.Join(dir, "more.yml"), nil, 0o600) },
			"the playbook of ansible.web changed since the plan was approved; start a new run"},
		"another plan": {
			func(job *engine.Job, _ string) { job.PlanHash = "0123" },
			"the play that arrived is not the one that was approved"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, dir := newDriver(t), bundle(t, notePlay)
			job := newJob(t, map[string]string{"text": "hello"})
			content, err := contentDigest(os.DirFS(dir))
			if err != nil {
				t.Fatal(err)
			}
			artifact, hash, err := freeze(job, content)
			if err != nil {
				t.Fatal(err)
			}
			job.PlanHash = hash
			tt.change(job, dir)

			_, err = d.Apply(t.Context(), job, dir, artifact, &bytes.Buffer{})

			if !errors.Is(err, engine.ErrConflict) || err.Error() != tt.want {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

func mustFreeze(t *testing.T, job *engine.Job, dir string) (artifact []byte, hash string) {
	t.Helper()
	content, err := contentDigest(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	artifact, hash, err = freeze(job, content)
	if err != nil {
		t.Fatal(err)
	}
	return artifact, hash
}
