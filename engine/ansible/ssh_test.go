package ansible

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

func TestPlayOverSSH(t *testing.T) {
	t.Parallel()
	d, dest := newDriver(t), filepath.Join(t.TempDir(), "note")
	job := newJob(t, map[string]string{"dest": dest, "text": "hello"})
	dir := bundle(t, notePlay)
	sshd := enginetest.SSHD(t)
	job.Env = map[string]string{"SSH_PRIVATE_KEY": sshd.Key(t, "client")}
	job.Ansible.Ready = &engine.Readiness{Timeout: 10 * time.Second}
	job.Ansible.Inventory = engine.Inventory{Groups: []engine.Group{{
		Name: "web", Hosts: []engine.Host{{Name: "web-1", Address: "127.0.0.1", User: sshd.User, Port: sshd.Port}},
	}}}
	var log bytes.Buffer

	res, err := d.Check(t.Context(), job, dir, &log)
	if err != nil || len(res.Hosts) != 1 || len(res.Hosts[0].Keys) != 1 {
		t.Fatalf("hosts = %+v, %v\n%s", res.Hosts, err, &log)
	}
	if want := strings.Join(strings.Fields(sshd.Key(t, "host.pub"))[:2], " "); res.Hosts[0].Keys[0] != want {
		t.Errorf("the host is known by %s, want %s", res.Hosts[0].Keys[0], want)
	}
	job.PlanHash, job.Ansible.HostKeys = res.Hash, map[string][]string{"web-1": res.Hosts[0].Keys}
	if done, err := d.Apply(t.Context(), job, dir, res.Artifact, &log); err != nil || len(done.Hosts) != 1 || len(done.Hosts[0].Facts) > 0 {
		t.Fatalf("hosts = %+v, %v\n%s", done.Hosts, err, &log)
	}
	for _, p := range allMarked(t, job.Dir) {
		t.Errorf("connection left behind: %s", p)
	}

	sshd.NewHostKey(t)
	const refused = "web-1: shows another SSH host key"
	if res, err := d.Check(t.Context(), job, dir, &log); err == nil || !strings.Contains(err.Error(), refused) {
		t.Errorf("check of a host with another key: plan = %+v, error = %v", res.Plan, err)
	}
	if _, err := d.Apply(t.Context(), job, dir, res.Artifact, &log); err == nil || !strings.Contains(err.Error(), refused) {
		t.Errorf("apply to a host with another key: %v", err)
	}
	job.Ansible.Inventory.Groups[0].Hosts[0].HostKeys = []string{strings.Join(strings.Fields(sshd.Key(t, "host.pub"))[:2], " ")}
	if _, err := d.Check(t.Context(), job, dir, &log); err != nil {
		t.Errorf("a host with the key that the inventory gives: %v\n%s", err, &log)
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
