package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Report takes a runner's last word on its phase: what it brings is put away
// first, the status is written last. A second delivery of the same report
// finds the step moved on and gets ErrConflict.
func (s *Runs) Report(ctx context.Context, step *Step, rep Report) error {
	run, err := s.Store.Run(ctx, step.Run)
	if err != nil {
		return err
	}
	if err := step.held(step.Attempt); err != nil {
		return err
	}
	res, err := s.putAway(ctx, run, step, rep)
	if err != nil {
		return err
	}
	run, err = s.update(ctx, run.ID, func(r *Run) error { return r.End(step.ID, step.Attempt, res, s.Now()) })
	if err != nil {
		return err
	}
	s.remediate(context.WithoutCancel(ctx), run)
	return nil
}

// putAway keeps what a report brings and boils it down to what the run needs.
func (s *Runs) putAway(ctx context.Context, run *Run, step *Step, rep Report) (Result, error) {
	res := Result{Outcome: rep.Outcome, Reason: rep.Reason, Walls: rep.Walls, PlanHash: rep.PlanHash, Applied: rep.Applied, Environment: rep.Environment}
	if rep.Recap != nil {
		if err := s.putJSON(ctx, step.ID, ArtifactRecap, rep.Recap); err != nil {
			return res, err
		}
	}
	if err := s.keepHosts(ctx, run, step, rep); err != nil {
		return res, err
	}
	switch rep.Outcome {
	case OutcomePlanned, OutcomeUnchanged:
		return res, s.putPlan(ctx, run, step, rep, &res)
	case OutcomeApplied:
		return res, s.putApplied(ctx, run, step, &res)
	case OutcomeFailed, OutcomeCancelled, OutcomeInterrupted:
		return res, nil
	default:
		return res, Invalid("a phase cannot end %q", rep.Outcome)
	}
}

func (s *Runs) putPlan(ctx context.Context, run *Run, step *Step, rep Report, res *Result) error {
	plan := Plan{}
	if rep.Plan != nil {
		plan = *rep.Plan
	}
	if rep.Outcome == OutcomePlanned && run.Kind.Changing() {
		if err := s.checkPlan(ctx, step, rep.PlanHash); err != nil {
			return err
		}
	}
	if err := s.aftermath(ctx, run, step, &plan); err != nil {
		return err
	}
	counts, err := s.recordFindings(ctx, run, step, rep.Outcome, &plan)
	if err != nil {
		return err
	}
	if err := s.putJSON(ctx, step.ID, ArtifactChanges, plan); err != nil {
		return err
	}
	if len(rep.Outputs) > 0 {
		if err := s.putJSON(ctx, step.ID, ArtifactOutputs, rep.Outputs); err != nil {
			return err
		}
	}
	res.Summary, res.Notes, res.Outputs = Summarize(counts), plan.Notes, s.digests(rep.Outputs)
	res.ChangesHash = s.changesHash(plan, rep.Hidden)
	return nil
}

func (s *Runs) putApplied(ctx context.Context, run *Run, step *Step, res *Result) error {
	if step.Component.Kind == KindTerraform && !step.Destroy {
		outputs, err := s.stateOutputs(ctx, run.Stack, step.Component.Address)
		if err != nil {
			return err
		}
		for name := range step.Predicted {
			if _, ok := outputs[name]; !ok && outputs != nil {
				outputs[name] = Output{Value: json.RawMessage("null")} // left out of the state
			}
		}
		res.Outputs = s.digests(outputs)
	}
	if !run.Resources.whole(step.Component.Address) {
		return nil
	}
	return s.Store.RecordFindings(ctx, run.Stack, step.Component.Address, run.ID, nil, s.Now())
}

// digests makes outputs comparable without keeping their values.
func (s *Runs) digests(outputs Outputs) map[string]OutputDigest {
	digests := make(map[string]OutputDigest, len(outputs))
	for name, o := range outputs {
		if o.Unknown {
			digests[name] = OutputDigest{Unknown: true, From: o.From}
			continue
		}
		digests[name] = OutputDigest{Digest: s.Hasher.Fingerprint(canonical(o.Value))}
	}
	return digests
}

// canonical rewrites JSON so that equal values are equal bytes.
func canonical(raw json.RawMessage) []byte {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return raw
	}
	b, err := json.Marshal(v)
	if err != nil {
		return raw
	}
	return b
}

// changesHash is the same for two plans that would do the same, also in what is
// not shown of them. What outputs become of it follows from the changes.
func (s *Runs) changesHash(p Plan, hidden string) string {
	b, err := json.Marshal([]any{p.Changes, p.Notes, hidden})
	if err != nil {
		return ""
	}
	return s.Hasher.Fingerprint(b)
}

func (s *Runs) putJSON(ctx context.Context, step, name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("artifact %s of step %s: %w", name, step, err)
	}
	return s.Store.PutArtifact(ctx, step, name, b)
}

