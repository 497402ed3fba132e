package runner

import (
	"context"
	"errors"

	"github.com/cloudops-manager/cloudops/engine"
)

// renewWait is how long the server may hold on to a renewal: a third of the
// lease, so that two in a row may be lost.
const renewWait = engine.Lease / 3

// keepLease renews the lease until ctx ends, and ends ctx when the step is
// cancelled or was given to another. The channel is closed when it is done.
func (r *Runner) keepLease(ctx context.Context, job *engine.Job, stop context.CancelCauseFunc) <-chan struct{} {
	done := make(chan struct{})
	// Renewals go on while a cancelled tool winds down.
	renewals, end := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); !errors.Is(cause, errCancelled) {
			end()
		}
	})
	go func() {
		defer close(done)
		defer end()
		r.renew(renewals, job, stop)
	}()
	return done
}

func (r *Runner) renew(ctx context.Context, job *engine.Job, stop context.CancelCauseFunc) {
	var known engine.Signal
	for ctx.Err() == nil {
		sig, err := retry(ctx, func() (engine.Signal, error) { return r.API.Renew(ctx, renewWait, known) })
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.Log.Warn("lease is gone", "step", job.Step, "err", err)
			stop(errFenced)
			return
		case sig.Kill && !known.Kill:
			stop(errCancelled)
			close(job.Hurry)
		case sig.Stop:
			stop(errCancelled)
		}
		known = sig
	}
}
