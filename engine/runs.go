package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Runs is what people and programs may do with runs.
type Runs struct {
	Store    Store
	Compiler Compiler
	Hasher   Hasher
	Bell     Bell
	People   People
	Log      *slog.Logger
	Now      func() time.Time
	StateURL func(stack, component string) string // where Terraform finds a component's state
	Grace    time.Duration                        // between interrupt and kill of a cancelled step
	Issuer   *Issuer                              // of the tokens that steps get

	watch watch // over leases, by who sweeps
}

// Start makes a run of the stack and lets it begin, or leaves it pending
// behind the changing run that is under way.
func (s *Runs) Start(ctx context.Context, p Principal, req StartRequest) (*Run, error) {
	// This comes first: a run that ends meanwhile may change what is taken in
	// hand and under which rule, and then both are worked out again.
	active, err := s.Store.ActiveRun(ctx, req.Stack)
	if err != nil {
		return nil, err
	}
	t, err := s.take(ctx, req)
	if err != nil {
		return nil, err
	}
	if active == "" || !req.Kind.Changing() {
		run, err := s.startNow(ctx, p, req, t)
		if !errors.Is(err, ErrConflict) || !req.Kind.Changing() {
			return run, err
		}
	}
	// A remediation does not queue: what it would put right may be another thing
	// by then, and the next check sees that.
	if req.Trigger == TriggerDrift {
		return nil, Conflict("another run of stack %s is under way", req.Stack)
	}
	return s.enqueue(ctx, p, req, t)
}

// startNow makes a run that begins at once. It wraps ErrConflict where another
// one has to come first.
func (s *Runs) startNow(ctx context.Context, p Principal, req StartRequest, t taken) (*Run, error) {
	run, err := s.pending(ctx, p, req, t)
	if err != nil {
		return nil, err
	}
	if err := run.begin(t, s.Now()); err != nil {
		return nil, err
	}
	if err := s.Store.CreateRun(ctx, run); err != nil {
		return nil, err
	}
	s.after(ctx, run)
	return run, nil
}

// pending makes a run that comes after all that the stack has had. The order of
// runs is that of their identifiers, and clocks are put back at times.
func (s *Runs) pending(ctx context.Context, p Principal, req StartRequest, t taken) (*Run, error) {
	var err error
	if req.after, err = s.Store.NewestRun(ctx, req.Stack); err != nil {
		return nil, err
	}
	people, err := s.behind(ctx, append([]string{p.User}, req.starters...)...)
	if err != nil {
		return nil, err
	}
	req.starters = append(people, p.Person())
	if req.Kind.Changing() {
		rule, err := s.stackRule(ctx, t.rev, req.AutoApprove)
		if err != nil {
			return nil, err
		}
		t.rev.Blueprint.Approval = rule.startedBy(p, req.Stack)
	}
	run := newRun(req, p, t.rev, t.parts, s.Now())
	if run.Policies, err = s.Store.PoliciesOver(ctx, run.Stack); err != nil {
		return nil, err
	}
	run.Authors, err = s.authors(ctx, run)
	return run, err
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
	return s.Start(ctx, p, StartRequest{Stack: run.Stack, Kind: run.Kind, Revision: run.Revision, Only: only, Resources: run.Resources, Message: message, starters: run.Starters})
}

// enqueue keeps the run until its turn comes.
func (s *Runs) enqueue(ctx context.Context, p Principal, req StartRequest, t taken) (*Run, error) {
	run, err := s.pending(ctx, p, req, t)
	if err != nil {
		return nil, err
	}
	run.Reason = "waits for its turn on the stack"
	if active, err := s.Store.ActiveRun(ctx, run.Stack); err == nil && active != "" {
		run.Reason = "waits for run " + active
	}
	if err := s.Store.CreateRun(ctx, run); err != nil {
		return nil, err
	}
	// The run in front may have ended before this one was there to be seen.
	s.beginNext(ctx, run.Stack)
	// Were it read for a caller who is gone, the same request would queue another.
	return s.Store.Run(context.WithoutCancel(ctx), run.ID)
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

// Get reads one run.
func (s *Runs) Get(ctx context.Context, id string) (*Run, error) { return s.Store.Run(ctx, id) }

// Approve lets the joint plan with the digest change real infrastructure.
func (s *Runs) Approve(ctx context.Context, p Principal, id, digest, comment string) (*Run, error) {
	return s.decide(ctx, id, p.User, func(r *Run) error { return r.Approve(p, digest, comment, s.Now()) })
}

// Apply lets an approved plan change real infrastructure, or confirms one that
// takes no more than that.
func (s *Runs) Apply(ctx context.Context, p Principal, id, digest, comment string) (*Run, error) {
	return s.decide(ctx, id, p.User, func(r *Run) error { return r.Apply(p, digest, comment, s.Now()) })
}

// BreakGlass asks to apply a plan in spite of a freeze, or confirms that as the
// second person.
func (s *Runs) BreakGlass(ctx context.Context, p Principal, id, digest, reason string) (*Run, error) {
	return s.decide(ctx, id, p.User, func(r *Run) error { return r.BreakGlass(p, digest, reason, s.Now()) })
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
		err = s.begin(ctx, id)
	}
	if err != nil && !errors.Is(err, ErrConflict) { // somebody else was faster
		s.Log.WarnContext(ctx, "next run not begun; the sweep will", "stack", stack, "err", err)
	}
}

// begin gives a pending run its turn. The runs before it have changed what is
// there, so that what it takes in hand, and whether it may, is worked out anew.
func (s *Runs) begin(ctx context.Context, id string) error {
	run, err := s.Store.Run(ctx, id)
	if err != nil {
		return err
	}
	wish := run.wish()
	if run.Trigger == TriggerUpstream { // follows with what is applied now, not with what was when it began to wait
		stack, err := s.Store.Stack(ctx, run.Stack)
		if err != nil {
			return err
		}
		if stack.Applied > 0 {
			wish.Revision = stack.Applied
		}
	}
	t, refusal := s.take(ctx, wish)
	switch {
	case Refused(refusal):
	case refusal != nil:
		return refusal
	default:
		if err := s.underNow(ctx, run, t.rev); err != nil {
			return err
		}
	}
	_, err = s.update(ctx, id, func(r *Run) error {
		if refusal != nil {
			return r.refuse(refusal, s.Now())
		}
		r.Revision, r.Rule, r.Authors, r.Starters = run.Revision, run.Rule, run.Authors, run.Starters
		return r.begin(t, s.Now())
	})
	return err
}

// underNow notes what a run that waited for its turn is under by now: its rule,
// and whose changes it brings.
func (s *Runs) underNow(ctx context.Context, run *Run, rev *Revision) (err error) {
	if rev.Number != run.Revision { // which is applied again
		people, err := s.behind(ctx, rev.Author, rev.Person)
		if err != nil {
			return err
		}
		run.Revision, run.Starters = rev.Number, distinctNames(run.Starters, people)
	}
	rule, err := s.stackRule(ctx, rev, "")
	if err != nil {
		return err
	}
	rule.AutoApprove = stricterAuto(rule.AutoApprove, run.Rule.AutoApprove) // which knows who started it
	run.Rule = rule
	run.Authors, err = s.authors(ctx, run)
	return err
}
