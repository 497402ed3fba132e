package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"
)

// NextTime tells when a schedule fires next, after the given time. The key
// spreads schedules that share an expression; "" spreads nothing.
type NextTime func(cron, timezone string, after time.Time, key string) (time.Time, error)

// Stacks is what people may do with stacks and their revisions.
type Stacks struct {
	Store    Store
	Compiler Compiler
	Bell     Bell
	Next     NextTime
	Now      func() time.Time
}

// Submission is a new version of a stack as somebody sends it.
type Submission struct {
	Stack     string // that it is meant for; empty to take the name from the sources
	Sources   []byte // tar.gz
	Variables map[string]json.RawMessage
	Message   string
	Upgrade   bool // choose the versions of modules anew
}

// TopicSchedules is rung when schedules change.
const TopicSchedules = "schedules"

// Create makes a stack that has no revision yet.
func (s *Stacks) Create(ctx context.Context, p Principal, name, description string, labels map[string]string) (*Stack, error) {
	if err := p.Check(MaySubmit, StackScope(name)); err != nil {
		return nil, err
	}
	if err := checkPlace(ctx, s.Store, "stack", name); err != nil {
		return nil, err
	}
	now := s.Now()
	stack := &Stack{Name: name, Description: description, Labels: labels, CreatedAt: now, UpdatedAt: now}
	return stack, s.Store.CreateStack(ctx, stack, s.event(p, "stack.create", name, nil).changing(nil, stack.told()))
}

// Submit checks a submission, with the values that are kept for the stack, and
// stores it as the stack's next revision. Mistakes come back as Diagnostics,
// and then nothing is stored.
func (s *Stacks) Submit(ctx context.Context, p Principal, sub Submission) (*Revision, error) {
	rev, with, err := s.check(ctx, p, sub)
	if err != nil {
		return nil, err
	}
	events := []Event{s.submitted(p, rev)}
	for _, name := range with.Hide {
		events = append(events, s.event(p, "variable.hide", rev.Stack, map[string]any{"name": name}).
			changing(map[string]any{"secret": false}, map[string]any{"secret": true}))
	}
	if err := s.Store.AddRevision(ctx, rev, with, events...); err != nil {
		return nil, err
	}
	s.ringSubmitted()
	return rev, nil
}

// pins are the versions of modules that the newest revision of the stack has.
func (s *Stacks) pins(ctx context.Context, stack string) (Pins, error) {
	newest, err := s.Newest(ctx, stack)
	if errors.Is(err, ErrNotFound) {
		return Pins{}, nil
	}
	if err != nil {
		return Pins{}, err
	}
	pins := Pins{Versions: map[string]string{}}
	for _, c := range newest.Components {
		if c.Version != "" {
			pins.Versions[c.Lock()] = c.Version
		}
	}
	return pins, nil
}

