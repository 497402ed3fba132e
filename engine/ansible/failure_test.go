package ansible

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestFailureNamesHostAndTask(t *testing.T) {
	t.Parallel()
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
			t.Parallel()
			d, dir, job := newDriver(t), bundle(t, tt.play), newJob(t, nil)
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

func TestRescuedFailureIsNone(t *testing.T) {
	t.Parallel()
	d, job := newDriver(t), newJob(t, nil)
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
