package ansible

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

func TestPlayOverSSH(t *testing.T) {
	t.Parallel()
	d, dest := newDriver(t), filepath.Join(t.TempDir(), "note")
	sshd := enginetest.SSHD(t)
	d.Sandbox = allWalls(t)
	job, dir := sshJob(t, sshd, map[string]string{"dest": dest, "text": "hello"}), bundle(t, notePlay)
	var log bytes.Buffer

	res, err := d.Check(t.Context(), job, dir, &log)
	if err != nil || len(res.Hosts) != 1 || len(res.Hosts[0].Keys) != 1 {
		t.Fatalf("hosts = %+v, %v\n%s", res.Hosts, err, &log)
	}
	if want := hostKey(t, sshd); res.Hosts[0].Keys[0] != want {
		t.Errorf("the host is known by %s, want %s", res.Hosts[0].Keys[0], want)
	}
	job.PlanHash, job.Ansible.HostKeys = res.Hash, map[string][]string{"web-1": res.Hosts[0].Keys}
	if done, err := d.Apply(t.Context(), job, dir, res.Artifact, &log); err != nil || len(done.Hosts) != 1 || len(done.Hosts[0].Facts)+len(done.Hosts[0].Keys) > 0 {
		t.Fatalf("hosts = %+v, %v\n%s", done.Hosts, err, &log)
	}
	for _, p := range allMarked(t, job.Dir) {
		t.Errorf("connection left behind: %s", p)
	}

	sshd.NewHostKey(t)
	const refused = "web-1: shows another SSH host key"
	if res, err := d.Check(t.Context(), job, dir, &log); err == nil || !strings.Contains(err.Error(), refused) || len(res.Hosts[0].Keys) > 0 {
		t.Errorf("check of a host with another key: plan = %+v, hosts = %+v, error = %v", res.Plan, res.Hosts, err)
	} else if want := "cloudops host forget-key shop web-1 --reason 'it was set up anew'"; !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error = %v, want advice that works as it stands: %s", err, want)
	}
	if _, err := d.Apply(t.Context(), job, dir, res.Artifact, &log); err == nil || !strings.Contains(err.Error(), refused) {
		t.Errorf("apply to a host with another key: %v", err)
	}
	job.Ansible.Inventory.Groups[0].Hosts[0].HostKeys = []string{hostKey(t, sshd)}
	if _, err := d.Check(t.Context(), job, dir, &log); err != nil {
		t.Errorf("a host with the key that the inventory gives: %v\n%s", err, &log)
	}
	sshd.NewHostKey(t)
	if _, err := d.Check(t.Context(), job, dir, &log); err == nil || !strings.Contains(err.Error(), "correct its host_keys in the inventory") {
		t.Errorf("a host with another key than the inventory gives: %v", err)
	}
	if strings.Contains(log.String(), "No SSH host key") {
		t.Errorf("log:\n%s", &log)
	}
}

// sshJob is a job for a play on a host behind the server.
func sshJob(t *testing.T, sshd *enginetest.SSHServer, vars map[string]string) *engine.Job {
	job := newJob(t, vars)
	job.Env = map[string]string{"SSH_PRIVATE_KEY": sshd.Key(t, "client")}
	job.Ansible.Ready = &engine.Readiness{Timeout: time.Minute}
	job.Ansible.Inventory = engine.Inventory{Groups: []engine.Group{{
		Name: "web", Hosts: []engine.Host{{Name: "web-1", Address: "127.0.0.1", User: sshd.User, Port: sshd.Port}},
	}}}
	return job
}

func hostKey(t *testing.T, sshd *enginetest.SSHServer) string {
	return strings.Join(strings.Fields(sshd.Key(t, "host.pub"))[:2], " ")
}

