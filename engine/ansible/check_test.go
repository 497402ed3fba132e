package ansible

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestCheckSaysWhatItCannotTell(t *testing.T) {
	t.Parallel()
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
			t.Parallel()
			d, job := newDriver(t), newJob(t, nil)
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

func TestPlansOfTheSamePlayAreTheSame(t *testing.T) {
	t.Parallel()
	d, dest := newDriver(t), t.TempDir()
	job := newJob(t, map[string]string{"dest": dest})
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

func TestWhatCannotRunIsSaidClearly(t *testing.T) {
	t.Parallel()
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
			t.Parallel()
			d, job := newDriver(t), newJob(t, nil)
			tt.change(d, job)

			_, err := d.Check(t.Context(), job, bundle(t, notePlay), &bytes.Buffer{})

			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}
