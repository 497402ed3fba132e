package engine

import (
	"context"
	"maps"
	"reflect"
	"slices"
)

// stackRule is the rule of a revision together with those of the revisions that
// are there: one that asks for less is itself applied under what was asked for
// before, and put before a person even where it changes nothing. Else the run
// after it would be under less than anybody agreed to.
func (s *Runs) stackRule(ctx context.Context, rev *Revision) (ApprovalRule, error) {
	own := rev.Blueprint.Approval.meant()
	there, err := s.revisionsThere(ctx, rev.Stack)
	if err != nil {
		return own, err
	}
	rule := own
	for _, number := range there {
		at, err := s.outline(ctx, rev.Stack, number)
		if err != nil {
			return own, err
		}
		rule = Stricter(rule, at.Blueprint.Approval.meant())
	}
	if !reflect.DeepEqual(rule, own) {
		rule.AutoApprove = AutoNever
	}
	return rule, nil
}

// revisionsThere lists the revision that the stack is applied at and those that
// parts of it are at.
func (s *Runs) revisionsThere(ctx context.Context, stack string) ([]int, error) {
	st, err := s.Store.Stack(ctx, stack)
	if err != nil {
		return nil, err
	}
	deployed, err := s.Store.Deployed(ctx, stack)
	if err != nil {
		return nil, err
	}
	there := distinct(deployed)
	if st.Applied > 0 && !slices.Contains(there, st.Applied) {
		there = append(there, st.Applied)
	}
	return there, nil
}

// distinct gives the values of m, each once, in order.
func distinct(m map[string]int) []int {
	return slices.Compact(slices.Sorted(maps.Values(m)))
}

// distinctNames gives the names of all lists, each once, in order.
func distinctNames(lists ...[]string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(lists...))))
}
