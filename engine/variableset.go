package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"path"
	"slices"
	"time"
)

// VariableSet is values that several stacks share.
type VariableSet struct {
	Name        string
	Description string
	// Stacks are names of stacks, or patterns such as "payments-*", that it is
	// for: of its own project, which they need not name. A * stands for any
	// characters, a ? for one.
	Stacks    []string
	Variables []*Variable // their Stack is empty
	UpdatedBy string
	UpdatedAt time.Time
}

// covers reports whether the set is for the stack.
func (v *VariableSet) covers(stack string) bool {
	project := ProjectOf(v.Name)
	return ProjectOf(stack) == project && slices.ContainsFunc(v.Stacks, func(pattern string) bool {
		ok, err := path.Match(InProject(project, pattern), stack)
		return ok && err == nil
	})
}

// leaves lists the stacks and patterns that the set is no longer for once it is
// as next. A set that there is not leaves none.
func (v *VariableSet) leaves(next *VariableSet) []string {
	if v == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(v.Stacks), func(s string) bool { return slices.Contains(next.Stacks, s) })
}

func (v *VariableSet) check() error {
	for _, pattern := range v.Stacks {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return Invalid("%q is no name of a stack and no pattern; write one such as payments or payments-*", pattern)
		}
	}
	return nil
}

// Revised is what a change of a variable set did to one stack.
type Revised struct {
	Stack    string
	Revision int   // that it made; 0 where it could not
	Err      error // why
}

// PutVariableSet makes a set, or changes which stacks it is for. What they get
// from it comes with their next revision.
func (s *Stacks) PutVariableSet(ctx context.Context, p Principal, v *VariableSet) error {
	if err := p.Check(MayWriteCredentials, ProjectScope(ProjectOf(v.Name))); err != nil {
		return err
	}
	if err := v.check(); err != nil {
		return err
	}
	if err := checkPlace(ctx, s.Store, "variable set", v.Name); err != nil {
		return err
	}
	v.UpdatedBy, v.UpdatedAt = p.User, s.Now()
	e := s.setEvent(p, "variable-set.put", v.Name, nil)
	return s.Store.PutVariableSet(ctx, v, completing(e, func(e Event, before *VariableSet) Event {
		detail := map[string]any{"set": v.Name, "stacks": v.Stacks}
		if left := before.leaves(v); len(left) > 0 {
			detail["left"] = left
		}
		e.Detail = plainJSON(detail)
		return e.changing(before.told(), v.told())
	}))
}

// DeleteVariableSet removes a set. Values that revisions have of it stay there.
func (s *Stacks) DeleteVariableSet(ctx context.Context, p Principal, name string) error {
	e := s.setEvent(p, "variable-set.delete", name, nil)
	return s.Store.DeleteVariableSet(ctx, name, completing(e, func(e Event, before *VariableSet) Event {
		detail := map[string]any{"set": name}
		if before != nil { // who takes values away from stacks is an author of what they are planned with
			detail["stacks"] = before.Stacks
		}
		e.Detail = plainJSON(detail)
		return e.changing(before.told(), nil)
	}))
}

func (s *Stacks) setEvent(p Principal, action, set string, detail map[string]any) Event {
	return newEvent(s.Now(), p.User, action, "", set, detail).in(ProjectOf(set))
}

// SetShared keeps a value in a set, and makes a new revision of each stack that
// has its value from there. A stack for which that cannot be done says why, and
// stays as it is.
func (s *Stacks) SetShared(ctx context.Context, p Principal, set string, v *Variable) ([]Revised, error) {
	if err := v.check(); err != nil {
		return nil, err
	}
	v.UpdatedBy, v.UpdatedAt = p.User, s.Now()
	e := s.setEvent(p, "variable-set.set", set, map[string]any{"set": set, "name": v.Name, "kind": v.Kind, "secret": v.Secret})
	return s.share(ctx, p, set, v, func(note func(*Variable)) error {
		return s.Store.SetShared(ctx, set, v, replacing(e, func(before *Variable) (was, is map[string]any) {
			note(before)
			return toldChange(before, v, v.Kind == VariableInput)
		}))
	})
}

// UnsetShared forgets a value of a set, and makes new revisions like SetShared.
func (s *Stacks) UnsetShared(ctx context.Context, p Principal, set string, kind VariableKind, name string) ([]Revised, error) {
	e := s.setEvent(p, "variable-set.unset", set, map[string]any{"set": set, "name": name, "kind": kind})
	v := &Variable{Kind: kind, Name: name}
	return s.share(ctx, p, set, v, func(note func(*Variable)) error {
		return s.Store.UnsetShared(ctx, set, kind, name, replacing(e, func(before *Variable) (was, is map[string]any) {
			note(before)
			return toldChange(before, nil, kind == VariableInput)
		}))
	})
}