// Variables of an inventory used to win over the settings that pin host keys,
// as those of playbooks, group_vars and ansible.cfg did.
func TestNothingTurnsHostKeyPinningOff(t *testing.T) {
	t.Parallel()
	const open = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
	inventory := func(name string, value any) func(*testing.T, *engine.Job, string) {
		return func(_ *testing.T, job *engine.Job, _ string) {
			raw, _ := json.Marshal(value)
			job.Ansible.Inventory.Groups[0].Vars = map[string]json.RawMessage{name: raw}
		}
	}
	file := func(name, text string) func(*testing.T, *engine.Job, string) {
		return func(t *testing.T, _ *engine.Job, dir string) {
			if err := write(filepath.Join(dir, name), []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := map[string]func(t *testing.T, job *engine.Job, dir string){
		"a switch in the inventory":     inventory("ansible_host_key_checking", false),
		"arguments in the inventory":    inventory("ansible_ssh_common_args", open),
		"all arguments":                 inventory("ansible_ssh_args", open),
		"arguments beside the playbook": file("group_vars/all.yml", "ansible_ssh_args: "+open+"\nansible_ssh_extra_args: "+open+"\nansible_host_key_checking: false\n"),
		"the settings of the bundle":    file("ansible.cfg", "[defaults]\nhost_key_checking = False\n[ssh_connection]\nssh_args = "+open+"\nssh_common_args = "+open+"\n"),
		"variables of the play": func(_ *testing.T, job *engine.Job, _ string) {
			job.Ansible.Vars["ansible_ssh_args"] = json.RawMessage(`"` + open + `"`)
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, sshd := newDriver(t), enginetest.SSHD(t)
			job, dir := sshJob(t, sshd, nil), bundle(t, "[{hosts: all, gather_facts: false, tasks: [{ansible.builtin.ping: }]}]")
			change(t, job, dir)
			var log bytes.Buffer

			res, err := d.Check(t.Context(), job, dir, &log)
			if err != nil || len(res.Hosts[0].Keys) != 1 {
				t.Fatalf("hosts = %+v, %v\n%s", res.Hosts, err, &log)
			}
			job.Ansible.HostKeys = map[string][]string{"web-1": res.Hosts[0].Keys}
			sshd.NewHostKey(t)

			if _, err := d.Check(t.Context(), job, dir, &log); err == nil || !strings.Contains(err.Error(), "shows another SSH host key") {
				t.Errorf("error = %v\n%s", err, &log)
			}
		})
	}
}

// The plan of a play whose machine was just made used to be that it cannot be
// reached.
func TestLatePlanWaitsForItsMachine(t *testing.T) {
	t.Parallel()
	d, sshd := newDriver(t), enginetest.SSHD(t)
	job := sshJob(t, sshd, map[string]string{"dest": filepath.Join(t.TempDir(), "note"), "text": "hello"})
	job.Ansible.Late = true
	sshd.Stop()
	var boots sync.Once
	d.dial = func(ctx context.Context, e endpoint) error {
		err := dial(ctx, e)
		boots.Do(func() { sshd.NewHostKey(t) })
		return err
	}
	var log bytes.Buffer

	res, err := d.Check(t.Context(), job, bundle(t, notePlay), &log)

	if err != nil || len(res.Plan.Changes) != 1 || len(res.Plan.Notes) > 0 {
		t.Errorf("plan = %+v, error = %v\n%s", res.Plan, err, &log)
	}
}

func TestCheckOfAMachineThatDoesNotComeUp(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		late bool
		want string
	}{
		"fails in the middle of an apply":                     {true, "web-1: 127.0.0.1:1 did not answer within 1ms"},
		"is a note before, as the run may be what repairs it": {false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, job := newDriver(t), newJob(t, map[string]string{"dest": filepath.Join(t.TempDir(), "note"), "text": "hello"})
			job.Ansible.Ready, job.Ansible.Late = &engine.Readiness{Timeout: time.Millisecond}, tt.late
			job.Ansible.Inventory = engine.Inventory{Groups: []engine.Group{{Name: "web", Hosts: []engine.Host{{Name: "web-1", Address: "127.0.0.1", Port: 1}}}}}

			res, err := d.Check(t.Context(), job, bundle(t, notePlay), &bytes.Buffer{})

			if got := message(err); (got == "") != (tt.want == "") || !strings.HasPrefix(got, tt.want) {
				t.Errorf("error = %q, want %q", got, tt.want)
			}
			if err == nil && (len(res.Plan.Notes) != 1 || !strings.HasPrefix(res.Plan.Notes[0], "web-1 cannot be reached")) {
				t.Errorf("plan = %+v", res.Plan)
			}
		})
	}
}

// OpenSSH looks keys up in small letters.
func TestHostIsKnownInSmallLetters(t *testing.T) {
	t.Parallel()
	d, sshd := newDriver(t), enginetest.SSHD(t)
	job, dir := sshJob(t, sshd, nil), bundle(t, "[{hosts: all, gather_facts: false, tasks: [{ansible.builtin.ping: }]}]")
	job.Ansible.Inventory.Groups[0].Hosts[0].Address = "LocalHost"

	res, err := d.Check(t.Context(), job, dir, &bytes.Buffer{})

	if err != nil || len(res.Hosts[0].Keys) != 1 || res.Hosts[0].Keys[0] != hostKey(t, sshd) {
		t.Errorf("hosts = %+v, %v", res.Hosts, err)
	}
}

func TestHostThatIsReachedUnderAnotherNameIsTold(t *testing.T) {
	t.Parallel()
	d, sshd := newDriver(t), enginetest.SSHD(t)
	job := sshJob(t, sshd, nil)
	dir := bundle(t, "[{hosts: all, gather_facts: false, vars: {ansible_host: localhost}, tasks: [{ansible.builtin.ping: }]}]")
	var log bytes.Buffer

	res, err := d.Check(t.Context(), job, dir, &log)

	if err != nil || len(res.Hosts[0].Keys) > 0 || !strings.Contains(log.String(), "No SSH host key of web-1 was learned under its address, 127.0.0.1:") {
		t.Errorf("hosts = %+v, %v\n%s", res.Hosts, err, &log)
	}
}

func TestFactsOfAHostAreKept(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	job := newJob(t, nil)
	dir := bundle(t, "- hosts: all\n  gather_facts: true\n  tasks: []\n")
	var log bytes.Buffer

	res, err := d.Check(t.Context(), job, dir, &log)

	if err != nil || len(res.Hosts) == 0 {
		t.Fatalf("hosts = %+v, %v\n%s", res.Hosts, err, &log)
	}
	var facts struct {
		Architecture string `json:"architecture"`
		Env          any    `json:"env"`
	}
	if err := json.Unmarshal(res.Hosts[0].Facts, &facts); err != nil || facts.Architecture == "" || facts.Env != nil {
		t.Errorf("facts = %s, %v", res.Hosts[0].Facts, err)
	}
}