// Newest is what the stack's newest revision says.
func (s *Stacks) Newest(ctx context.Context, stack string) (*Blueprint, error) {
	newest, err := s.Store.Revisions(ctx, stack, Page{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(newest) == 0 {
		return nil, noRevision(stack)
	}
	return &newest[0].Blueprint, nil
}

// NewestFor is what the newest revision of a stack says, for whoever the
// context names. Its outputs hold secrets, so who may not read its state is
// told what is told of a stack that there is not.
func (s *Stacks) NewestFor(ctx context.Context, stack string) (*Blueprint, error) {
	if !PrincipalFrom(ctx).May(MayReadState, StackScope(stack)) {
		return nil, noRevision(stack)
	}
	return s.Newest(ctx, stack)
}

func noRevision(stack string) error { return NotFound("stack %q has no revision", stack) }

// Check says what Submit would make of a submission, and stores nothing.
func (s *Stacks) Check(ctx context.Context, p Principal, sub Submission) (*Revision, error) {
	rev, _, err := s.check(ctx, p, sub)
	return rev, err
}

// check makes a revision of a submission with what is kept for its stack, of
// which what is given wins. It writes nothing.
func (s *Stacks) check(ctx context.Context, p Principal, sub Submission) (*Revision, Beside, error) {
	outline, err := s.Compiler.Outline(sub.Sources)
	if err != nil {
		return s.compile(ctx, p, sub, Pins{}) // which tells this mistake with all others
	}
	if sub.Stack != "" && outline.Stack != sub.Stack {
		return nil, Beside{}, Invalid("the sources describe stack %q, but were sent for stack %q", outline.Stack, sub.Stack)
	}
	if err := checkPlace(ctx, s.Store, "stack", outline.Stack); err != nil {
		return nil, Beside{}, err
	}
	k, err := kept(ctx, s.Store, outline.Stack)
	if err != nil {
		return nil, Beside{}, err
	}
	var pins Pins
	if !sub.Upgrade {
		if pins, err = s.pins(ctx, outline.Stack); err != nil {
			return nil, Beside{}, err
		}
	}
	ours := k.values(outline)
	maps.Copy(ours.values, sub.Variables)
	sub.Variables = ours.values
	rev, with, err := s.compile(ctx, p, sub, pins)
	with.Hide = ours.hide
	return rev, with, ours.mistakes.with(err)
}

// compile makes a revision of a submission, with the schedule that it asks for.
func (s *Stacks) compile(ctx context.Context, p Principal, sub Submission, pins Pins) (*Revision, Beside, error) {
	bp, sources, err := s.Compiler.Compile(WithPrincipal(ctx, p), sub.Sources, sub.Variables, pins)
	if err != nil {
		return nil, Beside{}, err
	}
	sum := sha256.Sum256(sources)
	rev := &Revision{
		Stack: bp.Name, Digest: hex.EncodeToString(sum[:]), Author: p.User, Person: p.Person(), Message: sub.Message, CreatedAt: s.Now(),
		Blueprint: bp, Sources: sources, Variables: sub.Variables,
	}
	if err := s.checkRule(ctx, &bp); err != nil {
		return nil, Beside{}, err
	}
	drift, err := s.driftSchedule(p, &bp)
	return rev, Beside{Drift: drift}, err
}

// checkRule refuses an approval rule that nobody could meet.
func (s *Stacks) checkRule(ctx context.Context, bp *Blueprint) error {
	if len(bp.Approval.roles()) == 0 {
		return nil
	}
	d, err := s.Store.Directory(ctx)
	if err == nil {
		err = bp.Approval.among(d)
	}
	if err != nil {
		return err
	}
	policies, err := s.Store.PoliciesOver(ctx, bp.Name)
	if err != nil {
		return err
	}
	return bp.Approval.under(policies).can()
}

// submitted is the event of a new revision.
func (s *Stacks) submitted(p Principal, rev *Revision) Event {
	e := s.event(p, "stack.submit", rev.Stack, map[string]any{"digest": rev.Digest, "message": rev.Message})
	return replacing(e, func(before *Stack) (was, is map[string]any) {
		after := &Stack{Description: rev.Blueprint.Description, Labels: rev.Blueprint.Labels, Latest: rev.Number}
		return before.told(), after.told()
	})
}

// ringSubmitted wakes who waits for revisions and their schedules.
func (s *Stacks) ringSubmitted() {
	s.Bell.Ring(TopicSchedules)
	s.Bell.Ring(TopicRuns)
}

// driftSchedule is the schedule that the stack's own drift block asks for.
func (s *Stacks) driftSchedule(p Principal, bp *Blueprint) (*Schedule, error) {
	if bp.Drift.Schedule == "" {
		return nil, nil
	}
	sch := &Schedule{Stack: bp.Name, Name: "drift", Kind: RunDrift, Cron: bp.Drift.Schedule, Timezone: bp.Drift.Timezone}
	return sch, s.prepare(p, sch)
}

// prepare fills in what the engine knows of a new schedule.
func (s *Stacks) prepare(p Principal, sch *Schedule) error {
	now := s.Now()
	next, err := s.Next(sch.Cron, sch.Timezone, now, sch.Stack+"/"+sch.Name)
	if err != nil {
		return Invalid("schedule %s: %v", sch.Name, err)
	}
	sch.ID, sch.NextRunAt, sch.CreatedBy, sch.CreatedAt = NewID("sch", now), next, p.User, now
	return nil
}

// AddSchedule makes a schedule that starts runs of the stack.
func (s *Stacks) AddSchedule(ctx context.Context, p Principal, sch *Schedule) error {
	if err := CheckName("schedule", sch.Name); err != nil {
		return err
	}
	if _, err := s.Store.Stack(ctx, sch.Stack); err != nil {
		return err
	}
	if sch.Name == "drift" {
		return Invalid("the schedule named drift comes from the stack's own drift block; give another name")
	}
	if scope := StackScope(sch.Stack); sch.Kind.Changing() && p.Rights.May(MayApply, scope) && !p.May(MayApply, scope) {
		return Forbidden("a schedule applies what %s may apply, which %s may not; use a token that may", p.User, p.asks())
	}
	if err := s.prepare(p, sch); err != nil {
		return err
	}
	return s.putSchedule(ctx, p, sch, "schedule.create")
}

// PauseSchedule stops a schedule from firing, or lets it go on from now.
func (s *Stacks) PauseSchedule(ctx context.Context, p Principal, id string, paused bool) (*Schedule, error) {
	sch, err := s.Store.Schedule(ctx, id)
	if err != nil {
		return nil, err
	}
	sch.Paused = paused
	if sch.NextRunAt, err = s.Next(sch.Cron, sch.Timezone, s.Now(), sch.Stack+"/"+sch.Name); err != nil {
		return nil, Invalid("schedule %s: %v", sch.Name, err)
	}
	return sch, s.putSchedule(ctx, p, sch, "schedule.pause")
}

func (s *Stacks) putSchedule(ctx context.Context, p Principal, sch *Schedule, action string) error {
	e := s.event(p, action, sch.Stack, map[string]any{"schedule": sch.Name})
	err := s.Store.PutSchedule(ctx, sch, replacing(e, func(before *Schedule) (was, is map[string]any) { return before.told(), sch.told() }))
	s.Bell.Ring(TopicSchedules)
	return err
}

// DeleteSchedule removes a schedule that somebody made. The one of a drift
// block goes with the block.
func (s *Stacks) DeleteSchedule(ctx context.Context, p Principal, id string) error {
	sch, err := s.Store.Schedule(ctx, id)
	if err != nil {
		return err
	}
	if sch.Name == "drift" {
		return Conflict("the schedule named drift comes from the stack's drift block; pause it, or submit the stack without the block")
	}
	e := s.event(p, "schedule.delete", sch.Stack, map[string]any{"schedule": sch.Name})
	return s.Store.DeleteSchedule(ctx, id, replacing(e, func(before *Schedule) (was, is map[string]any) { return before.told(), nil }))
}

// Delete removes a stack of which nothing is left.
func (s *Stacks) Delete(ctx context.Context, p Principal, name string) error {
	readers, err := s.Store.Readers(ctx, name)
	if err != nil {
		return err
	}
	if seen := Seen(slices.Clone(readers), p); len(seen) < len(readers) {
		return Conflict("a stack that you may not see reads the outputs of %s; ask an admin which", name)
	}
	e := replacing(s.event(p, "stack.delete", name, nil), func(before *Stack) (was, is map[string]any) { return before.told(), nil })
	if err := s.Store.DeleteStack(ctx, name, e); err != nil {
		return err
	}
	s.Bell.Ring(TopicRuns)
	return nil
}

func (s *Stacks) event(p Principal, action, stack string, detail map[string]any) Event {
	if p.Owner != "" && detail != nil {
		detail["owner"] = p.Owner // who answers for it now, whoever does so later
	}
	return newEvent(s.Now(), p.User, action, stack, stack, detail)
}
