package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Signal is what a runner learns when it renews its lease.
type Signal struct {
	Stop bool // interrupt what runs
	Kill bool // kill it
}

// Claim takes a step in hand for worker and returns the step with the tokens
// of its attempt. It wraps ErrConflict where the step waits for nobody, which
// is how a task that is delivered twice ends.
func (s *Runs) Claim(ctx context.Context, step, worker string) (Claim, *Step, error) {
	id, err := s.Store.StepRun(ctx, step)
	if err != nil {
		return Claim{}, nil, err
	}
	c := Claim{Worker: worker, Token: NewToken("cos"), StateToken: NewToken("cost")}
	run, err := s.update(ctx, id, func(r *Run) error {
		if r.Status == RunApproved {
			return errLook
		}
		_, err := r.Claim(step, c, s.Now())
		return err
	})
	if errors.Is(err, errLook) {
		run, err = s.claimFirst(ctx, id, step, c)
	}
	if err != nil {
		return Claim{}, nil, err
	}
	return c, run.StepByID(step), nil
}

// errLook says that a step may be the first to change something, so that the
// people who approved it are looked at before.
var errLook = errors.New("an approved plan is about to begin")

// claimFirst takes a step of a plan in hand of which nothing has begun, unless
// that is no longer approved: then it waits again, and so does the step.
func (s *Runs) claimFirst(ctx context.Context, id, step string, c Claim) (*Run, error) {
	waits := false
	run, err := s.decide(ctx, id, "", func(r *Run) (err error) {
		if waits = r.Reconsider(s.Now()); !waits {
			_, err = r.Claim(step, c, s.Now())
		}
		return err
	})
	if err == nil && waits {
		err = Conflict("run %s is no longer approved: %s", id, run.Reason)
	}
	return run, err
}

// Runner finds the step that a runner's token is good for. It wraps
// ErrUnauthorized for any other token, that of an older attempt included.
func (s *Runs) Runner(ctx context.Context, token Secret) (*Step, error) {
	step, err := s.Store.StepByToken(ctx, token.Hash())
	if errors.Is(err, ErrNotFound) {
		return nil, Unauthorized("this runner token is not, or no longer, good for a step")
	}
	return step, err
}

// Renew extends the lease of a step and says whether its runner should stop.
func (s *Runs) Renew(ctx context.Context, step *Step) (Signal, error) {
	run, err := s.renewed(ctx, step)
	if err != nil {
		return Signal{}, err
	}
	return Signal{Stop: run.CancelBy != "", Kill: run.Kill}, nil
}

// freshFor is how long a lease is not written anew: a runner renews first as soon
// as it is there, moments after the claim.
const freshFor = time.Second

// renewed is the run with the lease of its step extended, unless that was done
// just now.
func (s *Runs) renewed(ctx context.Context, step *Step) (*Run, error) {
	renew := func(r *Run) error { return r.Renew(step.ID, step.Attempt, s.Now()) }
	if left := step.LeaseUntil.Sub(s.Now()); left <= Lease-freshFor || left > Lease { // or by another's clock
		return s.Store.UpdateRun(ctx, step.Run, renew)
	}
	run, err := s.Store.Run(ctx, step.Run)
	if err != nil {
		return nil, err
	}
	return run, renew(run)
}

