package ansible

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

// Python compiles plugins beside the playbook, and tasks may write there: what
// was approved has to be found all the same.
func TestPlayMayWriteBesideItsPlaybook(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	dir := bundle(t, `
- hosts: all
  gather_facts: false
  tasks:
    - name: Keep a note beside the playbook
      ansible.builtin.copy: {dest: "{{ playbook_dir }}/note", content: "{{ text | shout }}", mode: "0644"}
      check_mode: false`)
	plugin := filepath.Join(dir, "filter_plugins", "shout.py")
	err := write(plugin, []byte("class FilterModule:\n    def filters(self):\n        return {'shout': str.upper}\n"))
	if err != nil {
		t.Fatal(err)
	}
	job := newJob(t, map[string]string{"text": "hi"})
	var log bytes.Buffer

	_, _, err = apply(t, d, job, dir, &log)

	if err != nil {
		t.Fatalf("apply: %v\n%s", err, log.String())
	}
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("the sources of the revision are %v, want them as they were", got)
	}
	if err := d.Abandon(t.Context(), job); err != nil {
		t.Error(err)
	}
}

func TestProcessThatHasThePlaysNumberByChanceIsLeftAlone(t *testing.T) {
	t.Parallel()
	d, job := newDriver(t), newJob(t, nil)
	other := exec.Command("cat")
	other.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := other.StdinPipe()
	if err == nil {
		err = other.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(job.Dir, "ansible", pidFile)
	if err := write(left, fmt.Appendf(nil, "%d 12345", other.Process.Pid)); err != nil {
		t.Fatal(err)
	}

	err = d.Abandon(t.Context(), &engine.Job{Dir: job.Dir, Grace: job.Grace, Hurry: make(chan struct{})})

	if err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("the folder of the play is still there")
	}
	in.Close()
	if err := other.Wait(); err != nil { // cat ends well with its input, and badly by a signal
		t.Errorf("somebody else's process ended with: %v", err)
	}
}

// The library hands what its caller reads from on to the processes that it starts.
func TestPlayReadsNothingOfOurInput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	was := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = was }()
	d, job := newDriver(t), newJob(t, nil)
	d.Ansible = filepath.Join(t.TempDir(), "ansible-playbook")
	if err := os.WriteFile(d.Ansible, []byte("#!/bin/sh\nreadlink /proc/$$/fd/0\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer

	_, err = d.Check(t.Context(), job, bundle(t, "[]\n"), &log)

	if !bytes.Contains(log.Bytes(), []byte("/dev/null\n")) {
		t.Errorf("it reads from %s (%v)", log.String(), err)
	}
}
