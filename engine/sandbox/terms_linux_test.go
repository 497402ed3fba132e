package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"
)

func TestChildOutlivesWhoStartedIt(t *testing.T) {
	dir := t.TempDir()
	up, on := pipe(t, dir, "up"), pipe(t, dir, "on")
	name, terms, err := Spec{Program: "/bin/sh"}.Variable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-c", `echo up > up; read line < on; echo "$line" > up`)
	cmd.Dir, cmd.Env = dir, []string{name + "=" + terms}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // as terraform-exec does
	inThreadThatDies(t, func() {
		if err := cmd.Start(); err != nil {
			t.Error(err)
		}
		expect(t, up, "up\n")
	})
	if _, err := on.WriteString("still here\n"); err != nil {
		t.Fatal(err)
	}
	expect(t, up, "still here\n")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// inThreadThatDies calls f in a thread of its own and returns when that has
// ended, which a thread does with a goroutine that is locked to it. Only the
// first thread of a process stays.
func inThreadThatDies(t *testing.T, f func()) {
	t.Helper()
	thread := make(chan int)
	go func() {
		runtime.LockOSThread()
		if syscall.Gettid() == os.Getpid() {
			defer runtime.UnlockOSThread()
			inThreadThatDies(t, f)
			thread <- 0
			return
		}
		f()
		thread <- syscall.Gettid()
	}()
	task := filepath.Join("/proc/self/task", strconv.Itoa(<-thread))
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); runtime.Gosched() {
		if _, err := os.Stat(task); err != nil {
			return
		}
	}
	t.Error("the thread does not end")
}

// pipe makes a named pipe that can be read with a deadline.
func pipe(t *testing.T, dir, name string) *os.File {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func expect(t *testing.T, f *os.File, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if err := f.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Error(err)
	}
	if n, err := f.Read(b); err != nil || string(b[:n]) != want {
		t.Errorf("read %q, %v; want %q", b[:n], err, want)
	}
}
