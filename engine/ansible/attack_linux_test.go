package ansible

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

func TestMain(m *testing.M) {
	enginetest.Attack()
	os.Exit(m.Run())
}

func TestFailureSaysWhichWallThePlayMet(t *testing.T) {
	t.Parallel()
	d, job := newDriver(t), newJob(t, nil)
	d.Sandbox = allWalls(t)
	dir := t.TempDir()
	d.Ansible = filepath.Join(dir, "ansible-playbook")
	script := "#!/bin/sh\necho \"ERROR! $(cat /srv/inventory 2>&1)\"\nexit 1\n"
	if err := errors.Join(os.WriteFile(d.Ansible, []byte(script), 0o755), os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755)); err != nil { // for the step's user
		t.Fatal(err)
	}
	_, err := d.Check(t.Context(), job, bundle(t, "[]\n"), &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "Sandbox: /srv/inventory lies outside what a step sees") {
		t.Errorf("error = %v", err)
	}
}

func TestNoAttackOfAPlayGetsThroughTheWalls(t *testing.T) {
	t.Parallel()
	targets := enginetest.Victims(t)
	report := t.TempDir()
	d, job := newDriver(t), newJob(t, map[string]string{"report": report, "attack": os.Args[0]})
	d.Sandbox = allWalls(t)
	d.Sandbox.Read, d.Sandbox.Write = []string{os.Args[0]}, []string{report}
	d.Sandbox.Limits = sandbox.Limits{FileSize: 64 << 20, Memory: 4 << 30}
	targets.FileSize, targets.Memory = 65<<20, 5<<30
	if targets.Apart = d.Sandbox.Bubblewrap != ""; targets.Apart {
		d.Sandbox.Limits.Processes, targets.Forks = 200, 250
	}
	kept := t.TempDir() // by a runner
	targets.Files["the order"], targets.Write["the order's folder"] = filepath.Join(kept, "order.json"), kept
	err := errors.Join(os.WriteFile(targets.Files["the order"], []byte("secret"), 0o600), os.WriteFile(filepath.Join(report, "targets"), []byte(targets.JSON()), 0o644), os.Chmod(report, 0o777)) // for the step's user
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	_, _, err = apply(t, d, job, bundle(t, `
- hosts: all
  gather_facts: false
  tasks:
    - name: Attack
      ansible.builtin.shell: `+enginetest.AttackVariable+`="$(cat {{ report }}/targets)" {{ attack }} > {{ report }}/play 2>&1`), &log)
	if err != nil {
		t.Fatalf("apply: %v\n%s", err, log.String())
	}
	said, _ := os.ReadFile(filepath.Join(report, "play")) // "" tells as well
	enginetest.Refused(t, "the play", string(said))
	if err := d.Abandon(t.Context(), job); err != nil {
		t.Error(err)
	}
}
