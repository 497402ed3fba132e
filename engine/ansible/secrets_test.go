package ansible

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

const secret = `correct "horse" battery`

func TestSecretsStayOutOfWhatAPlayTells(t *testing.T) {
	t.Parallel()
	d, out := newDriver(t), t.TempDir()
	job := newJob(t, map[string]string{"out": out, "password": secret})
	job.Ansible.Vars["pin"], job.Ansible.Vars["short"] = json.RawMessage(`{"code": 47110815}`), json.RawMessage(`123`)
	job.Ansible.Sensitive = []string{"password", "pin", "short"}
	dir := bundle(t, `
- hosts: all
  gather_facts: false
  tasks:
    - name: Write the password
      ansible.builtin.copy: {dest: "{{ out }}/password", content: "password={{ password }}\n", mode: "0600"}
    - name: Write it in silence
      ansible.builtin.copy: {dest: "{{ out }}/silent", content: "open sesame\n", mode: "0600"}
      no_log: true
    - name: Say {{ password }}
      ansible.builtin.fail: {msg: "it is {{ password }}, or {{ {'p': password} | to_json }}"}
      ignore_errors: true
    - {name: Count, ansible.builtin.fail: {msg: "pin {{ pin.code }}, short {{ short }}"}, ignore_errors: true}
    - name: Fail in silence
      ansible.builtin.fail: {msg: open sesame}
      no_log: true
      ignore_errors: true`)
	var log bytes.Buffer

	res, recap, err := apply(t, d, job, dir, &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}

	told, _ := json.Marshal([]any{res.Plan, res.Recap, recap})
	for _, hidden := range []string{"horse", "open sesame", "47110815"} {
		if strings.Contains(string(told), hidden) {
			t.Errorf("%q is told: %s", hidden, told)
		}
	}
	if !strings.Contains(res.Plan.Changes[0].Diff, "+password=(sensitive)") || res.Plan.Changes[1].Diff != "" {
		t.Errorf("changes = %+v", res.Plan.Changes)
	}
	if m := recap.Tasks[3].Message; m != "pin (sensitive), short 123" {
		t.Errorf("message with numbers = %q", m)
	}
	if m := recap.Tasks[4].Message; m != "hidden, since the task has no_log" {
		t.Errorf("message of a silent task = %q", m)
	}
	if bytes.Contains(res.Artifact, []byte("horse")) {
		t.Errorf("artifact holds the secret: %s", res.Artifact)
	}
	if b, err := os.ReadFile(filepath.Join(out, "password")); err != nil || string(b) != "password="+secret+"\n" {
		t.Errorf("the play got %q, %v", b, err)
	}
}

func TestPlaySeesNothingOfOurEnvironment(t *testing.T) {
	t.Setenv("CLOUDOPS_MASTER_KEY", "key-of-the-server")
	d, out := newDriver(t), t.TempDir()
	job := newJob(t, map[string]string{"out": out, "password": "pass-of-the-play"})
	job.Env = map[string]string{"AWS_SECRET_ACCESS_KEY": "key-of-the-job", "SSH_PRIVATE_KEY": "key-of-the-host"}
	dir := bundle(t, `
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.shell: env > {{ out }}/env; cat "$ANSIBLE_PRIVATE_KEY_FILE" > {{ out }}/key
    - ansible.builtin.shell: for p in /proc/[0-9]*; do tr '\0' ' ' < $p/cmdline; echo; done > {{ out }}/argv; test -s {{ out }}/argv
    - ansible.builtin.shell: stat -c %a "$CLOUDOPS_PLAY" "$CLOUDOPS_PLAY"/*.* "$ANSIBLE_PRIVATE_KEY_FILE" > {{ out }}/modes`)
	artifact, hash := mustFreeze(t, job, dir)
	job.PlanHash = hash
	var log bytes.Buffer

	if _, err := d.Apply(t.Context(), job, dir, artifact, &log); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}

	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if env := read("env"); strings.Contains(env, "key-of-the-server") || strings.Contains(env, "key-of-the-host") || !strings.Contains(env, "key-of-the-job") {
		t.Errorf("environment of the play:\n%s", env)
	}
	if argv := read("argv"); strings.Contains(argv, "-of-the-") || !strings.Contains(argv, "ansible-playbook") {
		t.Errorf("command lines:\n%s", argv)
	}
	if key := read("key"); key != "key-of-the-host\n" {
		t.Errorf("key file = %q", key)
	}
	if modes := read("modes"); strings.Trim(modes, "6070\n") != "" {
		t.Errorf("modes = %s", modes)
	}
}

