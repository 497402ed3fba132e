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

// judgesCalls is false: only Linux has seccomp.
func judgesCalls() bool { return false }

// raise refuses walls that were required: only Linux has them.
func (w Walls) raise() error {
	if w.Mode == Require {
		return errors.New("this system has no Landlock; use --sandbox=auto or off")
	}
	return nil
}

// wrap has no bubblewrap to become: only Linux has that.
func (s Spec) wrap([]string) error { return errors.New("this system has no bubblewrap") }

// within is not reached: nothing is wrapped.
func (s Spec) within([]string) error { return errors.New("this system has no bubblewrap") }

// Inner is empty: nothing is wrapped.
type Inner struct{}

// startOf is not known here.
func startOf(int) string { return "" }

// Alive reports whether there is a process of that identifier.
func (p Process) Alive() bool { return !errors.Is(syscall.Kill(p.Pid, 0), syscall.ESRCH) }

// wait cannot wait for a process that is not our child.
func (p Process) wait() bool { return false }
