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