// Job puts together what the runner of the step needs, but for the token of
// the component's state, which the runner has from its worker.
func (s *Runs) Job(ctx context.Context, step *Step) (*Job, error) {
	if err := step.held(step.Attempt); err != nil {
		return nil, err
	}
	run, err := s.Store.Run(ctx, step.Run)
	if err != nil {
		return nil, err
	}
	if err := s.open(ctx, run, step); err != nil {
		return nil, err
	}
	rev, err := s.Store.Revision(ctx, run.Stack, step.Revision)
	if err != nil {
		return nil, err
	}
	upstream, err := s.upstream(ctx, run, rev, step)
	if err != nil {
		return nil, err
	}
	ev, err := s.Compiler.Evaluate(ctx, rev, step.Component.Address, step.Destroy, upstream)
	if err != nil {
		return nil, err
	}
	_, size, err := s.Store.ReadLog(ctx, step.ID, 0, 0)
	if err != nil {
		return nil, err
	}
	job := &Job{
		Run: run.ID, RunKind: run.Kind, Step: step.ID, Stack: run.Stack, Component: step.Component.Address,
		Kind: step.Component.Kind, Phase: step.Phase(), Attempt: step.Attempt, Destroy: step.Destroy,
		Sources: rev.Digest, LogOffset: size, PlanHash: step.PlanHash,
		Terraform: ev.Terraform, Ansible: ev.Ansible, Env: map[string]string{}, Mask: ev.Mask, Secrets: ev.Secrets, Grace: s.Grace,
	}
	if err := s.environment(ctx, run.Stack, job); err != nil {
		return nil, err
	}
	job.PlannedIn = step.Inputs[inputEnvironment]
	if err := s.authenticate(ctx, run, step, job); err != nil {
		return nil, err
	}
	if job.Ansible != nil {
		if job.Ansible.HostKeys, err = s.hostKeys(ctx, job, step.Component); err != nil {
			return nil, err
		}
		job.Ansible.Late = job.Phase == PhasePlan && run.Status != RunPlanning
	}
	if err := job.refer(); err != nil {
		return nil, err
	}
	if t := job.Terraform; t != nil {
		t.Lock, t.Resources = run.Kind.Changing(), run.Resources.of(job.Component)
		t.State = StateAccess{Address: s.StateURL(run.Stack, job.Component), Username: step.ID}
	}
	return job, nil
}

// Sources reads the bundle that the step's runner works from.
func (s *Runs) Sources(ctx context.Context, step *Step) ([]byte, error) {
	run, err := s.Store.Run(ctx, step.Run)
	if err != nil {
		return nil, err
	}
	rev, err := s.Store.Revision(ctx, run.Stack, step.Revision)
	if err != nil {
		return nil, err
	}
	return rev.Sources, nil
}

// AppendLog adds to the log of the step that the caller has in hand.
func (s *Runs) AppendLog(ctx context.Context, step *Step, offset int64, data []byte) (int64, error) {
	size, err := s.Store.AppendLog(ctx, step.ID, offset, data)
	if err == nil {
		s.Bell.Ring(TopicLog(step.ID))
	}
	return size, err
}

// PutArtifact keeps what the runner of the step made. A state that could not be
// written is taken from a runner that was given up, too: nobody else has it.
func (s *Runs) PutArtifact(ctx context.Context, step *Step, name string, data []byte) error {
	switch name {
	case ArtifactPlan, ArtifactPlanJSON:
		if err := step.held(step.Attempt); err != nil {
			return err
		}
	case ArtifactErrored:
		if step.Status != StepApplying && !step.Status.CutShort() {
			return Conflict("step %s is %s; only an apply leaves a state", step.Component.Address, step.Status)
		}
	default:
		return Invalid("a runner keeps no artifact named %q", name)
	}
	if err := s.Store.PutArtifact(ctx, step.ID, name, data); err != nil || name != ArtifactErrored {
		return err
	}
	return s.mend(ctx, step, data)
}

// mend writes a state that Terraform could not write, unless the step was given
// up or the state has moved on: then a person may recover it.
func (s *Runs) mend(ctx context.Context, step *Step, data []byte) error {
	if step.Status != StepApplying {
		return nil
	}
	run, err := s.Store.Run(ctx, step.Run)
	if err != nil {
		return err
	}
	_, err = s.states().PutErrored(ctx, run, step, data)
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrInvalid) {
		s.Log.WarnContext(ctx, "a state that could not be written is kept", "run", run.ID, "component", step.Component.Address, "err", err)
		return nil
	}
	return err
}

func (s *Runs) states() *States { return &States{Store: s.Store, Now: s.Now} }

// checkPlan makes sure that the plan which was sent is the one reported.
func (s *Runs) checkPlan(ctx context.Context, step *Step, hash string) error {
	b, err := s.Store.Artifact(ctx, step.ID, ArtifactPlan)
	if err != nil {
		return fmt.Errorf("plan of step %s: %w", step.ID, err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != hash {
		return Conflict("the plan that was sent for step %s is not the one reported", step.ID)
	}
	return nil
}

// PlanFile reads the plan that the step is to apply. It is exactly the one
// that was approved: its digest is checked against the step's.
func (s *Runs) PlanFile(ctx context.Context, step *Step) ([]byte, error) {
	if err := s.checkPlan(ctx, step, step.PlanHash); err != nil {
		return nil, err
	}
	return s.Store.Artifact(ctx, step.ID, ArtifactPlan)
}
