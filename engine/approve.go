package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// InForce is the rule that the run is under: that of its stack and all policies
// over it, of which in each part the strictest holds. Policies hold as they are
// now, also for a plan that waits already.
func (r *Run) InForce() ApprovalRule { return r.Rule.under(r.Policies) }

// awaitApproval puts the joint plan before a person, or approves it where the
// rule says so.
func (r *Run) awaitApproval(at time.Time) {
	r.Digest, r.Applier = r.jointDigest(), ""
	r.must(r.become(RunPlanned, at))
	r.proceed(at)
}

// Approve adds one person's yes to the joint plan with the digest. With the
// last one that the rule asks for, the apply begins, unless it is frozen or
// waits for somebody who may apply.
func (r *Run) Approve(p Principal, digest, comment string, at time.Time) error {
	if err := r.mayDecide(p, digest, at); err != nil {
		return err
	}
	r.decide(p, Approved, comment, at)
	r.proceed(at)
	return nil
}

// Apply lets an approved plan change real infrastructure. A plan that takes no
// more than a confirmation is confirmed by it.
func (r *Run) Apply(p Principal, digest, comment string, at time.Time) error {
	if err := r.waits(digest, at); err != nil {
		return err
	}
	if !mayOn(p, MayApply, r.Stack) {
		return Forbidden("%s may not apply on stack %s", p.User, r.Stack)
	}
	if missing := r.missing(); len(missing) > 0 && !r.autoApproved() {
		if slices.ContainsFunc(missing, func(m Lack) bool { return !m.Open }) {
			return Conflict("the plan of run %s is not approved yet: %s", r.ID, missingText(missing))
		}
		return r.Approve(p, digest, comment, at)
	}
	if until, by, frozen := r.frozen(at); frozen {
		return Conflict("%s; in an emergency two people go past it with: cloudops run apply %s --break-glass --reason '...'", frozenText(until, by), r.ID)
	}
	r.turn("run.apply", p.User, RunApproved, at, map[string]any{"digest": r.Digest, "comment": comment})
	r.meet(p)
	r.Applier = p.User
	r.grant(at)
	return nil
}

// Discard turns the joint plan down.
func (r *Run) Discard(p Principal, comment string, at time.Time) error {
	if r.Status != RunPlanned {
		return &TransitionError{Thing: "run " + r.ID, From: string(r.Status), To: string(RunDiscarded)}
	}
	r.decide(p, Discarded, comment, at)
	r.finish(RunDiscarded, "discarded by "+p.User, at)
	return nil
}

// Expire turns down a plan that was not applied in time.
func (r *Run) Expire(at time.Time) error {
	if r.Status != RunPlanned || !r.expired(at) {
		return Conflict("run %s has no plan that has expired", r.ID)
	}
	why := "the plan expired before it was approved"
	if r.Reason != "" {
		why = "the plan expired before it was applied: " + r.Reason
	}
	r.finish(RunDiscarded, why, at)
	return nil
}

// Release looks again at an approved plan whose freeze is over by now.
func (r *Run) Release(at time.Time) error {
	if r.Status != RunPlanned || r.ReleaseAt.IsZero() || at.Before(r.ReleaseAt) || r.expired(at) {
		return Conflict("run %s waits for no freeze that is over", r.ID)
	}
	r.proceed(at)
	return nil
}

// waits checks that exactly the plan with the digest waits for a word.
func (r *Run) waits(digest string, at time.Time) error {
	switch {
	case r.Status != RunPlanned:
		return &TransitionError{Thing: "run " + r.ID, From: string(r.Status), To: string(RunApproved)}
	case digest != r.Digest:
		return Conflict("the plan with digest %.12s is not the one that waits for approval; look at run %s again, its plan is now %.12s", digest, r.ID, r.Digest)
	case r.expired(at):
		return Conflict("the plan of run %s has expired at %s; start another run", r.ID, r.ExpiresAt.UTC().Format(time.RFC3339))
	}
	return nil
}

// expired reports whether the plan that waits has waited too long, whether or
// not a sweep has turned it down by now.
func (r *Run) expired(at time.Time) bool { return !r.ExpiresAt.IsZero() && !at.Before(r.ExpiresAt) }

// mayDecide checks that p may approve exactly what waits for approval.
func (r *Run) mayDecide(p Principal, digest string, at time.Time) error {
	if err := r.waits(digest, at); err != nil {
		return err
	}
	if r.hasApproved(p.User) {
		return Conflict("%s has approved this plan already", p.User)
	}
	if why := r.Objection(p); why != "" {
		return Forbidden("%s can't approve because %s %s", p.User, p.User, why)
	}
	return nil
}

