package shim

import (
	"os"
	"strconv"
	"strings"
)

// Stat gives the fields of a process from its state on, which is the third; none
// where there is no such process. Source: proc_pid_stat(5).
func Stat(pid int) []string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	// The second field is a name in brackets, which may hold anything.
	return strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
}
