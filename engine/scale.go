package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Scale is a variable that may be changed on its own, within bounds.
type Scale struct {
	Variable string
	Min, Max int
	Value    int      // in this revision
	Inputs   []string // that are this variable and nothing else, as "terraform.web.count"
}

// ScaleRequest asks for another value of what can be scaled.
type ScaleRequest struct {
	Stack     string
	Component string // whose input is meant; empty where Name is a variable
	Name      string
	Value     int
	Message   string // why
}

// scale finds what the request means.
func (b *Blueprint) scale(req ScaleRequest) (Scale, error) {
	var known []string
	for _, s := range b.Scales {
		if req.Component == "" && s.Variable == req.Name || slices.Contains(s.Inputs, req.Component+"."+req.Name) {
			return s, nil
		}
		known = append(append(known, s.Variable), s.Inputs...)
	}
	if len(known) == 0 {
		return Scale{}, Invalid("nothing of stack %s can be scaled; give a variable a block such as scale { min = 1, max = 10 }, and use it as an input", b.Name)
	}
	name := strings.TrimPrefix(req.Component+"."+req.Name, ".")
	return Scale{}, Invalid("%s of stack %s cannot be scaled; there is %s", name, b.Name, strings.Join(known, ", "))
}

// Scale makes a revision of the newest in which a variable has another value,
// and keeps that value for the stack.
func (s *Stacks) Scale(ctx context.Context, p Principal, req ScaleRequest) (*Revision, error) {
	newest, err := s.Newest(ctx, req.Stack)
	if err != nil {
		return nil, err
	}
	scale, err := newest.scale(req)
	switch {
	case err != nil:
		return nil, err
	case req.Value < scale.Min || req.Value > scale.Max:
		return nil, Invalid("%s goes from %d to %d, not to %d; the bounds stand in its scale block", scale.Variable, scale.Min, scale.Max, req.Value)
	case req.Value == scale.Value:
		return nil, Conflict("%s is %d already", scale.Variable, req.Value)
	}
	stack, err := s.Store.Stack(ctx, req.Stack)
	if err != nil {
		return nil, err
	}
	v := &Variable{Stack: req.Stack, Kind: VariableInput, Name: scale.Variable, Value: Secret(strconv.Itoa(req.Value)), UpdatedBy: p.User, UpdatedAt: s.Now()}
	message := fmt.Sprintf("%s from %d to %d", scale.Variable, scale.Value, req.Value)
	if req.Message != "" {
		message += ": " + req.Message
	}
	event := func() Event {
		return s.event(p, "stack.scale", req.Stack, map[string]any{"variable": scale.Variable, "from": scale.Value, "to": req.Value, "message": req.Message}).
			changing(map[string]any{scale.Variable: scale.Value}, map[string]any{scale.Variable: req.Value})
	}
	return s.revise(ctx, p, stack, v, revision{message: message, event: event}, func(o Outline, values map[string]json.RawMessage) error {
		values[v.Name] = json.RawMessage(v.Value.Reveal())
		return v.fits(o)
	})
}

// ScaleAndRun scales and starts a run of the revision that this makes, under
// the approval rule of the stack.
func ScaleAndRun(ctx context.Context, stacks *Stacks, runs *Runs, p Principal, req ScaleRequest) (*Run, error) {
	if err := p.Check(MayPlan, StackScope(req.Stack)); err != nil { // it takes submit to come this far
		return nil, err
	}
	rev, err := stacks.Scale(ctx, p, req)
	if err != nil {
		return nil, err
	}
	// The value is there to stay: asked for again, it would be refused.
	return runs.Start(context.WithoutCancel(ctx), p, StartRequest{Stack: req.Stack, Kind: RunApply, Revision: rev.Number, Message: rev.Message})
}
