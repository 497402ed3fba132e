package engine

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// findDrift keeps what a drift check found and gives what of it counts. What
// does not is noted on the plan: changes that the revision which is deployed
// says to ignore, and all of them where the component changed meanwhile.
func (s *Runs) findDrift(ctx context.Context, run *Run, step *Step, plan *Plan) (counts Plan, err error) {
	last, err := s.Store.LastChange(ctx, run.Stack, step.Component.Address)
	if err != nil {
		return counts, err
	}
	if last.changedSince(step.StartedAt) {
		plan.Notes = append(plan.Notes, "the stack was being changed while it was checked, so what differs is not told as drift")
		return counts, nil
	}
	rev, err := s.Store.Revision(ctx, run.Stack, step.Revision)
	if err != nil {
		return counts, err
	}
	counts.Changes = keepFindings(rev.Blueprint.Drift, step.Component.Address, plan.Changes)
	if n := len(plan.Changes) - len(counts.Changes); n > 0 {
		plan.Notes = append(plan.Notes, ignoredNote(n))
	}
	return counts, s.Store.RecordFindings(ctx, run.Stack, step.Component.Address, run.ID, counts.Changes, s.Now())
}

func ignoredNote(n int) string {
	if n == 1 {
		return "1 change is ignored by drift.ignore"
	}
	return fmt.Sprintf("%d changes are ignored by drift.ignore", n)
}

// changedSince reports whether the step, the last of its component in a run
// that changes the stack, was at work at some time since, or is yet to be.
func (s *Step) changedSince(since time.Time) bool {
	over := s.Status.Final() || s.Status == StepUnchanged
	return !over || !s.EndedAt.Before(since)
}

// keepFindings drops what the stack's drift rule says to ignore. An entry is
// "component:subject", for a whole subject, or "component:subject.attribute",
// for an attribute and all below it. A change whose attributes are all ignored
// is ignored.
func keepFindings(rule DriftRule, component string, found []Change) []Change {
	var kept []Change
	for _, c := range found {
		if c, ok := ignoreParts(rule.Ignore, component, c); ok {
			kept = append(kept, c)
		}
	}
	return kept
}

func ignoreParts(ignore []string, component string, c Change) (Change, bool) {
	var attrs []AttributeChange
	for _, a := range c.Attributes {
		if !ignored(ignore, component+":"+c.Subject+"."+a.Path) {
			attrs = append(attrs, a)
		}
	}
	whole := ignored(ignore, component+":"+c.Subject)
	nothingLeft := len(c.Attributes) > 0 && len(attrs) == 0
	c.Attributes = attrs
	return c, !whole && !nothingLeft
}

// ignored reports whether an entry names the place or something around it.
func ignored(ignore []string, place string) bool {
	for _, entry := range ignore {
		rest, ok := strings.CutPrefix(place, entry)
		if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}
