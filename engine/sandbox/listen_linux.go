package sandbox

import (
	"os"
	"strconv"
	"strings"
)

// listens is the state of a socket that does, as the system writes it. Source:
// proc_pid_net(5), and TCP_LISTEN in include/net/tcp_states.h.
const listens = "0A"

// listening is a TCP port at which something of the user's listens; 0 for none.
func listening(user int) int {
	for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, _ := os.ReadFile(path) // a system without IPv6 has no second one
		for line := range strings.Lines(string(b)) {
			// Number, address, other address, state, two about queues, timeouts, user.
			fields := strings.Fields(line)
			if len(fields) < 8 || fields[3] != listens || fields[7] != strconv.Itoa(user) {
				continue
			}
			_, port, _ := strings.Cut(fields[1], ":")
			if n, err := strconv.ParseUint(port, 16, 16); err == nil {
				return int(n)
			}
		}
	}
	return 0
}
