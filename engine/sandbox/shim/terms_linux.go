package shim

import (
	"os"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// clearDeathSignal undoes the signal that a library set to be sent when the
// process, or thread, that started this one dies.
func clearDeathSignal() error { return unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0) }

func dup(f *os.File, fd int) error { return unix.Dup3(int(f.Fd()), fd, 0) }

// LandlockVersion is that of the kernel's interface; 0 where it has none, or has it
// switched off.
func LandlockVersion() int {
	version, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return version
}