// Objection says why p's word does not count towards any need of the plan, as
// in "wrote revision 7"; "" where it does.
func (r *Run) Objection(p Principal) (why string) {
	for _, n := range r.InForce().needs(r.classes()) {
		o := r.objection(p, n)
		if o == "" {
			return ""
		}
		why = o
	}
	return why
}

// objection says why p's word does not count towards one need.
func (r *Run) objection(p Principal, n Need) string {
	person, roles := p.Person(), rolesOn(p, r.Stack)
	switch {
	case !mayOn(p, MayApprove, r.Stack) && !(n.Open && mayOn(p, MayApply, r.Stack)):
		return "may not approve plans of stack " + r.Stack
	case p.Kind == Service && !n.Open:
		return "cannot answer for it as a service account; people approve"
	case n.NotStarter && r.startedBy(person):
		return "started run " + r.ID
	case n.NotAuthor && r.wrote(person) != "":
		return r.wrote(person)
	case len(n.Roles) > 0 && !slices.ContainsFunc(roles, func(role Role) bool { return slices.Contains(n.Roles, role) }):
		return "would need the role " + roleList(n.Roles)
	}
	return ""
}

func (r *Run) startedBy(person string) bool {
	return person == r.StartedBy || slices.Contains(r.Starters, person)
}

// wrote says what of the run's changes is the person's, "" for nothing.
func (r *Run) wrote(person string) string {
	for _, a := range r.Authors {
		if a.Person == person {
			return a.Did
		}
	}
	return ""
}

func (r *Run) decide(p Principal, v Verdict, comment string, at time.Time) {
	r.meet(p)
	r.Approvals = append(r.Approvals, Approval{By: p.User, Role: r.roleOf(p), Verdict: v, Digest: r.Digest, Comment: comment, At: at})
	action := map[Verdict]string{Approved: "run.approve", Discarded: "run.discard"}[v]
	said := len(r.said())
	before := said
	if v == Approved {
		before--
	}
	r.note(newEvent(at, p.User, action, r.Stack, r.ID, map[string]any{"digest": r.Digest, "comment": comment}).
		changing(map[string]any{"approvals": before}, map[string]any{"approvals": said}))
}

// roleOf is the role that p's word counts by: one that a need names, or the first.
func (r *Run) roleOf(p Principal) Role {
	roles := rolesOn(p, r.Stack)
	for _, n := range r.InForce().needs(r.classes()) {
		for _, role := range roles {
			if slices.Contains(n.Roles, role) {
				return role
			}
		}
	}
	if len(roles) == 0 {
		return ""
	}
	return roles[0]
}

// said lists the approvals of the plan that waits.
func (r *Run) said() []Approval {
	return slices.DeleteFunc(slices.Clone(r.Approvals), func(a Approval) bool { return a.Verdict != Approved || a.Digest != r.Digest })
}

func (r *Run) hasApproved(user string) bool {
	return slices.ContainsFunc(r.said(), func(a Approval) bool { return a.By == user })
}

// approver is who gave an approval, as they are now. Who has not been looked
// at has no rights.
func (r *Run) approver(a Approval) Principal {
	if p, seen := r.who[a.By]; seen {
		return p
	}
	return Principal{User: a.By}
}

// meet notes somebody who asks, as they are now.
func (r *Run) meet(p Principal) {
	if r.who == nil {
		r.who = map[string]Principal{}
	}
	if _, seen := r.who[p.User]; !seen {
		r.who[p.User] = p
	}
}

// Lack is a need that is not met, and how many approvals it lacks.
type Lack struct {
	Need
	Lacks int
}

// missing lists what the plan that waits lacks.
func (r *Run) missing() (missing []Lack) {
	for _, n := range r.InForce().needs(r.classes()) {
		if lacks := r.lacking(n); lacks > 0 {
			missing = append(missing, Lack{n, lacks})
		}
	}
	return missing
}

// lacking counts the approvals that a need lacks.
func (r *Run) lacking(n Need) int {
	lacks := n.Approvals
	for _, a := range r.said() {
		if r.objection(r.approver(a), n) == "" {
			lacks--
		}
	}
	return max(0, lacks)
}

func missingText(missing []Lack) string {
	texts := make([]string, len(missing))
	for i, m := range missing {
		n := m.Need
		n.Approvals = m.Lacks
		texts[i] = n.String()
	}
	return "it lacks " + strings.Join(texts, ", and ")
}

// lost tells whose approvals of the plan that waits count no longer.
func (r *Run) lost() string {
	var texts []string
	for _, a := range r.said() {
		if why := r.Objection(r.approver(a)); why != "" && r.who != nil {
			texts = append(texts, fmt.Sprintf("the approval of %s counts no longer: %s %s", a.By, a.By, why))
		}
	}
	return strings.Join(texts, "; ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
