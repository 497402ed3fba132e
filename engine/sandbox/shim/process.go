package shim

import (
	"os"
	"strconv"
	"strings"
)

// Started is when a process began, as the system counts; "" where it does not
// tell. On Linux it is the 22nd field: clock ticks from the start of the system on.
func Started(pid int) string {
	if fields := Stat(pid); len(fields) > 19 {
		return fields[19]
	}
	return ""
}

// self names the process that runs, as it stands in a file: by its identifier and
// by when it began.
func self() string {
	return strings.TrimSpace(strconv.Itoa(os.Getpid()) + " " + Started(os.Getpid()))
}
