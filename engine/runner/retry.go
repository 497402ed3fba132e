package runner

import (
	"context"
	"errors"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// The pauses between two tries of a call to a server that does not answer.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// patience is how long a server may be away. A runner that gives up leaves its
// folder to the next one, which the worker starts when it starts.
const patience = 24 * time.Hour

// retry calls until there is an answer: success, a refusal of one of the
// engine's kinds, or the end of ctx. A server that is away, or has trouble of
// its own, is asked again with growing pauses.
func retry[T any](ctx context.Context, call func() (T, error)) (T, error) {
	for pause, began := firstPause, time.Now(); ; pause = min(2*pause, lastPause) {
		v, err := call()
		if err == nil || refused(err) || time.Since(began) > patience {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, errors.Join(context.Cause(ctx), err)
		case <-time.After(pause):
		}
	}
}

// refused reports whether asking again would get the same answer.
func refused(err error) bool {
	for _, kind := range []error{engine.ErrInvalid, engine.ErrNotFound, engine.ErrConflict, engine.ErrForbidden, engine.ErrUnauthorized} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
