package engine

import (
	"cmp"
	"context"
	"maps"
	"reflect"
	"slices"
)

// stackRule is the rule of a revision together with those of the revisions that
// are there: one that asks for less is itself applied under what was asked for
// before, and put before a person even where it changes nothing. Else the run
// after it would be under less than anybody agreed to. Putting drift right without a
// person is such a thing, too. Which plans need no person is said by auto where it
// says anything.
func (s *Runs) stackRule(ctx context.Context, rev *Revision, auto AutoApprove) (ApprovalRule, error) {
	meant := func(rev *Revision) ApprovalRule {
		rule := rev.Blueprint.Approval.meant()
		rule.AutoApprove = cmp.Or(auto, rule.AutoApprove)
		return rule
	}
	own := meant(rev)
	there, err := s.revisionsThere(ctx, rev.Stack)
	if err != nil {
		return own, err
	}
	rule, less := own, false
	for _, number := range there {
		at, err := s.outline(ctx, rev.Stack, number)
		if err != nil {
			return own, err
		}
		rule = Stricter(rule, meant(at))
		less = less || rev.remediates() && !at.remediates() && own.AutoApprove != AutoAlways
	}
	if less || !reflect.DeepEqual(rule, own) {
		rule.AutoApprove = AutoNever
	}
	return rule, nil
}

// remediates reports whether drift of what the revision made is put right
// without a person.
func (r *Revision) remediates() bool { return r.Blueprint.Drift.Remediate == RemediateApply }

// startedBy gives the rule as it is for a run that p starts. That a plan needs
// no person stands in for one who may apply, and not for who may not.
func (r ApprovalRule) startedBy(p Principal, stack string) ApprovalRule {
	if !mayOn(p, MayApply, stack) {
		r.AutoApprove = stricterAuto(r.AutoApprove, AutoNoChanges)
	}
	return r
}

// revisionsThere lists the revision that the stack is applied at, those that
// parts of it are at, and those of applies that did not come to their end.
func (s *Runs) revisionsThere(ctx context.Context, stack string) ([]int, error) {
	st, err := s.Store.Stack(ctx, stack)
	if err != nil {
		return nil, err
	}
	deployed, err := s.Store.Deployed(ctx, stack)
	if err != nil {
		return nil, err
	}
	begun, err := s.Store.Begun(ctx, stack)
	if err != nil {
		return nil, err
	}
	there := append(begun, distinct(deployed)...)
	if st.Applied > 0 {
		there = append(there, st.Applied)
	}
	slices.Sort(there)
	return slices.Compact(there), nil
}

// distinct gives the values of m, each once, in order.
func distinct(m map[string]int) []int {
	return slices.Compact(slices.Sorted(maps.Values(m)))
}

// distinctNames gives the names of all lists, each once, in order.
func distinctNames(lists ...[]string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(lists...))))
}
