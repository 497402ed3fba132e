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
	// Identity makes a token for the phase in hand; each call makes another one.
	Identity(ctx context.Context) (engine.Identity, error)
	Report(ctx context.Context, rep engine.Report) error
}

// Tool carries out the phases of one kind of component. What it writes to log
// is shown to people, with the job's secrets masked. When ctx ends it
// interrupts what it started, and kills it after the job's grace. It keeps in
// the job's folder what it needs to go on after a runner that was killed: then
// it is called again with the same job.
type Tool interface {
	Plan(ctx context.Context, job *engine.Job, sources string, log io.Writer) (Planned, error)
	Apply(ctx context.Context, job *engine.Job, sources string, plan []byte, log io.Writer) (Applied, error)
	// Abandon ends what a runner that was killed left running in the job's
	// folder, of which only Dir, Grace and Hurry are set. It returns a state
	// that could not be written, if there is one.
	Abandon(ctx context.Context, job *engine.Job) (errored []byte, err error)
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
	Hosts   []engine.SeenHost
}

// Runner carries out one step.
type Runner struct {
	API        API
	Tools      map[engine.Kind]Tool
	Sources    Sources
	Secrets    Secrets
	Dir        string // folder of this attempt; see Folder
	StateToken engine.Secret
	Walls      string // what the sandbox holds around the tools, in words
	Log        *slog.Logger
}

// The reasons for a step to stop before its end.
var (
	errCancelled = errors.New("cancelled")
	errFenced    = errors.New("the step was given to another runner")
)

// Run carries out the step and reports its end, or goes on where a runner of
// the same attempt was killed. The error is one of the runner's own; that
// Terraform or a playbook failed is a result.
func (r *Runner) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	job, err := retry(ctx, func() (*engine.Job, error) { return r.API.Job(ctx) })
	switch {
	case gone(err):
		err = r.abandon(ctx)
		r.Log.Warn("the step is in other hands", "err", err)
		return err
	case errors.Is(err, engine.ErrInvalid): // such as an input that does not fit, or credentials that are gone since
		return errors.Join(r.abandon(ctx), r.report(ctx, engine.Report{Outcome: engine.OutcomeFailed, Reason: err.Error()}))
	case err != nil:
		return fmt.Errorf("fetch the job: %w", err)
	}
	r.adopt(job)
	defer r.keepLease(ctx, job, stop)()
	begun := r.begun()
	log := openLog(r.API, r.Log, r.Dir, job)
	end, err := r.readEnding()
	if err != nil || len(job.Secrets) > 0 { // which the rest of the log may have to hide
		forget, unready := r.getReady(ctx, job, log)
		defer forget()
		if err != nil {
			end = r.carryOut(ctx, job, log, cutShort(job, begun, unready))
			r.keepEnding(end)
		}
	}
	return r.handIn(context.WithoutCancel(ctx), end, log, errors.Is(context.Cause(ctx), errFenced))
}

// adopt adds what only the runner has to the job.
func (r *Runner) adopt(job *engine.Job) {
	if job.Terraform != nil {
		job.Terraform.State.Password = r.StateToken.Reveal()
	}
	for _, secret := range job.Mask {
		job.Mask = append(job.Mask, engine.SecretsWithin(secret)...)
	}
	job.Mask = append(job.Mask, r.StateToken.Reveal())
	job.Hurry, job.Dir = make(chan struct{}), r.Dir
}

// gone reports whether the step is no longer in this runner's hands.
func gone(err error) bool {
	return errors.Is(err, engine.ErrConflict) || errors.Is(err, engine.ErrUnauthorized) || errors.Is(err, engine.ErrNotFound)
}

// abandonGrace is how long a tool may take to end once its step is gone.
const abandonGrace = 2 * time.Minute

// abandon ends what a killed runner left going on for a step that cannot be gone
// on with, and hands in a state that could not be written: somebody may want to
// recover it.
func (r *Runner) abandon(ctx context.Context) error {
	job := &engine.Job{Dir: r.Dir, Grace: abandonGrace, Hurry: make(chan struct{})}
	var errs []error
	for _, tool := range r.Tools {
		errored, err := tool.Abandon(ctx, job)
		if len(errored) > 0 {
			err = errors.Join(err, r.put(ctx, engine.ArtifactErrored, errored))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// carryOut does the phase and says how it ended.
// unready is why the job's secrets or credentials could not be had.
func (r *Runner) carryOut(ctx context.Context, job *engine.Job, log *logWriter, unready error) ending {
	end, err := ending{}, unready
	if err == nil {
		end, err = r.phase(ctx, job, log)
	} else {
		err = errors.Join(err, r.abandon(context.WithoutCancel(ctx)))
	}
	if err == nil {
		return end
	}
	end.Report.Outcome, end.Report.Reason = engine.OutcomeFailed, log.mask(err.Error())
	switch {
	case errors.Is(err, engine.ErrInterrupted):
		end.Report.Outcome = engine.OutcomeInterrupted
	case errors.Is(context.Cause(ctx), errCancelled):
		end.Report.Outcome, end.Report.Reason = engine.OutcomeCancelled, "cancelled"
	}
	fmt.Fprintf(log, "\n%s\n", err)
	return end
}

// getReady gets what the job authenticates with, and with that the secrets that
// are kept elsewhere. What it leaves in files is removed by forget.
func (r *Runner) getReady(ctx context.Context, job *engine.Job, log *logWriter) (forget func(), err error) {
	if err = r.settleAccess(ctx, job, log); err == nil {
		forget, err = r.authenticate(ctx, job, log)
	}
	if err != nil {
		return func() {}, err
	}
	return forget, r.settle(ctx, job, log)
}

func (r *Runner) phase(ctx context.Context, job *engine.Job, log *logWriter) (ending, error) {
	tool, ok := r.Tools[job.Kind]
	if !ok {
		return ending{}, fmt.Errorf("this runner has no tool for %s components", job.Kind)
	}
	dir, err := r.Sources.Dir(ctx, job.Sources, r.API.Sources)
	if err != nil {
		return ending{}, fmt.Errorf("sources: %w", err)
	}
	if job.Phase == engine.PhaseApply {
		return r.apply(ctx, job, tool, dir, log)
	}
	p, err := tool.Plan(ctx, job, dir, log)
	p.Report.Environment = job.Environment
	return ending{p.Report, map[string][]byte{engine.ArtifactPlan: p.Plan, engine.ArtifactPlanJSON: p.PlanJSON}}, err
}

func (r *Runner) apply(ctx context.Context, job *engine.Job, tool Tool, dir string, log io.Writer) (ending, error) {
	plan, err := retry(ctx, func() ([]byte, error) { return r.API.PlanFile(ctx) })
	if err != nil {
		return ending{}, fmt.Errorf("fetch the plan: %w", err)
	}
	a, err := tool.Apply(ctx, job, dir, plan, log)
	rep := engine.Report{Outcome: engine.OutcomeApplied, Applied: a.Summary, Recap: a.Recap, Hosts: a.Hosts}
	return ending{rep, map[string][]byte{engine.ArtifactErrored: a.Errored}}, err
}
