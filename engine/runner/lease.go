package runner

import (
	"context"

	"github.com/cloudops-manager/cloudops/engine"
)

// renewWait is how long the server may hold on to a renewal: a third of the
// lease, so that two in a row may be lost.
const renewWait = engine.Lease / 3

// keepLease renews the lease until it is told to end, also while a tool that
// was cancelled winds down. It ends ctx, by stop, when the step is cancelled or
// was given to another.
func (r *Runner) keepLease(ctx context.Context, job *engine.Job, stop context.CancelCauseFunc) (end func()) {
	renewals, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.renew(renewals, job, stop)
	}()
	return func() {
		cancel()
		<-done
	}
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