// Plan reads what a step means to do; an empty plan where it has none yet.
func (s *Runs) Plan(ctx context.Context, step string) (Plan, error) {
	var p Plan
	b, err := s.Store.Artifact(ctx, step, ArtifactChanges)
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(b, &p)
}

// recordFindings keeps what a drift check saw, and gives what of the plan
// counts. A plan for an apply that finds nothing to do closes what was open.
func (s *Runs) recordFindings(ctx context.Context, run *Run, step *Step, outcome Outcome, p *Plan) (counts Plan, err error) {
	switch {
	case run.Kind == RunDrift:
		return s.findDrift(ctx, run, step, p)
	case run.Kind == RunApply && outcome == OutcomeUnchanged && run.Resources.whole(step.Component.Address):
		return *p, s.Store.RecordFindings(ctx, run.Stack, step.Component.Address, run.ID, nil, s.Now())
	}
	return *p, nil
}

// sweepBatch is how many things one sweep looks at of each kind, and of each
// queue: what waits long in one must not keep others from being handed over.
const sweepBatch = 200

// ringAgainAfter is how long a step may wait in a queue before it is handed
// over again, in case Redis lost it.
const ringAgainAfter = 5 * time.Second

// Beat notes that the API is there. Each process with the API calls it every
// BeatEvery.
func (s *Runs) Beat(ctx context.Context) error { return s.Store.Beat(ctx, PartAPI) }

// Sweep puts right what time has done: steps whose runner fell silent, plans
// nobody approved in time, runs whose turn has come. It returns the steps that
// have waited in a queue for so long that they are to be handed over again.
func (s *Runs) Sweep(ctx context.Context) ([]Dispatch, error) {
	if err := s.sweepLeases(ctx); err != nil {
		return nil, err
	}
	if err := s.sweepPlans(ctx); err != nil {
		return nil, err
	}
	if err := s.forget(ctx); err != nil {
		return nil, err
	}
	s.noteSweep(ctx, "locks", "", s.states().SweepLocks(ctx))
	if err := s.followUpstreams(ctx); err != nil {
		return nil, err
	}
	stacks, err := s.Store.PendingStacks(ctx, sweepBatch)
	if err != nil {
		return nil, err
	}
	for _, stack := range stacks {
		s.beginNext(ctx, stack)
	}
	now := s.Now()
	return s.Store.WaitingSteps(ctx, now.Add(-ringAgainAfter), now.Add(ringAgainAfter), sweepBatch)
}

// rememberRequests is how long answers to writes with an idempotency key are kept.
const rememberRequests = 24 * time.Hour

// forget drops what nobody can ask for any more.
func (s *Runs) forget(ctx context.Context) error {
	if err := s.Store.DeleteExpiredSessions(ctx, s.Now()); err != nil {
		return err
	}
	return s.Store.ForgetRequests(ctx, s.Now().Add(-rememberRequests))
}

func (s *Runs) sweepLeases(ctx context.Context) error {
	held, err := s.Store.HeldSteps(ctx)
	if err != nil {
		return err
	}
	beats, err := s.Store.Beats(ctx, PartAPI)
	if err != nil {
		return err
	}
	for _, h := range s.watch.look(held, beats, s.Now()) {
		_, err := s.update(ctx, h.Run, func(r *Run) error { return r.Lose(h, s.Now()) })
		s.noteSweep(ctx, "lease", h.Run, err)
	}
	return nil
}

func (s *Runs) sweepPlans(ctx context.Context) error {
	runs, err := s.Store.ExpiredPlans(ctx, s.Now(), sweepBatch)
	if err != nil {
		return err
	}
	for _, id := range runs {
		_, err := s.update(ctx, id, func(r *Run) error { return r.Expire(s.Now()) })
		s.noteSweep(ctx, "expired plan", id, err)
	}
	return s.sweepFreezes(ctx)
}

// sweepFreezes lets the approved plans go on whose freeze is over.
func (s *Runs) sweepFreezes(ctx context.Context) error {
	runs, err := s.Store.ThawedPlans(ctx, s.Now(), sweepBatch)
	if err != nil {
		return err
	}
	for _, id := range runs {
		_, err := s.decide(ctx, id, "", func(r *Run) error { return r.Release(s.Now()) })
		s.noteSweep(ctx, "thawed plan", id, err)
	}
	return nil
}

// noteSweep logs what could not be put right now; the next sweep sees it again.
func (s *Runs) noteSweep(ctx context.Context, what, run string, err error) {
	if err != nil {
		s.Log.WarnContext(ctx, "sweep will look again", "what", what, "run", run, "err", err)
	}
}

// Recap reads what a playbook did in a step.
func (s *Runs) Recap(ctx context.Context, step string) (Recap, error) {
	var r Recap
	b, err := s.Store.Artifact(ctx, step, ArtifactRecap)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(b, &r)
}
