package engine

import (
	"context"
	"fmt"
	"time"
)

// Decision is what a run's plan takes before it is applied, and what it has of
// that, as one person sees it.
type Decision struct {
	Run     *Run
	Rules   []RuleFrom
	Classes []Class // of the changes that wait
	Needs   []Met   // of the plan that waits; none where none does
	Words   []Word  // of people on it
	Until   time.Time
	Window  string // that freezes it until then; empty for none
	WhyNot  string // the person who looks cannot approve, as in "wrote revision 7"; empty where they can
}

// RuleFrom is one of the rules that hold, in words.
type RuleFrom struct {
	From string // "the stack", "project payments", "the installation"
	Says []string
}

// Met is a need with how many approvals there are of it.
type Met struct {
	Need
	Has int
}

// Word is an approval of the plan that waits; Why says why it counts no longer.
type Word struct {
	Approval
	Why string
}

// Decision looks at what a run waits for with the eyes of p.
func (s *Runs) Decision(ctx context.Context, p Principal, id string) (*Decision, error) {
	run, err := s.Store.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	d := &Decision{Run: run, Rules: run.rules()}
	if run.Status != RunPlanned {
		return d, nil
	}
	if err := s.informed(ctx, run); err != nil {
		return nil, err
	}
	if err := s.overruled(ctx, d); err != nil {
		return nil, err
	}
	d.Classes = run.classes()
	for _, n := range run.InForce().needs(d.Classes) {
		d.Needs = append(d.Needs, Met{n, n.Approvals - run.lacking(n)})
	}
	for _, a := range run.said() {
		d.Words = append(d.Words, Word{a, run.Objection(run.approver(a))})
	}
	if until, by, frozen := run.frozen(s.Now()); frozen {
		d.Until, d.Window = until, by.Name
	}
	if d.WhyNot = run.Objection(p); run.hasApproved(p.User) {
		d.WhyNot = "have approved it already"
	}
	return d, nil
}

// overruled adds to the rule of the stack why a person is asked for a plan that
// the revision itself would let pass.
func (s *Runs) overruled(ctx context.Context, d *Decision) error {
	rev, err := s.outline(ctx, d.Run.Stack, d.Run.Revision)
	if err != nil {
		return err
	}
	own, holds, why := rev.Blueprint.Approval.meant().AutoApprove, d.Run.Rule.AutoApprove, "who started the run may not apply"
	if own == holds || stricterAuto(own, holds) == own { // a remediation may say more
		return nil
	}
	if holds == AutoNever {
		why = "it asks for less than what is applied"
	}
	d.Rules[0].Says = append(d.Rules[0].Says, fmt.Sprintf("auto_approve = %q of revision %d does not hold, since %s", own, rev.Number, why))
	return nil
}

// rules lists what the run is under.
func (r *Run) rules() []RuleFrom {
	rules := []RuleFrom{{"the stack", r.Rule.Says()}}
	for _, p := range r.Policies {
		rules = append(rules, RuleFrom{p.From(), p.Rule.Says()})
	}
	return rules
}

// Says words a rule, a line for each thing that it asks for.
func (r ApprovalRule) Says() []string {
	lines := []string{}
	say := func(when bool, format string, args ...any) {
		if when {
			lines = append(lines, fmt.Sprintf(format, args...))
		}
	}
	all := r.needs(nil)[0]
	leaves := r.AutoApprove == "" && all.Open && len(all.Roles) == 0 && !all.NotStarter && !all.NotAuthor
	say(!leaves, "%s%s", all, all.bars()) // else it leaves that to the stacks
	for _, n := range r.classNeeds(Classes()) {
		say(true, "%s%s", n, n.bars())
	}
	say(r.AutoApprove != "", "nobody is asked for plans: %s", r.AutoApprove)
	say(r.OnDeferred != "", "plans made late: %s", r.OnDeferred)
	say(r.Expires > 0, "a plan expires after %s", r.Expires)
	for _, w := range r.Freeze {
		say(true, "no apply begins from %s to %s (%s)", w.From, w.To, w.Name)
	}
	return lines
}