// share writes a value of a set, which notes what it replaces, and revises the
// stacks that had that.
func (s *Stacks) share(ctx context.Context, p Principal, name string, v *Variable, write func(note func(*Variable)) error) ([]Revised, error) {
	set, err := s.Store.VariableSet(ctx, name)
	if err != nil {
		return nil, err
	}
	var was json.RawMessage
	note := func(before *Variable) {
		if before != nil {
			was = json.RawMessage(before.Value.Reveal())
		}
	}
	if err := write(note); err != nil || v.Kind == VariableEnvironment {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx) // nobody would revise the rest for a caller who is gone
	var done []Revised
	for after := ""; ; {
		stacks, err := s.Store.Stacks(ctx, Page{After: after, Limit: sweepBatch})
		if err != nil {
			return done, err
		}
		for _, stack := range stacks {
			after = stack.Name
			if r, touched := s.reviseShared(ctx, p, set, stack, v, was); touched {
				done = append(done, r)
			}
		}
		if len(stacks) < sweepBatch {
			return done, nil
		}
	}
}

// shareTries is how often a stack is revised anew that others revise meanwhile.
const shareTries = 5

// reviseShared makes a new revision of a stack whose newest has its value from
// the set. A value of the stack's own, or one given with the revision, stays.
func (s *Stacks) reviseShared(ctx context.Context, p Principal, set *VariableSet, stack *Stack, v *Variable, was json.RawMessage) (Revised, bool) {
	if stack.Latest == 0 || !set.covers(stack.Name) {
		return Revised{}, false
	}
	done := Revised{Stack: stack.Name}
	rev, err := s.withShared(ctx, p, set, stack.Name, v, was)
	for tries := 1; errors.Is(err, ErrConflict) && tries < shareTries; tries++ { // with what was submitted meanwhile
		rev, err = s.withShared(ctx, p, set, stack.Name, v, was)
	}
	if err == nil && rev == nil {
		return done, false
	}
	if done.Err = err; err == nil {
		done.Revision = rev.Number
		s.ringSubmitted()
	}
	return done, true
}

func (s *Stacks) withShared(ctx context.Context, p Principal, set *VariableSet, name string, v *Variable, was json.RawMessage) (*Revision, error) {
	stack, err := s.Store.Stack(ctx, name)
	if err != nil {
		return nil, err
	}
	last, err := s.Store.Revision(ctx, name, stack.Latest)
	if err != nil {
		return nil, err
	}
	outline, err := s.Compiler.Outline(last.Sources)
	if err != nil {
		return nil, err
	}
	if _, declared := outline.Variables[v.Name]; !declared || last.Variables[v.Name] != nil && !bytes.Equal(last.Variables[v.Name], was) {
		return nil, nil
	}
	own, err := s.Store.Variables(ctx, name, Everything())
	if err != nil || slices.ContainsFunc(own, func(o *Variable) bool { return o.Kind == v.Kind && o.Name == v.Name }) {
		return nil, err
	}
	values := maps.Clone(last.Variables)
	if values == nil {
		values = map[string]json.RawMessage{}
	}
	if delete(values, v.Name); v.Value != "" {
		fitting := *v
		fitting.Stack = name
		if err := fitting.fits(outline); err != nil {
			return nil, err
		}
		values[v.Name] = json.RawMessage(v.Value.Reveal())
	}
	sub := Submission{Stack: name, Sources: last.Sources, Variables: values, Message: "variable " + v.Name + " of set " + set.Name}
	rev, with, err := s.compile(ctx, p, sub, Pins{Keep: true})
	if err != nil {
		return nil, err
	}
	with.After = last.Number
	return rev, s.Store.AddRevision(ctx, rev, with, s.submitted(p, rev))
}

// shelf is what is kept for a stack.
type shelf struct {
	own   []*Variable
	sets  []*Variable // that it has from sets
	twice []twin
}

// twin is a variable that a stack has from two sets: neither could be said to win.
type twin struct {
	*Variable
	err error // says which
}

// kept reads what is kept for a stack.
func kept(ctx context.Context, store VariableStore, stack string) (shelf, error) {
	own, err := store.Variables(ctx, stack, Everything())
	if err != nil {
		return shelf{}, err
	}
	sets, err := store.VariableSets(ctx, Everything())
	if err != nil {
		return shelf{}, err
	}
	k := shelf{own: own}
	from := map[string]string{}
	for _, set := range sets {
		if set.covers(stack) {
			k.add(set, stack, from)
		}
	}
	return k, nil
}

// add puts the variables of a set on the shelf; from notes which set each is of.
func (k *shelf) add(set *VariableSet, stack string, from map[string]string) {
	for _, v := range set.Variables {
		key := string(v.Kind) + " " + v.Name
		if before, twice := from[key]; twice {
			k.twice = append(k.twice, twin{v, Invalid("stack %s has variable %s from two sets, %s and %s; take it out of one of them", stack, v.Name, before, set.Name)})
			continue
		}
		from[key] = set.Name
		own := *v
		own.Stack = stack
		k.sets = append(k.sets, &own)
	}
}

// clash is what keeps the variables from being used at all.
func (k shelf) clash() error {
	if len(k.twice) == 0 {
		return nil
	}
	return k.twice[0].err
}

// all are the stack's own variables, and those of sets that it has none of its
// own for.
func (k shelf) all() []*Variable {
	all := slices.Clone(k.own)
	for _, v := range k.sets {
		if !slices.ContainsFunc(k.own, func(o *Variable) bool { return o.Kind == v.Kind && o.Name == v.Name }) {
			all = append(all, v)
		}
	}
	return all
}
