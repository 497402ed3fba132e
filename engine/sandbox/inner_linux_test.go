package sandbox

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// wrapped starts a program within bubblewrap, in a process group of its own, and
// waits until it is announced.
func wrapped(t *testing.T, args ...string) (*exec.Cmd, io.Reader) {
	t.Helper()
	policy := needWalls(t)
	if policy.Bubblewrap == "" {
		enginetest.Missing(t, "bubblewrap", "apt-get install bubblewrap")
	}
	kept, own := t.TempDir(), t.TempDir()
	box, err := policy.Open(kept, own)
	must(t, err)
	t.Cleanup(box.Close)
	must(t, box.Give(own))
	s := Spec{Program: "/bin/sh", PidFile: filepath.Join(kept, "pid"), Walls: box.Walls(Needs{Write: []string{own}, Tmp: own})}
	name, value, err := s.Variable()
	must(t, err)
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = []string{name + "=" + value}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	must(t, err, cmd.Start())
	p, ok := AwaitProcess(s.PidFile, nil)
	if !ok || p.Pid != cmd.Process.Pid {
		t.Fatalf("announced %v, want %d", p, cmd.Process.Pid)
	}
	return cmd, out
}

// An interrupt that comes as soon as a process is announced was once lost, and
// once the end of bubblewrap without what it held.
func TestInterruptReachesTheProgramWithinBubblewrap(t *testing.T) {
	for range 10 {
		cmd, out := wrapped(t, "-c", "exec sleep 600")
		must(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
		if _, err := io.ReadAll(out); err != nil { // until nobody holds it
			t.Fatal(err)
		}
		if err := cmd.Wait(); !WasKilled(err) {
			t.Errorf("it ended with %v", err)
		}
	}
}

func TestProgramThatMindsAnInterruptSaysHowItEnded(t *testing.T) {
	cmd, out := wrapped(t, "-c", `trap 'echo saved; exit 3' INT; echo up; while :; do sleep 0.01; done`)
	must(t, ignore(out.Read(make([]byte, 3))))
	must(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
	said, err := io.ReadAll(out)
	must(t, err)
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 3 || !strings.Contains(string(said), "saved") {
		t.Errorf("it ended with %v and said %q", err, said)
	}
}

func ignore(_ int, err error) error { return err }

// Nothing goes on unseen where bubblewrap alone is killed.
func TestAllEndsWithBubblewrap(t *testing.T) {
	cmd, out := wrapped(t, "-c", "setsid sleep 600 & echo up; exec sleep 600")
	must(t, ignore(out.Read(make([]byte, 3))))
	must(t, syscall.Kill(cmd.Process.Pid, syscall.SIGKILL))
	if _, err := io.ReadAll(out); err != nil { // until nobody holds it
		t.Fatal(err)
	}
	_ = cmd.Wait() // of what was killed
}
