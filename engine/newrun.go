package engine

import (
	"slices"
	"time"
)

// StartRequest says what run somebody wants.
type StartRequest struct {
	Stack    string
	Kind     RunKind
	Revision int // 0 for the newest
	Message  string
	Trigger  Trigger // empty for TriggerManual
	Origin   string  // what this one follows from, as in Run; empty for nothing
	// Only names the components that are wanted; empty for all.
	Only []string
	// Resources are what of the components is to be replaced, or alone is meant.
	Resources ResourceChoice
	// AutoApprove stands in for what the stack itself says of that; empty to keep
	// it. Only the engine sets it, for remediation.
	AutoApprove AutoApprove

	starters []string // who is behind it beside the principal
	after    string   // the newest run of the stack, which this one comes after
}

// chosen reports whether a part of the stack only is wanted.
func (r StartRequest) chosen() bool {
	return len(r.Only) > 0 || r.Resources.RefreshOnly || len(r.Resources.Target) > 0
}

// placed is a component with the revision that its sources come from.
type placed struct {
	Component
	revision int
	destroy  bool
	needs    []string
}

// newRun makes a run of the components, in their order.
func newRun(req StartRequest, p Principal, rev *Revision, parts []placed, at time.Time) *Run {
	r := &Run{
		ID: NewID("run", after(req.after, at)), Stack: req.Stack, Revision: rev.Number, Kind: req.Kind, Trigger: req.Trigger, Origin: req.Origin,
		Status: RunPending, StartedBy: p.User, Starters: distinctNames(req.starters), Message: req.Message, Rule: rev.Blueprint.Approval, CreatedAt: at,
		Partial: req.chosen(), Resources: req.Resources,
	}
	if r.Trigger == "" {
		r.Trigger = TriggerManual
	}
	if req.Kind == RunDrift { // is of what is deployed, whatever was submitted since
		r.Revision = newest(parts)
	}
	r.take(parts)
	r.note(newEvent(at, p.User, "run.start", r.Stack, r.ID, map[string]any{"kind": req.Kind, "revision": r.Revision, "trigger": r.Trigger, "message": req.Message}).
		changing(nil, map[string]any{"status": r.Status}))
	return r
}

// take gives the run a step for each part, in place of those that it had.
func (r *Run) take(parts []placed) {
	r.Steps = nil
	for i, c := range parts {
		r.Steps = append(r.Steps, &Step{
			ID: NewID("step", idTime(r.ID)), Run: r.ID, Position: i, Component: c.Component, Needs: c.needs,
			Revision: c.revision, Destroy: c.destroy, Status: StepWaiting,
		})
	}
}

// wish is what was asked for when a run was started that is still pending.
func (r *Run) wish() StartRequest {
	req := StartRequest{Stack: r.Stack, Kind: r.Kind, Revision: r.Revision, Trigger: r.Trigger, Resources: r.Resources}
	if r.Partial {
		req.Only = r.addresses(func(*Step) bool { return true })
	}
	return req
}

// newest gives the highest of the revisions that parts are at.
func newest(parts []placed) (revision int) {
	for _, part := range parts {
		revision = max(revision, part.revision)
	}
	return revision
}

// applyParts lists the components of the blueprint in the order of the graph.
func applyParts(bp *Blueprint, revision int) []placed {
	parts := make([]placed, len(bp.Components))
	for i, c := range bp.Components {
		parts[i] = placed{Component: c, revision: revision, needs: c.Needs}
	}
	return parts
}

// deployedParts lists the components that are at the revision. A playbook that
// is not taken down by a play of its own went with what it rests on.
func deployedParts(rev *Revision, deployed map[string]int) (parts []placed) {
	gone := func(address string) bool { return deployed[address] == 0 }
	for _, part := range applyParts(&rev.Blueprint, rev.Number) {
		if deployed[part.Address] == rev.Number && (takesDown(part.Component) || !slices.ContainsFunc(part.needs, gone)) {
			parts = append(parts, part)
		}
	}
	return parts
}

// destroyParts lists what of the blueprint has to be taken down, the other way
// round. A playbook without a decommission play has nothing to do.
func destroyParts(bp *Blueprint, revision int) (parts []placed) {
	for _, c := range slices.Backward(bp.Components) {
		if takesDown(c) {
			parts = append(parts, placed{Component: c, revision: revision, destroy: true})
		}
	}
	return parts
}

func takesDown(c Component) bool { return c.Kind == KindTerraform || c.OnDestroy }

// afterDependents makes each part that is taken down need those that rest on
// it, so that they go first, or are changed first so that they no longer do.
func afterDependents(parts []placed, needs map[string][]string) []placed {
	dependents := map[string][]string{}
	for address, list := range needs {
		for _, need := range list {
			dependents[need] = append(dependents[need], address)
		}
	}
	inRun := addressSet(parts)
	for i, part := range parts {
		if part.destroy {
			parts[i].needs = resting(part.Address, dependents, inRun)
		}
	}
	return parts
}

// resting names the parts that rest on the component at address, directly or
// through components that have no part in the run.
func resting(address string, dependents map[string][]string, inRun map[string]bool) (names []string) {
	seen := map[string]bool{address: true}
	for look := []string{address}; len(look) > 0; look = look[1:] {
		for _, name := range dependents[look[0]] {
			switch {
			case seen[name]:
			case inRun[name]:
				names = append(names, name)
			default:
				look = append(look, name)
			}
			seen[name] = true
		}
	}
	slices.Sort(names)
	return names
}

// inOrder sorts parts so that each follows what it needs, and leaves them as
// they are otherwise. Where components of different revisions need each other
// in a circle, the first of them goes ahead.
func inOrder(parts []placed) []placed {
	waiting := addressSet(parts)
	waits := func(address string) bool { return waiting[address] }
	sorted := make([]placed, 0, len(parts))
	for len(parts) > 0 {
		var later []placed
		for _, part := range parts {
			if slices.ContainsFunc(part.needs, waits) {
				later = append(later, part)
				continue
			}
			delete(waiting, part.Address)
			sorted = append(sorted, part)
		}
		if len(later) == len(parts) {
			later[0].needs = slices.DeleteFunc(slices.Clone(later[0].needs), waits)
		}
		parts = later
	}
	return sorted
}

func addressSet(parts []placed) map[string]bool {
	set := make(map[string]bool, len(parts))
	for _, part := range parts {
		set[part.Address] = true
	}
	return set
}