func TestValuesAreDataAndNotTemplates(t *testing.T) {
	t.Parallel()
	d, out := newDriver(t), t.TempDir()
	odd := "{{ lookup('pipe', 'id') }} {% raw \u0001\u007f\u00e9\U0001f600 \\ \" ' : # !x"
	job := newJob(t, map[string]string{"out": out, "odd": odd})
	job.Ansible.Vars["number"] = json.RawMessage(`1e3`)
	job.Ansible.Vars["deep"] = json.RawMessage(`{"list":[1.5,true,null,"{{ x }}"],"no":"yes"}`)
	job.Ansible.Inventory.Groups[0].Hosts[0].Vars = map[string]json.RawMessage{"tag": json.RawMessage(`"{{ 6 * 7 }}"`)}
	dir := bundle(t, `
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        dest: "{{ out }}/got"
        content: "{{ {'odd': odd, 'number': number, 'deep': deep, 'tag': tag, 'address': ansible_host} | to_json }}"
        mode: "0600"`)
	var log bytes.Buffer

	if _, _, err := apply(t, d, job, dir, &log); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}

	b, _ := os.ReadFile(filepath.Join(out, "got"))
	var got, want any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	expected, _ := json.Marshal(map[string]any{
		"odd": odd, "number": 1000, "deep": json.RawMessage(job.Ansible.Vars["deep"]), "tag": "{{ 6 * 7 }}", "address": "127.0.0.1",
	})
	if json.Unmarshal(expected, &want); !equalJSON(got, want) {
		t.Errorf("got  %s\nwant %s", b, expected)
	}
}

func equalJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errors.Join(errX, errY) == nil && bytes.Equal(x, y)
}

func TestFactsOfACheckServeItsApplyOnly(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(job *engine.Job)
		gather int // times in the apply
	}{
		"the apply of the same run": {func(*engine.Job) {}, 0},
		"the apply of another run":  {func(job *engine.Job) { job.Run = "run-2" }, 1},
		"facts that show a credential are not kept": {func(job *engine.Job) {
			job.Env = map[string]string{"TOKEN": "key-of-the-job"}
			job.Mask = []string{"key-of-the-job"}
		}, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, job := newDriver(t), newJob(t, nil)
			dir := bundle(t, `[{hosts: all, gather_facts: true, tasks: [{ansible.builtin.debug: {var: ansible_env}}]}]`)
			if strings.Contains(name, "credential") {
				tt.change(job)
			}
			var log bytes.Buffer
			res, err := d.Check(t.Context(), job, dir, &log)
			if err != nil {
				t.Fatal(err)
			}
			job.PlanHash = res.Hash
			tt.change(job)
			log.Reset()

			if _, err := d.Apply(t.Context(), job, dir, res.Artifact, &log); err != nil {
				t.Fatal(err)
			}

			if n := strings.Count(log.String(), "TASK [Gathering Facts]"); n != tt.gather {
				t.Errorf("facts gathered %d times, want %d", n, tt.gather)
			}
			for _, f := range append(files(t, d.WorkDir), files(t, job.Dir)...) {
				if b, _ := os.ReadFile(f); bytes.Contains(b, []byte("key-of-the-job")) {
					t.Errorf("%s holds a credential", f)
				}
			}
		})
	}
}
