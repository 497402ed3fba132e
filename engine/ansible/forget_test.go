package ansible

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

// leftPlay is the folder of a play whose runner was killed: its process, which
// ends with its input, goes on.
func leftPlay(t *testing.T) (job *engine.Job, end func()) {
	t.Helper()
	d := newDriver(t)
	job = newJob(t, map[string]string{"password": "pass-of-the-play"})
	job.Env = map[string]string{"SSH_PRIVATE_KEY": "key-of-the-host"}
	job.Phase = engine.PhaseApply
	p, err := d.prepare(t.Context(), job, bundle(t, notePlay))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Abandon(t.Context(), &engine.Job{Dir: job.Dir}) })
	play := exec.Command("cat")
	play.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := play.StdinPipe()
	if err == nil {
		err = play.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", play.Process.Pid))
	if err != nil {
		t.Skip("this system has no /proc to name a process by")
	}
	began := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))[19]
	if err := write(p.path(pidFile), fmt.Appendf(nil, "%d %s", play.Process.Pid, began)); err != nil {
		t.Fatal(err)
	}
	end = func() {
		in.Close()
		play.Wait()
	}
	t.Cleanup(end)
	return job, end
}

// secretsIn lists the files that hold a secret of the play.
func secretsIn(t *testing.T, dir string) (found []string) {
	t.Helper()
	for _, f := range files(t, dir) {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte("-of-the-")) {
			found = append(found, filepath.Base(f))
		}
	}
	slices.Sort(found)
	return found
}

// The key of a host used to stay in the folder of a runner that was given up.
func TestSecretsOfAPlayAreForgottenWhenItEnds(t *testing.T) {
	t.Parallel()
	job, end := leftPlay(t)
	forgotten := make(chan error, 1)
	go func() { forgotten <- Forget(t.Context(), job.Dir) }()

	if got := secretsIn(t, job.Dir); !slices.Equal(got, []string{"SSH_PRIVATE_KEY", varsFile}) {
		t.Errorf("a play that runs has %v", got)
	}
	end()

	if err := <-forgotten; err != nil {
		t.Error(err)
	}
	if got := secretsIn(t, job.Dir); len(got) > 0 {
		t.Errorf("left behind: %v", got)
	}
	if _, err := os.Stat(filepath.Join(job.Dir, "ansible", outputFile)); err != nil {
		t.Errorf("what the play said: %v", err)
	}
}

func TestEndedApplyKeepsNoSecretUntilItIsHandedIn(t *testing.T) {
	t.Parallel()
	d, dir := newDriver(t), bundle(t, "[{hosts: all, gather_facts: true, tasks: [{ansible.builtin.ping: }]}]")
	job := newJob(t, map[string]string{"password": "pass-of-the-play"})
	job.Env = map[string]string{"SSH_PRIVATE_KEY": "key-of-the-host", "TOKEN": "token-of-the-job"}
	artifact, hash := mustFreeze(t, job, dir)
	job.PlanHash, job.Phase = hash, engine.PhaseApply
	var log bytes.Buffer

	done, err := d.Apply(t.Context(), job, dir, artifact, &log)

	if err != nil || len(done.Hosts) != 1 || len(done.Hosts[0].Facts) == 0 {
		t.Errorf("hosts = %+v, %v\n%s", done.Hosts, err, &log)
	}
	if got := secretsIn(t, job.Dir); len(got) > 0 {
		t.Errorf("left behind: %v", got)
	}
	if err := d.Abandon(t.Context(), &engine.Job{Dir: job.Dir}); err != nil {
		t.Error(err)
	}
}
