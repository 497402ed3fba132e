package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudops-manager/cloudops/engine/sandbox/shim"
)

// PortError is why a step is stopped that listens at a TCP port, as it can where it
// asks for none: Landlock judges bind(2) and not listen(2).
type PortError struct{ Port int }

func (e *PortError) Error() string {
	return fmt.Sprintf("something of the step listens at TCP port %d, and no step may be reached from outside", e.Port)
}

// lookEach is how often a step is looked at from outside: a disk of a cloud takes a
// few GB in the meantime.
const lookEach = 5 * time.Second

// Watch gives a context that ends, with a *DiskError as its cause, once there is
// more in the folders than the policy allows. A file counts with the blocks that
// it has, also one that was removed and is still open. It ends with a *PortError
// once a step that has a user of its own listens at a TCP port. The caller calls
// stop in the end.
func (b *Box) Watch(ctx context.Context, dirs ...string) (watched context.Context, stop context.CancelFunc) {
	watched, end := context.WithCancelCause(ctx)
	stop = func() { end(context.Canceled) }
	if b.policy.up() && (b.policy.Limits.Disk > 0 || b.user != 0) {
		go b.watch(watched, dirs, end)
	}
	return watched, stop
}

func (b *Box) watch(ctx context.Context, dirs []string, end context.CancelCauseFunc) {
	tick := time.NewTicker(lookEach)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := errors.Join(b.hears(), measure(dirs, b.policy.Limits.Disk)); err != nil {
			end(err)
			return
		}
	}
}

// hears checks that nothing of the step listens. Whose sockets are the step's is
// known where its user has no others; where the kernel lets it bind ports, it may.
func (b *Box) hears() error {
	if b.user == 0 || shim.LandlockVersion() < landlockNet {
		return nil
	}
	if port := listening(b.user); port != 0 {
		return &PortError{port}
	}
	return nil
}
