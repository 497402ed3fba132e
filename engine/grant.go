package engine

import (
	"slices"
	"time"
)

// proceed lets the apply of the plan that waits begin where nothing is in its
// way any more, or else says what is.
func (r *Run) proceed(at time.Time) {
	r.Reason, r.ReleaseAt = "", time.Time{}
	if r.expired(at) {
		r.Reason = "approved, but its apply did not begin in time"
		return
	}
	auto := r.autoApproved()
	if missing := r.missing(); !auto && len(missing) > 0 {
		if lost := r.lost(); lost != "" {
			r.Reason = lost + "; " + missingText(missing)
		}
		return
	}
	if until, by, frozen := r.frozen(at); frozen {
		r.Reason, r.ReleaseAt = "approved; "+frozenText(until, by), until
		return
	}
	if !auto && !r.applicable(at) {
		r.Reason = "approved; waits for somebody who may apply: neither who started the run nor who approved it may"
		return
	}
	if auto {
		r.turn("run.approve", "stack rule", RunApproved, at, map[string]any{"auto_approve": r.InForce().AutoApprove, "digest": r.Digest})
	}
	r.grant(at)
}

// applicable reports whether somebody behind the run, its approvals or the glass
// that was broken for it may apply, or who let it be applied still may.
func (r *Run) applicable(at time.Time) bool {
	names := append([]string{r.StartedBy, r.Applier}, r.Starters...)
	if r.broken(at) {
		names = append(names, r.Glass.By, r.Glass.With)
	}
	for _, a := range r.said() {
		names = append(names, a.By)
	}
	return slices.ContainsFunc(names, func(name string) bool { return mayOn(r.who[name], MayApply, r.Stack) })
}

// autoApproved reports whether the plan that waits needs no person. What the
// rule asks for a class of its changes, it asks for all the same.
func (r *Run) autoApproved() bool {
	rule := r.InForce()
	if len(rule.classNeeds(r.classes())) > 0 {
		return false
	}
	switch rule.AutoApprove {
	case AutoAlways:
		return true
	case AutoAdditions:
		return r.Summary().OnlyCreates() && !r.any(StepDeferred) && !r.anyNotes()
	default:
		return false
	}
}

func (r *Run) anyNotes() bool {
	return slices.ContainsFunc(r.Steps, func(s *Step) bool { return len(s.Notes) > 0 })
}

// frozen tells until when the apply may not begin. One that has begun goes on:
// half of a change is worse than a change in a freeze.
func (r *Run) frozen(at time.Time) (until time.Time, by Window, frozen bool) {
	if !r.ApplyingAt.IsZero() || r.broken(at) {
		return until, by, false
	}
	return r.InForce().frozen(at)
}

func frozenText(until time.Time, by Window) string {
	return "frozen until " + by.told(until) + " by window " + by.Name
}

// grant approves every planned step and lets the apply begin.
func (r *Run) grant(at time.Time) {
	r.must(r.become(RunApproved, at))
	r.Reason, r.Covered = "", r.classes()
	for _, s := range r.Steps {
		if s.Status == StepPlanned {
			r.approveStep(s, at)
		}
	}
	r.settle(at)
}

func (r *Run) approveStep(s *Step, at time.Time) {
	s.ApprovedChanges = s.ChangesHash
	r.must(s.become(StepApproved, at))
}

// mayApplyLate reports whether a plan that was made during the apply needs no
// new approval: it does what was approved, or the rule lets it pass. Classes of
// change that the rule asks more for have to be among those that were approved.
func (r *Run) mayApplyLate(s *Step) bool {
	if s.ApprovedChanges != "" && s.ApprovedChanges == s.ChangesHash {
		return true
	}
	rule := r.InForce()
	asks := rule.classNeeds(sortedClasses(s.classes()))
	return (rule.OnDeferred == DeferredApply || rule.AutoApprove == AutoAlways) &&
		!slices.ContainsFunc(asks, func(n Need) bool { return !slices.Contains(r.Covered, n.Class) })
}

// Reconsider looks, before the first step of an approved plan begins, whether
// it still is approved: by people who may still do so, under the rules as they
// are now. A plan that is not waits again, which it reports. So does one that
// was made late, of an apply that has begun.
func (r *Run) Reconsider(at time.Time) (waits bool) {
	if r.Status != RunApproved {
		return false
	}
	_, _, frozen := r.frozen(at)
	if !frozen && !r.expired(at) && (r.autoApproved() || len(r.missing()) == 0 && r.applicable(at)) {
		return false
	}
	r.withdraw(at)
	return true
}

// withdraw takes back that the plan is approved, of which nothing has begun. A
// run that already plans steps anew waits with the plan that comes of it.
func (r *Run) withdraw(at time.Time) {
	for _, s := range r.Steps {
		if s.Status == StepApproved {
			s.ApprovedChanges = ""
			r.must(s.become(StepPlanned, at))
		}
	}
	if r.busy() {
		r.Reason = r.lost()
		r.must(r.become(RunPlanning, at))
	} else {
		r.must(r.become(RunPlanned, at))
		r.proceed(at)
	}
	r.note(newEvent(at, ActorEngine, "run.withdraw", r.Stack, r.ID, map[string]any{"digest": r.Digest, "reason": r.Reason}).
		changing(map[string]any{"status": RunApproved}, map[string]any{"status": r.Status}))
}
