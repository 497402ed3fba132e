package sandbox

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"

	"golang.org/x/sys/unix"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/sandbox/shim"
)

// TestStepThatListensIsStopped listens without asking for a port, which no wall is
// in the way of, and gives the socket to the user of a step.
func TestStepThatListensIsStopped(t *testing.T) {
	if os.Geteuid() != 0 || shim.LandlockVersion() < landlockNet {
		enginetest.Missing(t, "root, to give a socket away, or Landlock's TCP", "sudo, and Linux 6.7")
	}
	const user = 23_456
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd)
	must(t, unix.Listen(fd, 1))
	must(t, unix.Fchown(fd, user, user))
	at, err := unix.Getsockname(fd)
	must(t, err)
	for name, tt := range map[string]struct {
		box  Box
		port int
	}{
		"the step":          {Box{policy: Policy{Mode: Auto}, user: user}, at.(*unix.SockaddrInet4).Port},
		"another step":      {Box{policy: Policy{Mode: Auto}, user: user + 1}, 0},
		"without its user":  {Box{policy: Policy{Mode: Auto, Limits: Limits{Disk: 1 << 30}}}, 0},
		"without any walls": {Box{policy: Policy{Mode: Off}, user: user}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := tt.box.Watch(t.Context())
				defer stop()
				deadline, end := context.WithTimeout(ctx, 2*lookEach)
				defer end()
				<-deadline.Done()
				heard := new(PortError)
				if errors.As(context.Cause(ctx), &heard); heard.Port != tt.port {
					t.Errorf("port %d, want %d: %v", heard.Port, tt.port, context.Cause(ctx))
				}
			})
		})
	}
}

func TestListenersAreHeardByTheirUser(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	if listening(os.Getuid()) == 0 {
		t.Error("a listener of ours is not heard")
	}
	if port := listening(23_457); port != 0 {
		t.Errorf("a user of whom nothing runs listens at %d", port)
	}
}
