package ansible

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
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
		WorkDir: t.TempDir(),
		Log:     slog.New(slog.DiscardHandler),
		Playbooks: func(name string) (fs.FS, error) {
			if name != "note" {
				return nil, fs.ErrNotExist
			}
			return fstest.MapFS{"site.yml": {Data: []byte(notePlay)}}, nil
		},
	})
	t.Cleanup(func() {
		for _, f := range files(t, filepath.Join(d.WorkDir, playsDir)) {
			t.Errorf("left behind: %s", f)
		}
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
func newJob(vars map[string]string) *engine.Job {
	raw := map[string]json.RawMessage{}
	for k, v := range vars {
		raw[k], _ = json.Marshal(v)
	}
	return &engine.Job{
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
	recap, err := d.Apply(t.Context(), job, dir, res.Artifact, log)
	return res, recap, err
}

func TestPlayIsPlannedAppliedAndThenUnchanged(t *testing.T) {
	for name, playbook := range map[string]string{"playbook of the bundle": "./site.yml", "playbook that is shipped": "playbooks/note"} {
		t.Run(name, func(t *testing.T) {
			d, dest := newDriver(t), filepath.Join(t.TempDir(), "note")
			job, dir := newJob(map[string]string{"dest": dest, "text": "hello"}), bundle(t, notePlay)
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
			d, dir := newDriver(t), bundle(t, notePlay)
			job := newJob(map[string]string{"text": "hello"})
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

func TestFailureNamesHostAndTask(t *testing.T) {
	tests := map[string]struct{ play, want string }{
		"a task that fails": {`
- hosts: all
  gather_facts: false
  tasks:
    - name: Ask the oracle
      ansible.builtin.command: sh -c 'echo no luck >&2; exit 3'`,
			`web-1: task "Ask the oracle": non-zero return code: no luck`},
		"a task that fails in a loop": {`
- hosts: all
  gather_facts: false
  tasks:
    - name: Try each
      ansible.builtin.fail: {msg: "bad {{ item }}"}
      loop: [a, b]`,
			`web-1: task "Try each": bad a; bad b`},
		"a rescue that fails as well": {`
- hosts: all
  gather_facts: false
  tasks:
    - block:
        - {name: First, ansible.builtin.fail: {msg: first}}
      rescue:
        - {name: Second, ansible.builtin.fail: {msg: second}}`,
			`web-1: task "Second": second`},
		"an undefined variable": {`
- hosts: all
  gather_facts: false
  tasks:
    - name: Say it
      ansible.builtin.debug: {msg: "{{ nothing_here }}"}`,
			`'nothing_here' is undefined`},
		"a playbook that is no playbook": {`
- hosts: all
  taskz: []`, `'taskz' is not a valid attribute for a Play`},
		"a role that is missing": {`
- hosts: all
  roles: [nowhere]`, `the role 'nowhere' was not found`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d, dir, job := newDriver(t), bundle(t, tt.play), newJob(nil)
			artifact, hash := mustFreeze(t, job, dir)
			job.PlanHash = hash

			_, err := d.Apply(t.Context(), job, dir, artifact, &bytes.Buffer{})

			var f *Failure
			if !errors.As(err, &f) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), d.WorkDir) {
				t.Errorf("error shows our own paths: %v", err)
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

func TestPlansOfTheSamePlayAreTheSame(t *testing.T) {
	d, dest := newDriver(t), t.TempDir()
	job := newJob(map[string]string{"dest": dest})
	job.Ansible.Inventory = localInventory("web-3", "web-1", "web-2")
	dir := bundle(t, `
- hosts: all
  gather_facts: false
  strategy: free
  tasks:
    - ansible.builtin.template: {src: note.j2, dest: "{{ dest }}/{{ inventory_hostname }}", mode: "0600"}
    - ansible.builtin.copy: {content: "{{ item }}", dest: "{{ dest }}/{{ item }}", mode: "0600"}
      loop: [a, b]
    - ansible.builtin.command: "true"`)
	if err := os.WriteFile(filepath.Join(dir, "note.j2"), []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	first, err1 := d.Check(t.Context(), job, dir, &bytes.Buffer{})
	second, err2 := d.Check(t.Context(), job, dir, &bytes.Buffer{})

	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.Plan, second.Plan); diff != "" || len(first.Plan.Changes) != 6 || len(first.Plan.Notes) != 3 {
		t.Errorf("first %+v\n(-first +second):\n%s", first.Plan, diff)
	}
	want := "--- before: " + dest + "/web-1\n+++ after: " + dest + "/web-1\n@@ -0,0 +1 @@\n+hello\n\n"
	if diff := cmp.Diff(want, first.Plan.Changes[0].Diff); diff != "" {
		t.Errorf("diff of a template (-want +got):\n%s", diff)
	}
}

func TestRescuedFailureIsNone(t *testing.T) {
	d, job := newDriver(t), newJob(nil)
	dir := bundle(t, `
- hosts: all
  gather_facts: false
  tasks:
    - block:
        - {name: Try, ansible.builtin.fail: {msg: no}}
      rescue:
        - {name: Repair, ansible.builtin.debug: {msg: yes}}
    - {name: Shrug, ansible.builtin.fail: {msg: no}, ignore_errors: true}`)

	res, recap, err := apply(t, d, job, dir, &bytes.Buffer{})

	if err != nil || res.Changed || len(res.Plan.Notes) > 0 {
		t.Errorf("check = %+v, error = %v", res.Plan, err)
	}
	var got []string
	for _, task := range recap.Tasks {
		got = append(got, task.Task+" "+task.Status)
	}
	if want := []string{"Try ignored", "Repair ok", "Shrug ignored"}; !slices.Equal(got, want) {
		t.Errorf("tasks = %v, want %v", got, want)
	}
}

func TestCheckSaysWhatItCannotTell(t *testing.T) {
	tests := map[string]struct {
		play    string
		kind    engine.RunKind
		changed bool
		want    []string
		wantErr string
	}{
		"a task that fails before the first apply": {
			play: `[{hosts: all, gather_facts: false, tasks: [{name: Start it, ansible.builtin.fail: {msg: no such service}}]}]`,
			kind: engine.RunApply, changed: true,
			want: []string{`check mode could not tell: web-1: task "Start it": no such service`},
		},
		"a command that check mode does not run": {
			play: `[{hosts: all, gather_facts: false, tasks: [{name: Migrate, ansible.builtin.command: "true"}]}]`,
			kind: engine.RunApply, changed: true,
			want: []string{`check mode does not run task "Migrate" on web-1`},
		},
		"a command that never changes anything": {
			play: `[{hosts: all, gather_facts: false, tasks: [{name: Look, ansible.builtin.command: "true", changed_when: false}]}]`,
			kind: engine.RunApply,
		},
		"a command that is not wanted": {
			play: `[{hosts: all, gather_facts: false, tasks: [{name: Migrate, ansible.builtin.command: "true", when: false}]}]`,
			kind: engine.RunApply,
		},
		"a raw command in a loop": {
			play: `[{hosts: all, gather_facts: false, tasks: [{name: Raw, ansible.builtin.raw: "true", loop: [1, 2]}]}]`,
			kind: engine.RunApply, changed: true,
			want: []string{`check mode does not run task "Raw" on web-1`},
		},
		"a host that cannot be reached": {
			play: `[{hosts: gone, gather_facts: false, tasks: [{name: Look, ansible.builtin.ping: }]}]`,
			kind: engine.RunApply, changed: true,
			want: []string{`gone-1 cannot be reached, so what would change there is not known: `},
		},
		"a play without hosts": {
			play: `[{name: Lost, hosts: nobody, gather_facts: false, tasks: [{ansible.builtin.ping: }]}]`,
			kind: engine.RunApply,
			want: []string{`play "Lost" matches no host of the inventory`},
		},
		"a command in a drift check is no drift": {
			play: `[{hosts: all, gather_facts: false, tasks: [{name: Migrate, ansible.builtin.command: "true"}]}]`,
			kind: engine.RunDrift,
			want: []string{`check mode does not run task "Migrate" on web-1`},
		},
		"a failing drift check tells no drift": {
			play: `[{hosts: all, gather_facts: false, tasks: [{name: Start it, ansible.builtin.fail: {msg: no such service}}]}]`,
			kind: engine.RunDrift, wantErr: `web-1: task "Start it": no such service`,
		},
		"an unreachable host tells no drift": {
			play: `[{hosts: gone, gather_facts: false, tasks: [{name: Look, ansible.builtin.ping: }]}]`,
			kind: engine.RunDrift, wantErr: `gone-1: task "Look": cannot be reached: `,
		},
		"a broken playbook is no plan": {
			play: `[{hosts: all, taskz: []}]`,
			kind: engine.RunApply, wantErr: "'taskz' is not a valid attribute for a Play",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d, job := newDriver(t), newJob(nil)
			job.RunKind = tt.kind
			if strings.Contains(tt.play, "gone") {
				job.Ansible.Inventory.Groups = append(job.Ansible.Inventory.Groups, engine.Group{
					Name: "gone", Hosts: []engine.Host{{Name: "gone-1", Address: "127.0.0.1", Port: 1}},
				})
			} else {
				tt.play = strings.ReplaceAll(tt.play, "hosts: all", "hosts: web")
			}

			res, err := d.Check(t.Context(), job, bundle(t, tt.play), &bytes.Buffer{})

			if (err != nil) != (tt.wantErr != "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
				t.Fatalf("error = %v, want %q", err, tt.wantErr)
			}
			if res.Changed != tt.changed {
				t.Errorf("changed = %t, plan = %+v", res.Changed, res.Plan)
			}
			if err == nil && !slices.EqualFunc(res.Plan.Notes, tt.want, strings.HasPrefix) {
				t.Errorf("notes = %q, want %q", res.Plan.Notes, tt.want)
			}
		})
	}
}

func TestWhatCannotRunIsSaidClearly(t *testing.T) {
	tests := map[string]struct {
		change func(d *Driver, job *engine.Job)
		want   string
	}{
		"Ansible is not installed": {
			func(d *Driver, _ *engine.Job) { d.Ansible = "/nowhere/ansible-playbook" },
			"install it with: apt-get install ansible-core, or: pipx install ansible-core"},
		"no such playbook": {
			func(_ *Driver, job *engine.Job) { job.Ansible.Playbook = "./nothing.yml" },
			`there is no playbook "nothing.yml" in the bundle`},
		"a playbook outside the bundle": {
			func(_ *Driver, job *engine.Job) { job.Ansible.Playbook = "./../site.yml" },
			`playbook "../site.yml" lies outside the bundle`},
		"no such shipped playbook": {
			func(_ *Driver, job *engine.Job) { job.Ansible.Playbook = "playbooks/nothing" },
			`there is no playbook "playbooks/nothing" among those that come with CloudOps`},
		"a host's name that Ansible would take for several": {
			func(_ *Driver, job *engine.Job) { job.Ansible.Inventory = localInventory("web[1:3]") },
			`host "web[1:3]": a host's name has letters`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d, job := newDriver(t), newJob(nil)
			tt.change(d, job)

			_, err := d.Check(t.Context(), job, bundle(t, notePlay), &bytes.Buffer{})

			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestCancelEndsThePlayAndAllItStarted(t *testing.T) {
	tests := map[string]struct {
		command string
		grace   time.Duration
		hurry   bool
	}{
		"a command that an interrupt ends": {"sleep 600", 10 * time.Second, false},
		"a command that hears nothing":     {"trap '' INT TERM; while :; do sleep 600; done", 300 * time.Millisecond, false},
		"somebody asked twice":             {"trap '' INT TERM; while :; do sleep 600; done", time.Hour, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d, job := newDriver(t), newJob(map[string]string{"command": tt.command})
			job.Grace, job.Hurry = tt.grace, make(chan struct{})
			dir := bundle(t, `
- hosts: all
  gather_facts: false
  tasks:
    - {name: Begin, ansible.builtin.debug: {msg: ready}}
    - {name: Wait, ansible.builtin.shell: "{{ command }}"}`)
			artifact, hash := mustFreeze(t, job, dir)
			job.PlanHash = hash
			ctx, cancel := context.WithCancelCause(t.Context())
			stopped := errors.New("stopped by ada")
			log := &trigger{on: "TASK [Wait]", do: func() {
				cancel(stopped)
				if tt.hurry {
					close(job.Hurry)
				}
			}}

			recap, err := d.Apply(ctx, job, dir, artifact, log)

			if !errors.Is(err, stopped) {
				t.Errorf("error = %v, want the cause of the cancel", err)
			}
			if len(recap.Tasks) == 0 || recap.Tasks[0].Task != "Begin" {
				t.Errorf("recap = %+v, want what was done until then", recap)
			}
			for _, p := range allMarked(t, d.WorkDir) {
				t.Errorf("left behind: %s", p)
			}
		})
	}
}

// allMarked lists the processes of any play below workDir.
func allMarked(t *testing.T, workDir string) []string {
	t.Helper()
	var found []string
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, f := range environs {
		env, _ := os.ReadFile(f)
		if bytes.Contains(env, []byte(playMarker+"="+workDir)) {
			found = append(found, f)
		}
	}
	return found
}

// trigger is a log that does something once, when a text comes by.
type trigger struct {
	seen bytes.Buffer
	on   string
	do   func()
	done bool
}

func (l *trigger) Write(p []byte) (int, error) {
	n, err := l.seen.Write(p)
	if !l.done && strings.Contains(l.seen.String(), l.on) {
		l.done = true
		l.do()
	}
	return n, err
}
