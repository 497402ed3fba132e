package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// Runs is what people and programs may do with runs.
type Runs struct {
	Store    Store
	Compiler Compiler
	Hasher   Hasher
	Bell     Bell
	Log      *slog.Logger
	Now      func() time.Time
	StateURL func(stack, component string) string // where Terraform finds a component's state
	Grace    time.Duration                        // between interrupt and kill of a cancelled step

	watch watch // over leases, by who sweeps
}

// Start makes a run of the stack and lets it begin, or leaves it pending
// behind the changing run that is under way.
func (s *Runs) Start(ctx context.Context, p Principal, req StartRequest) (*Run, error) {
	rev, err := s.revision(ctx, req)
	if err != nil {
		return nil, err
	}
	parts, err := s.parts(ctx, req, rev)
	if err != nil {
		return nil, err
	}
	if parts, err = s.only(ctx, &req, parts); err != nil {
		return nil, err
	}
	if err := errors.Join(protect(parts), s.checkReaders(ctx, req)); err != nil {
		return nil, err
	}
	run := newRun(req, p, rev, parts, s.Now())
	if err := run.Begin(s.Now()); err != nil {
		return nil, err
	}
	err = s.Store.CreateRun(ctx, run)
	// A remediation does not queue: what it would put right may be another thing
	// by then, and the next check sees that.
	if errors.Is(err, ErrConflict) && req.Kind.Changing() && req.Trigger != TriggerDrift {
		return s.enqueue(ctx, newRun(req, p, rev, parts, s.Now()))
	}
	if err != nil {
		return nil, err
	}
	s.after(ctx, run)
	return run, nil
}

// Retry starts a run of what an earlier one did not finish, with the revision
// and the choices of that.
func (s *Runs) Retry(ctx context.Context, p Principal, id, message string) (*Run, error) {
	run, err := s.Store.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	only := run.unfinished()
	switch {
	case !run.Status.Final():
		return nil, Conflict("run %s is %s; it can be done again once it is over", id, run.Status)
	case !run.Kind.Changing():
		return nil, Conflict("run %s changed nothing; start another one", id)
	case len(only) == 0:
		return nil, Conflict("run %s finished all of its components", id)
	}
	if message == "" {
		message = "what " + id + " did not finish"
	}
	return s.Start(ctx, p, StartRequest{Stack: run.Stack, Kind: run.Kind, Revision: run.Revision, Only: only, Resources: run.Resources, Message: message})
}

// enqueue keeps the run until its turn comes.
func (s *Runs) enqueue(ctx context.Context, run *Run) (*Run, error) {
	run.Reason = "waits for its turn on the stack"
	if active, err := s.Store.ActiveRun(ctx, run.Stack); err == nil && active != "" {
		run.Reason = "waits for run " + active
	}
	if err := s.Store.CreateRun(ctx, run); err != nil {
		return nil, err
	}
	// The run in front may have ended before this one was there to be seen.
	s.beginNext(ctx, run.Stack)
	return s.Store.Run(ctx, run.ID)
}

// revision reads the revision that a run is to use.
func (s *Runs) revision(ctx context.Context, req StartRequest) (*Revision, error) {
	stack, err := s.Store.Stack(ctx, req.Stack)
	if err != nil {
		return nil, err
	}
	number := req.Revision
	if number == 0 {
		number = stack.Latest
	}
	if number == 0 {
		return nil, Conflict("stack %s has no revision yet; submit one first", req.Stack)
	}
	return s.Store.Revision(ctx, req.Stack, number)
}

// parts lists the components that the run takes in hand.
func (s *Runs) parts(ctx context.Context, req StartRequest, rev *Revision) ([]placed, error) {
	switch req.Kind {
	case RunDrift:
		return s.deployedParts(ctx, req.Stack)
	case RunApply, RunPreview:
		orphans, err := s.orphans(ctx, rev)
		return append(applyParts(&rev.Blueprint, rev.Number), orphans...), err
	case RunDestroy:
		orphans, err := s.orphans(ctx, rev)
		return append(orphans, destroyParts(&rev.Blueprint, rev.Number)...), err
	default:
		return nil, Invalid("a run is apply, destroy, preview or drift, not %q", req.Kind)
	}
}

// deployedParts lists what is deployed, each component with the revision that
// it is at.
func (s *Runs) deployedParts(ctx context.Context, stack string) ([]placed, error) {
	deployed, err := s.Store.Deployed(ctx, stack)
	if err != nil {
		return nil, err
	}
	if len(deployed) == 0 {
		return nil, Conflict("nothing of stack %s is applied yet, so nothing can have drifted", stack)
	}
	var parts []placed
	for _, number := range distinct(deployed) {
		rev, err := s.Store.Revision(ctx, stack, number)
		if err != nil {
			return nil, err
		}
		for _, part := range applyParts(&rev.Blueprint, number) {
			if deployed[part.Address] == number {
				parts = append(parts, part)
			}
		}
	}
	return parts, nil
}

