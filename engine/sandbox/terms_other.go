//go:build !linux

package sandbox

import (
	"errors"
	"os"
	"syscall"
)

// clearDeathSignal has nothing to undo: only Linux has the signal.
func clearDeathSignal() error { return nil }

// Conceal does nothing: only Linux is told by a process itself who may read it.
func Conceal() error { return nil }

func dup(f *os.File, fd int) error { return syscall.Dup2(int(f.Fd()), fd) }

// landlockVersion is 0: only Linux has Landlock.
func landlockVersion() int { return 0 }

// raise refuses walls that were required: only Linux has them.
func (w Walls) raise() error {
	if w.Mode == Require {
		return errors.New("this system has no Landlock; use --sandbox=auto or off")
	}
	return nil
}

// startOf is not known here.
func startOf(int) string { return "" }

// Alive reports whether there is a process of that identifier.
func (p Process) Alive() bool { return !errors.Is(syscall.Kill(p.Pid, 0), syscall.ESRCH) }

// wait cannot wait for a process that is not our child.
func (p Process) wait() bool { return false }
