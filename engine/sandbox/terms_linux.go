package sandbox

import (
	"os"
	"slices"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// clearDeathSignal undoes the signal that a library set to be sent when the
// process, or thread, that started this one dies.
func clearDeathSignal() error { return unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0) }

// Conceal keeps the environment and the memory of this process from all other
// programs but root's, those of the same user included. What it starts can be
// read like any other.
func Conceal() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }

func dup(f *os.File, fd int) error { return unix.Dup3(int(f.Fd()), fd, 0) }

// landlockVersion is that of the kernel's interface; 0 where it has none, or has it
// switched off.
func landlockVersion() int {
	version, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return version
}

// raise shuts this process, and all it will start, out of every file but
// those named. It cannot be undone.
func (w Walls) raise() error {
	if w.Mode == "" || w.Mode == Off {
		return nil
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	config := landlock.V3 // landlockWhole
	if w.Mode == Auto {
		config = config.BestEffort()
	}
	var rules []landlock.Rule
	for _, path := range existing(w.Read) {
		rules = append(rules, readRule(path))
	}
	for _, path := range existing(w.Write) {
		rules = append(rules, landlock.RWDirs(path).WithRefer())
	}
	rules = append(rules, landlock.RWFiles(existing([]string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"})...))
	return config.RestrictPaths(rules...)
}

func readRule(path string) landlock.Rule {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return landlock.ROFiles(path)
	}
	return landlock.RODirs(path)
}

func existing(paths []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool { _, err := os.Stat(path); return err != nil })
}
