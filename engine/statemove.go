package engine

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
)

// StateEdit is a change of states that touches nothing real.
type StateEdit struct {
	Stack     string
	Component string // that has the resource
	From      string // address of a resource, an instance or a module
	// To is the address that it gets, behind its component and a colon where
	// that is another one: "terraform.web:aws_instance.this[0]". Empty forgets it.
	To     string
	Reason string
	DryRun bool // only say what would be done
}

// StateEdited is what a StateEdit did.
type StateEdited struct {
	Resources []string        // addresses that were moved or forgotten
	Versions  []*StateVersion // that were made
}

// Edit moves resources within a state or into that of another component, or
// forgets them. It makes new versions, all or none. It wraps ErrConflict while
// somebody has a state locked, a run changes the stack or the place is taken.
func (s *States) Edit(ctx context.Context, p Principal, e StateEdit) (*StateEdited, error) {
	from, err := parseAddress(e.From)
	if err != nil {
		return nil, err
	}
	source, err := s.edited(ctx, e.Stack, e.Component)
	if err != nil {
		return nil, err
	}
	taken, err := source.doc.take(from)
	if err != nil {
		return nil, err
	}
	done := &StateEdited{}
	for _, r := range taken {
		for _, i := range r.instances() {
			done.Resources = append(done.Resources, r.address().all()+i.instanceKey())
		}
	}
	files := []*stateEditing{source}
	if e.To != "" {
		if files, err = s.moveTo(ctx, e, source, taken, from); err != nil {
			return nil, err
		}
	}
	return done, s.putEdited(ctx, p, e, files, done)
}

// stateEditing is a component's newest state with its new content.
type stateEditing struct {
	component string
	serial    int64
	lineage   string
	doc       *stateDocument
}

func (s *States) edited(ctx context.Context, stack, component string) (*stateEditing, error) {
	if _, err := s.atRest(ctx, stack, component, ""); err != nil {
		return nil, err
	}
	last, err := s.Store.LatestState(ctx, stack, component)
	if err != nil {
		return nil, err
	}
	doc, err := openState(last.Data)
	return &stateEditing{component, last.Serial, last.Lineage, doc}, err
}

// moveTo puts what was taken where it goes, and returns the states that change.
func (s *States) moveTo(ctx context.Context, e StateEdit, source *stateEditing, taken []stateResource, from resourceAddress) ([]*stateEditing, error) {
	component, address := source.component, e.To
	if strings.HasPrefix(e.To, string(KindTerraform)+".") {
		component, address, _ = strings.Cut(e.To, ":")
	}
	to, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	if from.mode != to.mode || from.kind != to.kind {
		return nil, Invalid("%s cannot become %s: a resource keeps its type, and a module stays a module", from, to)
	}
	if component == source.component {
		if err := source.doc.put(taken, from, to); err != nil {
			return nil, err
		}
		return []*stateEditing{source}, source.doc.follow(from, to)
	}
	target, err := s.target(ctx, e.Stack, component, source.doc)
	if err != nil {
		return nil, err
	}
	return []*stateEditing{source, target}, target.doc.put(taken, from, to)
}

// target is the state of another component of the stack, or its first one.
func (s *States) target(ctx context.Context, stack, component string, like *stateDocument) (*stateEditing, error) {
	target, err := s.edited(ctx, stack, component)
	if !errors.Is(err, ErrNotFound) {
		return target, err
	}
	st, err := s.Store.Stack(ctx, stack)
	if err != nil {
		return nil, err
	}
	rev, err := s.Store.Revision(ctx, stack, st.Latest)
	if err != nil {
		return nil, err
	}
	if c := rev.Blueprint.Component(component); c == nil || c.Kind != KindTerraform {
		return nil, NotFound("stack %s has no Terraform component %q", stack, component)
	}
	doc := &stateDocument{fields: map[string]json.RawMessage{
		"version": json.RawMessage("4"), "terraform_version": like.fields["terraform_version"], "outputs": json.RawMessage("{}"),
	}}
	return &stateEditing{component, 0, newLineage(), doc}, nil
}

// putEdited writes the states, all or none, and notes who did so and why.
func (s *States) putEdited(ctx context.Context, p Principal, e StateEdit, files []*stateEditing, done *StateEdited) error {
	now := s.Now()
	for _, f := range files {
		v, err := f.doc.close(f.serial+1, f.lineage)
		if err != nil {
			return err
		}
		v.ID, v.Stack, v.Component, v.By, v.CreatedAt = NewID("sv", now), e.Stack, f.component, p.User, now
		done.Versions = append(done.Versions, v)
	}
	if e.DryRun {
		return nil
	}
	action := "state.move"
	if e.To == "" {
		action = "state.remove"
	}
	detail := map[string]any{"resources": done.Resources, "from": e.From, "to": e.To, "reason": e.Reason}
	was, is := map[string]any{}, map[string]any{}
	for i, f := range files {
		was[f.component], is[f.component] = map[string]any{"serial": f.serial, "lineage": f.lineage}, done.Versions[i].told()
	}
	put := StatePut{Writer: StateWriter{By: p.User}, Events: []Event{newEvent(now, p.User, action, e.Stack, e.Component, detail).changing(was, is)}}
	return s.Store.PutState(ctx, put, done.Versions...)
}
