package engine

import (
	"time"
)

// Claim is a worker's word that it has taken a step in hand, with the tokens
// that its runner will use.
type Claim struct {
	Worker     string
	Token      Secret // for the runner's calls
	StateToken Secret // for the component's Terraform state
}

// become is the only place that writes r.Status.
func (r *Run) become(to RunStatus, at time.Time) error {
	if !r.Status.CanBecome(to) {
		return &TransitionError{Thing: "run " + r.ID, From: string(r.Status), To: string(to)}
	}
	from := r.Status
	r.Status, r.ReleaseAt = to, time.Time{}
	switch {
	case to == RunApproved || from == RunApproved && to == RunPlanned: // the plan is the same
	case to == RunPlanned && r.InForce().Expires > 0: // each plan that waits has the whole time
		r.ExpiresAt = at.Add(r.InForce().Expires)
	default:
		r.ExpiresAt = time.Time{}
	}
	r.stamp(to, at)
	told := func(detail map[string]any) {
		r.note(newEvent(at, ActorEngine, "run."+string(to), r.Stack, r.ID, detail).
			changing(map[string]any{"status": from}, map[string]any{"status": to}))
	}
	if to == RunPlanned {
		told(map[string]any{"kind": r.Kind, "digest": r.Digest})
	}
	if to.Final() {
		told(map[string]any{"kind": r.Kind, "reason": r.Reason})
		if found := r.Summary(); r.Kind == RunDrift && !found.Empty() {
			r.event("drift.found", ActorEngine, at, map[string]any{"changes": found})
		}
	}
	return nil
}

// stamp keeps when the run first reached a status, and when it ended.
func (r *Run) stamp(to RunStatus, at time.Time) {
	stamps := map[RunStatus]*time.Time{
		RunPlanning: &r.PlanningAt, RunPlanned: &r.PlannedAt, RunApproved: &r.ApprovedAt, RunApplying: &r.ApplyingAt,
	}
	if t := stamps[to]; t != nil && t.IsZero() {
		*t = at
	}
	if to.Final() {
		r.FinishedAt = at
	}
}

// Begin gives a pending run its turn.
func (r *Run) Begin(at time.Time) error {
	if err := r.become(RunPlanning, at); err != nil {
		return err
	}
	r.Reason = ""
	r.settle(at)
	return nil
}

// begin gives a pending run what it takes in hand, and its turn.
func (r *Run) begin(t taken, at time.Time) error {
	r.take(t.parts)
	r.Partial = t.partial
	return r.Begin(at)
}

// refuse ends a pending run that may not begin as things are now.
func (r *Run) refuse(why error, at time.Time) error {
	if r.Status != RunPending {
		return &TransitionError{Thing: "run " + r.ID, From: string(r.Status), To: string(RunFailed)}
	}
	r.finish(RunFailed, why.Error(), at)
	return nil
}

// Cancel stops the run. What waits ends at once; what runs is told to stop,
// and asked a second time it is killed without the grace. A run that is
// cancelled already stays as it is: who asks twice may come too late.
func (r *Run) Cancel(p Principal, at time.Time) error {
	switch {
	case r.Status == RunCancelled:
		return nil
	case r.Status.Final():
		return &TransitionError{Thing: "run " + r.ID, From: string(r.Status), To: string(RunCancelled)}
	case r.Status == RunPlanned:
		return r.Discard(p, "cancelled", at)
	}
	r.Kill = r.CancelBy != ""
	r.CancelBy = p.User
	r.note(newEvent(at, p.User, "run.cancel", r.Stack, r.ID, map[string]any{"kill": r.Kill}).changing(map[string]any{"status": r.Status}, map[string]any{"cancelled_by": p.User, "kill": r.Kill}))
	if r.Status == RunPending {
		r.finish(RunCancelled, "cancelled by "+p.User, at)
		return nil
	}
	r.settle(at)
	return nil
}

// Claim takes a step that waits in a queue in hand. Only one claim of a
// handover succeeds; the others get ErrConflict.
func (r *Run) Claim(step string, c Claim, at time.Time) (Phase, error) {
	s := r.StepByID(step)
	if s == nil {
		return "", NotFound("run %s has no step %s", r.ID, step)
	}
	phase, err := s.claimed(c, at)
	if err == nil && r.Status == RunApproved && phase == PhaseApply {
		err = r.become(RunApplying, at)
	}
	return phase, err
}