// orphans lists the components with a state that rev no longer has.
func (s *Runs) orphans(ctx context.Context, rev *Revision) ([]placed, error) {
	states, err := s.Store.LatestStates(ctx, rev.Stack)
	if err != nil {
		return nil, err
	}
	lost := map[int][]string{}
	for _, v := range states {
		if v.Resources == 0 || rev.Blueprint.Component(v.Component) != nil {
			continue
		}
		number, err := s.writtenAt(ctx, v)
		if err != nil {
			return nil, err
		}
		if number > 0 {
			lost[number] = append(lost[number], v.Component)
		}
	}
	return s.orphansOf(ctx, rev, lost)
}

// writtenAt gives the revision that a state is of: where a person restored or
// edited it, that which the component is at. It is 0 for a state that no run
// ever had to do with.
func (s *Runs) writtenAt(ctx context.Context, v *StateVersion) (int, error) {
	if v.Run == "" {
		deployed, err := s.Store.Deployed(ctx, v.Stack)
		return deployed[v.Component], err
	}
	run, err := s.Store.Run(ctx, v.Run)
	if err != nil {
		return 0, fmt.Errorf("run that wrote state %s: %w", v.ID, err)
	}
	if step := run.Step(v.Component); step != nil {
		return step.Revision, nil
	}
	return run.Revision, nil
}

func (s *Runs) orphansOf(ctx context.Context, rev *Revision, lost map[int][]string) ([]placed, error) {
	var parts []placed
	for number, addresses := range lost {
		old, err := s.Store.Revision(ctx, rev.Stack, number)
		if err != nil {
			return nil, err
		}
		parts = append(parts, orphanParts(&rev.Blueprint, &old.Blueprint, number, addresses)...)
	}
	return parts, nil
}

// Get reads one run.
func (s *Runs) Get(ctx context.Context, id string) (*Run, error) { return s.Store.Run(ctx, id) }

// Approve lets the joint plan with the digest change real infrastructure.
func (s *Runs) Approve(ctx context.Context, p Principal, id, digest, comment string) (*Run, error) {
	return s.update(ctx, id, func(r *Run) error { return r.Approve(p, digest, comment, s.Now()) })
}

// Discard turns a plan down.
func (s *Runs) Discard(ctx context.Context, p Principal, id, comment string) (*Run, error) {
	return s.update(ctx, id, func(r *Run) error { return r.Discard(p, comment, s.Now()) })
}

// Cancel stops a run, and the second time kills what runs.
func (s *Runs) Cancel(ctx context.Context, p Principal, id string) (*Run, error) {
	run, err := s.update(ctx, id, func(r *Run) error { return r.Cancel(p, s.Now()) })
	if err != nil {
		return nil, err
	}
	for _, step := range run.Steps {
		if step.Status.Active() {
			s.Bell.Ring(TopicStep(step.ID))
		}
	}
	return run, nil
}

// update changes a run and sees to what follows once it is written.
func (s *Runs) update(ctx context.Context, id string, change func(*Run) error) (*Run, error) {
	run, err := s.Store.UpdateRun(ctx, id, change)
	if err != nil {
		return nil, err
	}
	s.after(ctx, run)
	return run, nil
}

// after settles what a run leaves, wakes who waits for it and gives the next one
// its turn. Nothing is lost when it does not get that far: the sweep wakes and
// begins, too.
func (s *Runs) after(ctx context.Context, run *Run) {
	s.Bell.Ring(TopicOutbox)
	s.Bell.Ring(TopicRun(run.ID))
	s.Bell.Ring(TopicRuns)
	if run.Status == RunSucceeded && run.Kind.Changing() {
		if err := s.settleHosts(context.WithoutCancel(ctx), run); err != nil { // the next run of the stack does it
			s.Log.WarnContext(ctx, "hosts not settled", "run", run.ID, "err", err)
		}
	}
	if run.Status.Final() && run.Kind.Changing() {
		s.beginNext(context.WithoutCancel(ctx), run.Stack)
		s.noteSweep(ctx, "stacks that read another", run.ID, s.followUpstreams(context.WithoutCancel(ctx)))
	}
}

// beginNext gives the oldest pending run of the stack its turn.
func (s *Runs) beginNext(ctx context.Context, stack string) {
	id, err := s.Store.NextPending(ctx, stack)
	if err == nil && id != "" {
		_, err = s.update(ctx, id, func(r *Run) error { return r.Begin(s.Now()) })
	}
	if err != nil && !errors.Is(err, ErrConflict) { // somebody else was faster
		s.Log.WarnContext(ctx, "next run not begun; the sweep will", "stack", stack, "err", err)
	}
}

// distinct gives the values of m, each once, in order.
func distinct(m map[string]int) []int {
	return slices.Compact(slices.Sorted(maps.Values(m)))
}
