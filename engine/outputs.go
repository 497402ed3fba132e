package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
)

// upstream gathers the outputs that the step's inputs refer to: as planned
// where an upstream step has yet to be applied, else as the state has them.
func (s *Runs) upstream(ctx context.Context, run *Run, rev *Revision, step *Step) (map[string]Outputs, error) {
	all := map[string]Outputs{}
	for _, ref := range step.Component.Refs {
		if _, ok := all[ref.Upstream]; ok {
			continue
		}
		var outputs Outputs
		var err error
		if up := rev.Blueprint.Upstream(ref.Upstream); up != nil {
			if step.Phase() == PhasePlan {
				err = s.noteRead(ctx, run, up.Stack)
			}
			if err == nil {
				outputs, err = s.upstreamOutputs(ctx, *up, step)
			}
		} else {
			outputs, err = s.outputs(ctx, run, step, ref.Upstream)
		}
		if err != nil {
			return nil, fmt.Errorf("outputs of %s: %w", ref.Upstream, err)
		}
		all[ref.Upstream] = outputs
	}
	addNulls(all, step.Component.Refs)
	return all, nil
}

// addNulls adds outputs that are null, which Terraform leaves out of a state:
// a component that has outputs at all, or has been applied, has those that are
// referred to, as was checked when the revision was submitted.
func addNulls(all map[string]Outputs, refs []Ref) {
	for _, ref := range refs {
		if outputs := all[ref.Upstream]; outputs != nil {
			if _, ok := outputs[ref.Output]; !ok {
				outputs[ref.Output] = Output{Value: json.RawMessage("null")}
			}
		}
	}
}

func (s *Runs) outputs(ctx context.Context, run *Run, step *Step, upstream string) (Outputs, error) {
	outputs, err := s.stateOutputs(ctx, run.Stack, upstream)
	up := run.Step(upstream)
	if err != nil || up == nil || up.done() || step.Destroy || run.Kind == RunDrift {
		return outputs, err
	}
	var planned Outputs
	b, err := s.Store.Artifact(ctx, up.ID, ArtifactOutputs)
	if errors.Is(err, ErrNotFound) {
		return outputs, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &planned)
	}
	merged := maps.Clone(outputs)
	if merged == nil {
		merged = Outputs{}
	}
	maps.Copy(merged, planned)
	return merged, err
}

// stateOutputs reads a component's outputs from its newest state; nil where
// it has no state.
func (s *Runs) stateOutputs(ctx context.Context, stack, component string) (Outputs, error) {
	v, err := s.Store.LatestState(ctx, stack, component)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return StateOutputs(v.Data)
}

// StackOutputs gives the values of the stack's own outputs as they are now.
func (s *Runs) StackOutputs(ctx context.Context, stack string) (Outputs, error) {
	st, err := s.Store.Stack(ctx, stack)
	if err != nil {
		return nil, err
	}
	if st.Applied == 0 {
		return Outputs{}, nil
	}
	rev, err := s.Store.Revision(ctx, stack, st.Applied)
	if err != nil {
		return nil, err
	}
	all := map[string]Outputs{}
	for _, c := range rev.Blueprint.Components {
		if c.Kind == KindTerraform {
			if all[c.Address], err = s.stateOutputs(ctx, stack, c.Address); err != nil {
				return nil, err
			}
		}
	}
	for _, up := range rev.Blueprint.Upstreams { // never in a circle: that is refused when submitted
		if all[up.Address()], err = s.StackOutputs(ctx, up.Stack); err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	return s.Compiler.Outputs(ctx, rev, all)
}
