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
	// AutoApprove stands in for the stack's own rule; empty to keep that. Only
	// the engine sets it, for remediation.
	AutoApprove AutoApprove
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
		ID: NewID("run", at), Stack: req.Stack, Revision: rev.Number, Kind: req.Kind, Trigger: req.Trigger, Origin: req.Origin,
		Status: RunPending, StartedBy: p.User, Message: req.Message, Rule: rev.Blueprint.Approval, CreatedAt: at,
		Partial: len(req.Only) > 0 || req.Resources.RefreshOnly, Resources: req.Resources,
	}
	if r.Trigger == "" {
		r.Trigger = TriggerManual
	}
	if req.AutoApprove != "" {
		r.Rule.AutoApprove = req.AutoApprove
	}
	if req.Kind == RunDrift { // is of what is deployed, whatever was submitted since
		r.Revision = newest(parts)
	}
	for i, c := range parts {
		r.Steps = append(r.Steps, &Step{
			ID: NewID("step", at), Run: r.ID, Position: i, Component: c.Component, Needs: c.needs,
			Revision: c.revision, Destroy: c.destroy, Status: StepWaiting,
		})
	}
	r.event("run.start", p.User, at, map[string]any{"kind": req.Kind, "revision": r.Revision, "trigger": r.Trigger, "message": req.Message})
	return r
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

// protect refuses to take away a component that says so.
func protect(parts []placed) error {
	for _, part := range parts {
		if part.destroy && part.PreventDestroy {
			return Conflict("%s is protected: revision %d has prevent_destroy = true for it. Submit a revision that has it without, or leave it out with: --only", part.Address, part.revision)
		}
	}
	return nil
}

// destroyParts lists what has to be taken down, the other way round: each
// component needs those that need it to be gone first. A playbook without a
// decommission play has nothing to do, and its place in the order is kept by
// those around it.
func destroyParts(bp *Blueprint, revision int) []placed {
	var parts []placed
	for _, c := range slices.Backward(bp.Components) {
		if takesDown(c) {
			parts = append(parts, placed{Component: c, revision: revision, destroy: true, needs: dependents(bp, c.Address)})
		}
	}
	return parts
}

func takesDown(c Component) bool { return c.Kind == KindTerraform || c.OnDestroy }

// dependents names the components that need the one at address, looking
// through those that have nothing to take down.
func dependents(bp *Blueprint, address string) []string {
	var names []string
	for _, c := range bp.Components {
		switch {
		case !slices.Contains(c.Needs, address):
		case takesDown(c):
			names = append(names, c.Address)
		default:
			names = append(names, dependents(bp, c.Address)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// orphanParts lists the components of an older revision that the stack no
// longer has, to be destroyed once nothing that stays needs them.
func orphanParts(bp *Blueprint, old *Blueprint, revision int, addresses []string) []placed {
	var parts []placed
	for _, part := range destroyParts(old, revision) {
		if slices.Contains(addresses, part.Address) && bp.Component(part.Address) == nil {
			parts = append(parts, part)
		}
	}
	return parts
}
