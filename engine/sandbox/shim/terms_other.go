//go:build !linux

package shim

import (
	"errors"
	"os"
	"syscall"
)

// clearDeathSignal has nothing to undo: only Linux has the signal.
func clearDeathSignal() error { return nil }

func dup(f *os.File, fd int) error { return syscall.Dup2(int(f.Fd()), fd) }

// KeepOpenFiles does nothing: only Linux closes a range of files.
func KeepOpenFiles() error { return nil }

// LandlockVersion is 0: only Linux has Landlock.
func LandlockVersion() int { return 0 }

// JudgesCalls is false: only Linux has seccomp.
func JudgesCalls() bool { return false }

// raise refuses walls that were required: only Linux has them.
func (w *Walls) raise() error {
	if w != nil && !w.BestEffort {
		return errors.New("this system has no Landlock; use --sandbox=auto or off")
	}
	return nil
}

// wrap has no bubblewrap to become: only Linux has that.
func (t Terms) wrap([]string) error { return errors.New("this system has no bubblewrap") }

// within is not reached: nothing is wrapped.
func (t Terms) within([]string) error { return errors.New("this system has no bubblewrap") }

// Inner is empty: nothing is wrapped.
type Inner struct{}

// Stat is not known here.
func Stat(int) []string { return nil }
