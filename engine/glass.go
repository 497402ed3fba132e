package engine

import (
	"slices"
	"strings"
	"time"
)

// Glass is what two people break to apply a plan in a freeze.
type Glass struct {
	By, Person  string // who asked for it, and the person behind
	Reason      string
	Digest      string // of the plan that it is for
	At          time.Time
	Until       time.Time // when the freeze ends that it is for; then it is whole again
	With        string    // who confirmed it; empty before that
	ConfirmedAt time.Time
}

// BreakGlass asks to apply the plan with the digest in spite of a freeze or,
// where somebody else has asked for that, confirms it. Approvals are needed
// like those of any plan; the confirmation is one where the person may approve.
func (r *Run) BreakGlass(p Principal, digest, reason string, at time.Time) error {
	reason = strings.TrimSpace(reason)
	if err := r.mayBreak(p, digest, reason, at); err != nil {
		return err
	}
	r.meet(p)
	if !r.GlassAsked(at) {
		until, _, _ := r.frozen(at)
		before := r.Glass.told()
		r.Glass = Glass{By: p.User, Person: p.Person(), Reason: reason, Digest: digest, At: at, Until: until}
		r.breaks(p, at, before, map[string]any{"step": "asked", "reason": reason, "digest": digest, "until": until})
		r.Reason = "break-glass asked for by " + p.User + " (" + reason + "); waits for a second person to confirm it"
		return nil
	}
	before := r.Glass.told()
	r.Glass.With, r.Glass.ConfirmedAt = p.User, at
	r.breaks(p, at, before, map[string]any{"step": "confirmed", "asked_by": r.Glass.By, "reason": r.Glass.Reason, "digest": digest})
	if r.mayDecide(p, digest, at) == nil {
		r.decide(p, Approved, "break-glass: "+r.Glass.Reason, at)
	}
	r.proceed(at)
	return nil
}

func (r *Run) mayBreak(p Principal, digest, reason string, at time.Time) error {
	if err := r.waits(digest, at); err != nil {
		return err
	}
	_, _, frozen := r.frozen(at)
	switch {
	case !r.mayOpen(p):
		return Forbidden("%s may neither approve nor apply plans of stack %s", p.User, r.Stack)
	case p.Kind == Service:
		return Forbidden("%s is a service account; break-glass takes two people", p.User)
	case !frozen:
		return Conflict("nothing keeps the plan of run %s from being applied but what it lacks; there is no glass to break", r.ID)
	case r.GlassAsked(at):
		return r.mayConfirm(p)
	case reason == "":
		return Invalid("break-glass takes a reason, which stays with the run for ever")
	}
	return nil
}

// GlassAsked reports whether somebody who still may has asked to go past the
// freeze that is, with the plan that waits.
func (r *Run) GlassAsked(at time.Time) bool {
	return r.Glass.Digest != "" && r.Glass.Digest == r.Digest && at.Before(r.Glass.Until) && r.mayOpen(r.who[r.Glass.By])
}

// mayConfirm checks that p may be the second person, who is bound by the rule
// like one who approves.
func (r *Run) mayConfirm(p Principal) error {
	person, needs := p.Person(), r.InForce().needs(r.classes())
	switch {
	case person == r.Glass.Person:
		return Forbidden("%s asked for break-glass; a second person has to confirm it", r.Glass.By)
	case slices.ContainsFunc(needs, func(n Need) bool { return n.NotStarter }) && r.startedBy(person):
		return Forbidden("%s can't confirm break-glass because %s started run %s", p.User, p.User, r.ID)
	case slices.ContainsFunc(needs, func(n Need) bool { return n.NotAuthor }) && r.wrote(person) != "":
		return Forbidden("%s can't confirm break-glass because %s %s", p.User, p.User, r.wrote(person))
	}
	return nil
}

// mayOpen reports whether p may have a part in break-glass.
func (r *Run) mayOpen(p Principal) bool {
	return mayOn(p, MayApprove, r.Stack) || mayOn(p, MayApply, r.Stack)
}

// broken reports whether two people, who still may, broke the glass for the plan
// that waits and the freeze that is.
func (r *Run) broken(at time.Time) bool {
	return r.GlassAsked(at) && r.Glass.With != "" && r.mayOpen(r.who[r.Glass.With])
}

// breaks notes what somebody has done to the glass, which is changed already.
func (r *Run) breaks(p Principal, at time.Time, before, detail map[string]any) {
	r.note(newEvent(at, p.User, "run.break_glass", r.Stack, r.ID, detail).changing(before, r.Glass.told()))
}

// told is what the audit log says of it; nil where nobody has asked.
func (g Glass) told() map[string]any {
	if g.By == "" {
		return nil
	}
	return map[string]any{"asked_by": g.By, "confirmed_by": g.With, "digest": g.Digest}
}
