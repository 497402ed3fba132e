package sandbox

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/sandbox/shim"
)

func TestEndOfAnybodysChildIsSeen(t *testing.T) {
	cmd := exec.Command("cat")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := Process{Pid: cmd.Process.Pid, Start: shim.Started(cmd.Process.Pid)}
	ended := p.Ended()
	select {
	case <-ended:
		t.Error("it is over before its end")
	default:
	}
	if !p.Alive() {
		t.Error("it is not alive")
	}
	stdin.Close()
	<-ended // nobody has waited for it yet
	if p.Alive() {
		t.Error("it is alive after its end")
	}
	cmd.Wait()
	<-p.Ended()
}

func TestProcessIsNotTakenForALaterOneOfItsNumber(t *testing.T) {
	p := Process{Pid: os.Getpid(), Start: shim.Started(os.Getpid())}
	if !p.Alive() {
		t.Errorf("%v is not alive", p)
	}
	p.Start += "1"
	if p.Alive() {
		t.Errorf("%v is alive", p)
	}
	<-p.Ended()
}

func TestProcessFilesAreReadWithCare(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "a word": "ten 5", "every process": "-1 5", "the first process": "1 5"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "pid")
			write(t, appendTo(t, path), text)
			if p, err := ReadProcess(path); err == nil {
				t.Errorf("read %v", p)
			}
		})
	}
}

func TestChildHoldsItsLocksAsLongAsItLives(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "lock")
	name, terms, err := Spec{Program: "/bin/cat", Hold: []string{lock}}.Variable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{name + "=" + terms}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stdin.Write([]byte("up\n"))
	if _, err := stdout.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	if mine(t, lock) {
		t.Error("the child does not hold the lock")
	}
	stdin.Close()
	var out bytes.Buffer
	out.ReadFrom(stdout)
	if err := cmd.Wait(); err != nil || !mine(t, lock) {
		t.Errorf("the lock outlives the child, %v", err)
	}
}

func mine(t *testing.T, lock string) bool {
	f := appendTo(t, lock)
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
