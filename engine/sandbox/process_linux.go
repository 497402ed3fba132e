package sandbox

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// stat gives the fields of a process from its state on, which is the third.
// Source: proc_pid_stat(5).
func stat(pid int) []string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	// The second field is a name in brackets, which may hold anything.
	return strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
}

// startOf is the 22nd field: clock ticks from the start of the system on.
func startOf(pid int) string {
	if fields := stat(pid); len(fields) > 19 {
		return fields[19]
	}
	return ""
}

// Alive reports whether the process runs. One that has ended and that nobody
// has asked about yet does not.
func (p Process) Alive() bool {
	fields := stat(p.Pid)
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
