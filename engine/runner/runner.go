// Package runner carries out one phase of one step in a process of its own. It
// knows the server by one token that is good for this step and attempt only,
// and holds neither the database's address nor the master key, so nothing that
// Terraform or Ansible starts can find them.
package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// API is the server as the runner sees it. Errors wrap the engine's kinds;
// ErrConflict and ErrUnauthorized mean that the step was given to another.
type API interface {
	Job(ctx context.Context) (*engine.Job, error)
	Sources(ctx context.Context) ([]byte, error)
	PlanFile(ctx context.Context) ([]byte, error)
	// Renew extends the lease and returns after wait, or as soon as there is
	// another signal than the one that is known.
	Renew(ctx context.Context, wait time.Duration, known engine.Signal) (engine.Signal, error)
	AppendLog(ctx context.Context, offset int64, data []byte) (size int64, err error)
	PutArtifact(ctx context.Context, name string, data []byte) error
	Report(ctx context.Context, rep engine.Report) error
}

// Tool carries out the phases of one kind of component. What it writes to log
// is shown to people, with the job's secrets masked. When ctx ends it
// interrupts what it started, and kills it after the job's grace.
type Tool interface {
	Plan(ctx context.Context, job *engine.Job, sources string, log io.Writer) (Planned, error)
	Apply(ctx context.Context, job *engine.Job, sources string, plan []byte, log io.Writer) (Applied, error)
}

// Planned is what a plan phase made.
type Planned struct {
	Report   engine.Report
	Plan     []byte // what Apply wants back
	PlanJSON []byte // for reading, sensitive values masked; may be nil
}

// Applied is what an apply phase did, also when it failed.
type Applied struct {
	Summary engine.Summary
	Recap   *engine.Recap
	Errored []byte // a state that could not be written
}

// Runner carries out one step.
type Runner struct {
	API        API
	Tools      map[engine.Kind]Tool
	Sources    Sources
	StateToken engine.Secret
	Log        *slog.Logger
}

// The reasons for a step to stop before its end.
var (
	errCancelled = errors.New("cancelled")
	errFenced    = errors.New("the step was given to another runner")
)

// Run carries out the step and reports its end. The error is one of the
// runner's own; that Terraform or a playbook failed is a result.
func (r *Runner) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	job, err := r.API.Job(ctx)
	if err != nil {
		return r.cannotStart(ctx, err)
	}
	r.adopt(job)
	log := newLog(r.API, r.Log, job.LogOffset, job.Mask)
	renewing := r.keepLease(ctx, job, stop)
	rep := r.carryOut(ctx, job, log)
	log.Close(context.WithoutCancel(ctx))
	if errors.Is(context.Cause(ctx), errFenced) {
		return errFenced
	}
	rep.Reason = log.mask(rep.Reason)
	err = r.report(context.WithoutCancel(ctx), rep)
	stop(nil)
	<-renewing
	return err
}

// adopt adds what only the runner has to the job.
func (r *Runner) adopt(job *engine.Job) {
	if job.Terraform != nil {
		job.Terraform.State.Password = r.StateToken.Reveal()
	}
	job.Mask = append(job.Mask, r.StateToken.Reveal())
	job.Hurry = make(chan struct{})
}

// cannotStart reports a step that has no job, such as one with an input that
// does not fit.
func (r *Runner) cannotStart(ctx context.Context, err error) error {
	if !errors.Is(err, engine.ErrInvalid) {
		return fmt.Errorf("fetch the job: %w", err)
	}
	return r.report(ctx, engine.Report{Outcome: engine.OutcomeFailed, Reason: err.Error()})
}

// carryOut does the phase and says how it ended.
func (r *Runner) carryOut(ctx context.Context, job *engine.Job, log *logWriter) engine.Report {
	rep, err := r.phase(ctx, job, log)
	if err == nil {
		return rep
	}
	rep.Outcome, rep.Reason = engine.OutcomeFailed, err.Error()
	if errors.Is(context.Cause(ctx), errCancelled) {
		rep.Outcome, rep.Reason = engine.OutcomeCancelled, "cancelled"
	}
	fmt.Fprintf(log, "\n%s\n", err)
	return rep
}

func (r *Runner) phase(ctx context.Context, job *engine.Job, log io.Writer) (engine.Report, error) {
	tool, ok := r.Tools[job.Kind]
	if !ok {
		return engine.Report{}, fmt.Errorf("this runner has no tool for %s components", job.Kind)
	}
	dir, err := r.Sources.Dir(ctx, job.Sources, r.API.Sources)
	if err != nil {
		return engine.Report{}, fmt.Errorf("sources: %w", err)
	}
	if job.Phase == engine.PhaseApply {
		return r.apply(ctx, job, tool, dir, log)
	}
	return r.plan(ctx, job, tool, dir, log)
}

func (r *Runner) plan(ctx context.Context, job *engine.Job, tool Tool, dir string, log io.Writer) (engine.Report, error) {
	p, err := tool.Plan(ctx, job, dir, log)
	if err != nil {
		return p.Report, err
	}
	for name, data := range map[string][]byte{engine.ArtifactPlan: p.Plan, engine.ArtifactPlanJSON: p.PlanJSON} {
		if len(data) == 0 {
			continue
		}
		if err := r.put(ctx, name, data); err != nil {
			return p.Report, err
		}
	}
	return p.Report, nil
}

func (r *Runner) apply(ctx context.Context, job *engine.Job, tool Tool, dir string, log io.Writer) (engine.Report, error) {
	plan, err := retry(ctx, func() ([]byte, error) { return r.API.PlanFile(ctx) })
	if err != nil {
		return engine.Report{}, fmt.Errorf("fetch the plan: %w", err)
	}
	a, err := tool.Apply(ctx, job, dir, plan, log)
	rep := engine.Report{Outcome: engine.OutcomeApplied, Applied: a.Summary, Recap: a.Recap}
	if len(a.Errored) > 0 {
		err = errors.Join(err, r.put(context.WithoutCancel(ctx), engine.ArtifactErrored, a.Errored))
	}
	return rep, err
}

func (r *Runner) put(ctx context.Context, name string, data []byte) error {
	_, err := retry(ctx, func() (struct{}, error) { return struct{}{}, r.API.PutArtifact(ctx, name, data) })
	if err != nil {
		return fmt.Errorf("send %s: %w", name, err)
	}
	return nil
}

// report says how the phase ended. That the step has moved on means that an
// earlier delivery arrived.
func (r *Runner) report(ctx context.Context, rep engine.Report) error {
	_, err := retry(ctx, func() (struct{}, error) { return struct{}{}, r.API.Report(ctx, rep) })
	if errors.Is(err, engine.ErrConflict) || errors.Is(err, engine.ErrUnauthorized) {
		r.Log.Info("report not wanted any more", "err", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

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
