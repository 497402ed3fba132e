package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process names one process for good: identifiers are given again, but not to
// a process that began at the same time.
type Process struct {
	Pid   int
	Start string // when it began, as the system counts; empty where it does not tell
}

// ReadProcess reads the file that a child wrote before it began.
func ReadProcess(path string) (Process, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Process{}, err
	}
	if len(b) == 0 { // the child has opened it, and has not begun
		return Process{}, &os.PathError{Op: "read", Path: path, Err: os.ErrNotExist}
	}
	pid, start, _ := strings.Cut(string(b), " ")
	p := Process{Start: start}
	if p.Pid, err = strconv.Atoi(pid); err != nil || p.Pid <= 1 {
		return Process{}, fmt.Errorf("%s does not name a process", path)
	}
	return p, nil
}

// AwaitProcess reads what ReadProcess does, and waits for the file where the
// child is not that far. It gives up when ended is closed.
func AwaitProcess(path string, ended <-chan struct{}) (Process, bool) {
	written, stop := changes(filepath.Dir(path))
	defer stop()
	for {
		if p, err := ReadProcess(path); !errors.Is(err, os.ErrNotExist) {
			return p, err == nil
		}
		select {
		case <-written:
		case <-ended:
			return Process{}, false
		}
	}
}

// Ended returns a channel that is closed when the process is over, which may
// be anybody's child.
func (p Process) Ended() <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if p.Alive() && !p.wait() {
			p.look()
		}
	}()
	return ended
}

// look waits where the system cannot tell by itself.
func (p Process) look() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for p.Alive() {
		<-tick.C
	}
}

// WasKilled reports whether a signal ended a child, so that it could not write
// down the last of what it did. Within bubblewrap an exit code tells of it, as in
// a shell.
func WasKilled(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() || exit.ExitCode() > 128 && exit.ExitCode() <= 128+lastSignal
}

const lastSignal = 64

// startUp is how long a child may take from its start until it has named
// itself. Only one whose parent was killed in between is waited for.
const startUp = 10 * time.Second

// Left finds the child that somebody started with the file for its name and the
// lock to hold, whether it still runs or not.
func Left(ctx context.Context, pidFile, lock string) (Process, bool) {
	if p, err := ReadProcess(pidFile); err == nil || !inUse(lock) {
		return p, err == nil
	}
	ctx, stop := context.WithTimeout(ctx, startUp)
	defer stop()
	return AwaitProcess(pidFile, ctx.Done())
}

// inUse reports whether somebody holds the lock.
func inUse(lock string) bool {
	f, err := os.OpenFile(lock, os.O_RDWR, 0)
	if err != nil {
		return false // nobody came as far as making it
	}
	defer f.Close()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}
