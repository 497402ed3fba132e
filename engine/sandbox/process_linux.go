package sandbox

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/cloudops-manager/cloudops/engine/sandbox/shim"
)

// Alive reports whether the process runs. One that has ended and that nobody
// has asked about yet does not.
func (p Process) Alive() bool {
	fields := shim.Stat(p.Pid)
	return len(fields) > 19 && fields[0] != "Z" && fields[0] != "X" && fields[19] == p.Start
}

// wait waits for the end of the process, or reports that this kernel cannot.
func (p Process) wait() bool {
	fd, err := unix.PidfdOpen(p.Pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return true
	}
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	if !p.Alive() { // the identifier was another's by then
		return true
	}
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1) // #nosec G115 -- a file descriptor
		if !errors.Is(err, unix.EINTR) {
			return err == nil && n > 0
		}
	}
}