// Renew extends the lease of the attempt that has the step in hand.
func (r *Run) Renew(step string, attempt int, at time.Time) error {
	s := r.StepByID(step)
	if s == nil {
		return NotFound("run %s has no step %s", r.ID, step)
	}
	if err := s.held(attempt); err != nil {
		return err
	}
	s.LeaseUntil = at.Add(Lease)
	return nil
}

// Result is what a report says once its values are put away.
type Result struct {
	Outcome     Outcome
	Reason      string
	Walls       string
	PlanHash    string
	ChangesHash string
	Summary     Summary
	Applied     Summary
	Notes       []string
	Outputs     map[string]OutputDigest
	Environment string // digest of the one that the plan was made in
}

// End takes the result of the attempt that has the step in hand.
func (r *Run) End(step string, attempt int, res Result, at time.Time) error {
	s := r.StepByID(step)
	if s == nil {
		return NotFound("run %s has no step %s", r.ID, step)
	}
	if err := s.held(attempt); err != nil {
		return err
	}
	if res.Outcome == OutcomeCancelled && r.CancelBy == "" {
		res.Outcome, res.Reason = OutcomeFailed, "it was stopped, and not by this run: "+res.Reason
	}
	if err := s.end(res, at); err != nil {
		return err
	}
	r.keepLocked(s)
	r.settle(at)
	return nil
}

// keepLocked keeps the next run from the component of a play that was
// interrupted, as the lock that Terraform took does of its own.
func (r *Run) keepLocked(s *Step) {
	if s.Status == StepInterrupted && s.Component.Kind == KindAnsible {
		r.changes.Locks = append(r.changes.Locks, r.lockOfPlay(s))
	}
}

// end writes a result into the step.
func (s *Step) end(res Result, at time.Time) error {
	to := map[Outcome]StepStatus{
		OutcomePlanned: StepPlanned, OutcomeUnchanged: StepUnchanged, OutcomeApplied: StepApplied,
		OutcomeFailed: StepFailed, OutcomeCancelled: StepCancelled, OutcomeInterrupted: StepInterrupted,
	}[res.Outcome]
	if err := s.become(to, at); err != nil {
		return err
	}
	s.Reason, s.Walls = res.Reason, res.Walls
	switch to {
	case StepPlanned, StepUnchanged:
		s.PlanHash, s.ChangesHash, s.Summary, s.Notes, s.Predicted = res.PlanHash, res.ChangesHash, res.Summary, res.Notes, res.Outputs
		s.madeIn(res.Environment)
	case StepApplied:
		s.Applied, s.Actual = res.Applied, res.Outputs
	default:
		s.Applied = res.Applied
	}
	return nil
}

// Lose takes a step away from a runner that was silent for too long, unless it
// has been heard of since. A plan is made again by another; an apply is never
// repeated, a person has to look.
func (r *Run) Lose(h Held, at time.Time) error {
	s := r.StepByID(h.Step)
	if s == nil {
		return NotFound("run %s has no step %s", r.ID, h.Step)
	}
	if err := s.held(h.Attempt); err != nil {
		return err
	}
	if !s.LeaseUntil.Equal(h.Until) {
		return Conflict("the runner of step %s has been heard of", s.Component.Address)
	}
	s.Lost++
	r.event("step.lost", ActorEngine, at, map[string]any{"component": s.Component.Address, "worker": s.Worker, "attempt": h.Attempt})
	switch {
	case s.Status == StepApplying:
		s.Reason = "its runner on " + s.Worker + " was lost in the middle of the apply; look at the state and the log, then start a run"
		r.must(s.become(StepInterrupted, at))
	case r.CancelBy != "":
		r.must(s.become(StepCancelled, at))
	case s.Lost >= maxLost:
		s.Reason = "its runner was lost three times, last on " + s.Worker
		r.must(s.become(StepFailed, at))
	default:
		r.queue(s, at)
	}
	r.keepLocked(s)
	r.settle(at)
	return nil
}
