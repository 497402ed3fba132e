package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// standing is what is there of a stack, as a run of one of its revisions sees it.
type standing struct {
	deployed map[string]int // revision that each component is at
	// states has the components whose state holds resources. Those that the run's
	// revision does not have come with the revision that their state is of; the
	// others, and states that no run ever had to do with, with 0.
	states map[string]int
	// revisions are those above and that of the run, without sources; 0 is the newest.
	revisions map[int]*Revision
}

// standing reads what is there.
func (s *Runs) standing(ctx context.Context, rev *Revision) (t standing, err error) {
	if t.deployed, err = s.Store.Deployed(ctx, rev.Stack); err != nil {
		return t, err
	}
	if t.states, err = s.filledStates(ctx, rev, t.deployed); err != nil {
		return t, err
	}
	t.revisions = map[int]*Revision{rev.Number: rev}
	for _, number := range slices.Concat([]int{0}, distinct(t.deployed), distinct(t.states)) {
		if t.revisions[number] != nil {
			continue
		}
		if t.revisions[number], err = s.outline(ctx, rev.Stack, number); err != nil {
			return t, err
		}
	}
	return t, nil
}

// outline reads a revision, 0 for the newest, without its sources.
func (s *Runs) outline(ctx context.Context, stack string, number int) (*Revision, error) {
	page := Page{Limit: 1}
	if number > 0 {
		page.After = strconv.Itoa(number + 1)
	}
	revs, err := s.Store.Revisions(ctx, stack, page)
	if err != nil {
		return nil, err
	}
	if len(revs) == 0 || number > 0 && revs[0].Number != number {
		return nil, NotFound("stack %q has no revision %d", stack, number)
	}
	return revs[0], nil
}

func (s *Runs) filledStates(ctx context.Context, rev *Revision, deployed map[string]int) (map[string]int, error) {
	states, err := s.Store.LatestStates(ctx, rev.Stack)
	if err != nil {
		return nil, err
	}
	filled := map[string]int{}
	for _, v := range states {
		if v.Resources == 0 {
			continue
		}
		filled[v.Component] = 0
		if rev.Blueprint.Component(v.Component) == nil {
			if filled[v.Component], err = s.writtenAt(ctx, v, deployed); err != nil {
				return nil, err
			}
		}
	}
	return filled, nil
}

// writtenAt gives the revision that a state is of: where a person restored or
// edited it, that which the component is at. It is 0 for a state that no run
// ever had to do with.
func (s *Runs) writtenAt(ctx context.Context, v *StateVersion, deployed map[string]int) (int, error) {
	if v.Run == "" {
		return deployed[v.Component], nil
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

// parts lists what a run over the whole stack takes in hand, each part after
// what it needs.
func (t standing) parts(kind RunKind, rev *Revision) ([]placed, error) {
	var parts []placed
	switch kind {
	case RunApply, RunPreview:
		parts = append(applyParts(&rev.Blueprint, rev.Number), t.orphans(&rev.Blueprint)...)
	case RunDestroy:
		parts = append(t.orphans(&rev.Blueprint), destroyParts(&rev.Blueprint, rev.Number)...)
	default:
		return nil, Invalid("a run is apply, destroy, preview or drift, not %q", kind)
	}
	return inOrder(afterDependents(parts, t.needs(&rev.Blueprint))), nil
}

// orphans lists what there is to take down of components that the blueprint
// does not have.
func (t standing) orphans(bp *Blueprint) (parts []placed) {
	at := map[string]int{}
	maps.Copy(at, t.deployed)
	maps.Copy(at, t.states)
	for _, address := range slices.Sorted(maps.Keys(at)) {
		if bp.Component(address) != nil {
			continue
		}
		c := t.component(address, at[address])
		if c != nil && (c.OnDestroy || t.states[address] > 0) {
			parts = append(parts, placed{Component: *c, revision: at[address], destroy: true})
		}
	}
	return parts
}

// component gives a component as a revision has it, or nil.
func (t standing) component(address string, revision int) *Component {
	if revision == 0 {
		return nil
	}
	return t.revisions[revision].Blueprint.Component(address)
}

// needs tells what each component rests on: as it is there, or else as the
// blueprint has it.
func (t standing) needs(bp *Blueprint) map[string][]string {
	needs := map[string][]string{}
	for _, at := range []map[string]int{t.deployed, t.states} {
		for address, revision := range at {
			if c := t.component(address, revision); c != nil {
				needs[address] = append(needs[address], c.Needs...)
			}
		}
	}
	for _, c := range bp.Components {
		if _, there := needs[c.Address]; !there {
			needs[c.Address] = c.Needs
		}
	}
	return needs
}

// protect refuses to take away a component where the revision that it is at,
// the one it would be destroyed with or the newest says so.
func (t standing) protect(parts []placed) error {
	for _, part := range parts {
		for _, number := range []int{t.deployed[part.Address], part.revision, 0} {
			rev := t.revisions[number]
			if c := rev.Blueprint.Component(part.Address); part.destroy && c != nil && c.PreventDestroy {
				return Conflict("%s is protected: revision %d has prevent_destroy = true for it. Apply a revision that has it without, or leave it out with: --only", part.Address, rev.Number)
			}
		}
	}
	return nil
}

// leaves reports whether the stack as a whole will not be at the run's revision,
// or not be gone, once the run has done all it is for.
func (t standing) leaves(req StartRequest, all, kept []placed) bool {
	if req.Resources.RefreshOnly || len(req.Resources.Target) > 0 {
		return true
	}
	taken := addressSet(kept)
	return slices.ContainsFunc(all, func(p placed) bool { return !taken[p.Address] && !t.asMeant(p) })
}

// asMeant reports whether a component is already as a part of a run is to make it.
func (t standing) asMeant(p placed) bool {
	if p.destroy {
		_, filled := t.states[p.Address]
		return t.deployed[p.Address] == 0 && !filled
	}
	return t.deployed[p.Address] == p.revision
}
