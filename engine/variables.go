package engine

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// VariableKind is what a stored variable is for.
type VariableKind string

// The kinds of stored variable.
const (
	VariableInput       VariableKind = "input"       // a value for a variable block of the stack
	VariableEnvironment VariableKind = "environment" // of Terraform and Ansible
)

// Variable is a value that is kept for a stack beside its sources.
type Variable struct {
	Stack     string
	Name      string
	Kind      VariableKind
	Secret    bool
	Value     Secret // JSON for an input, text for the environment
	UpdatedBy string
	UpdatedAt time.Time
}

// Outline is what a bundle says without being checked.
type Outline struct {
	Stack     string                // name
	Variables map[string]bool       // names of variable blocks, and whether each is sensitive
	Blocks    map[string]Diagnostic // where each of them stands, for what is wrong there
}

// mistake is a kept value that the stack cannot take, told where its block is.
func (o Outline) mistake(v *Variable, err error) Diagnostic {
	var d Diagnostic
	if v.Kind == VariableInput {
		d = o.Blocks[v.Name]
	}
	d.Severity, d.Summary, d.Detail = SeverityError, "Kept value does not fit", err.Error()
	return d
}

// SetVariable keeps a value for a stack. One for a variable block makes a new
// revision of the stack's newest, which is returned, so that a value that does
// not fit is refused, and who changed it when is on record; nil where there is
// no revision yet, and for the environment.
func (s *Stacks) SetVariable(ctx context.Context, p Principal, v *Variable) (*Revision, error) {
	stack, err := s.Store.Stack(ctx, v.Stack)
	if err == nil {
		err = v.check()
	}
	if err != nil {
		return nil, err
	}
	v.UpdatedBy, v.UpdatedAt = p.User, s.Now()
	set := func() Event {
		e := s.event(p, "variable.set", v.Stack, map[string]any{"name": v.Name, "kind": v.Kind, "secret": v.Secret})
		return replacing(e, func(before *Variable) (was, is map[string]any) {
			return toldChange(before, v, v.Kind == VariableInput && stack.Latest == 0)
		})
	}
	if v.Kind == VariableEnvironment || stack.Latest == 0 {
		return nil, s.Store.PutVariable(ctx, v, set())
	}
	return s.revise(ctx, p, stack, v, revision{message: "variable " + v.Name + " set", event: set}, func(o Outline, values map[string]json.RawMessage) error {
		v.Secret = v.Secret || o.Variables[v.Name] // what the stack hides is not shown here either
		values[v.Name] = json.RawMessage(v.Value.Reveal())
		return v.fits(o)
	})
}

// UnsetVariable forgets a value that is kept for a stack.
func (s *Stacks) UnsetVariable(ctx context.Context, p Principal, stack, name string, kind VariableKind) (*Revision, error) {
	st, err := s.Store.Stack(ctx, stack)
	if err != nil {
		return nil, err
	}
	unset := func() Event {
		e := s.event(p, "variable.unset", stack, map[string]any{"name": name, "kind": kind})
		return replacing(e, func(before *Variable) (was, is map[string]any) {
			return toldChange(before, nil, kind == VariableInput && st.Latest == 0)
		})
	}
	if kind == VariableEnvironment || st.Latest == 0 {
		return nil, s.Store.DeleteVariable(ctx, stack, name, kind, unset())
	}
	v := &Variable{Stack: stack, Name: name, Kind: kind}
	k, err := kept(ctx, s.Store, stack)
	if err = errors.Join(err, k.clash()); err != nil {
		return nil, err
	}
	return s.revise(ctx, p, st, v, revision{message: "variable " + name + " unset", event: unset, forget: true}, func(_ Outline, values map[string]json.RawMessage) error {
		delete(values, name)
		for _, x := range k.sets { // whose value comes to light again
			if x.Kind == VariableInput && x.Name == name {
				values[name] = json.RawMessage(x.Value.Reveal())
			}
		}
		return nil
	})
}

// revision is why a stack is revised.
type revision struct {
	message string
	event   func() Event
	forget  bool // the variable, not change it
}

// revise makes a new revision of the newest with other values, together with
// the change of the variable that this follows from.
func (s *Stacks) revise(ctx context.Context, p Principal, stack *Stack, v *Variable, why revision, change func(Outline, map[string]json.RawMessage) error) (*Revision, error) {
	last, err := s.Store.Revision(ctx, stack.Name, stack.Latest)
	if err != nil {
		return nil, err
	}
	outline, err := s.Compiler.Outline(last.Sources)
	if err != nil {
		return nil, err
	}
	values := maps.Clone(last.Variables)
	if values == nil {
		values = map[string]json.RawMessage{}
	}
	if err := change(outline, values); err != nil {
		return nil, err
	}
	rev, with, err := s.compile(ctx, p, Submission{Stack: stack.Name, Sources: last.Sources, Variables: values, Message: why.message}, Pins{Keep: true})
	if err != nil {
		return nil, err
	}
	if with.After, with.Keep = last.Number, v; why.forget {
		with.Keep, with.Forget = nil, v
	}
	if err := s.Store.AddRevision(ctx, rev, with, why.event(), s.submitted(p, rev)); err != nil {
		return nil, err
	}
	s.ringSubmitted()
	return rev, nil
}

// keptValues is what a revision takes of the values that are kept for its stack.
type keptValues struct {
	values   map[string]json.RawMessage
	hide     []string    // to be kept as secrets, for their variable has become sensitive
	mistakes Diagnostics // values that the stack cannot take
}

// values goes through what is kept for a stack. What the stack has no variable
// for is left out.
func (k shelf) values(o Outline) keptValues {
	t := keptValues{values: map[string]json.RawMessage{}}
	for _, twin := range k.twice {
		t.mistakes = append(t.mistakes, o.mistake(twin.Variable, twin.err))
	}
	for _, v := range k.all() {
		sensitive, declared := o.Variables[v.Name]
		if !declared || v.Kind != VariableInput {
			continue
		}
		if err := v.fits(o); err != nil {
			t.mistakes = append(t.mistakes, o.mistake(v, err))
		}
		if sensitive && !v.Secret && slices.Contains(k.own, v) {
			t.hide = append(t.hide, v.Name)
		}
		t.values[v.Name] = json.RawMessage(v.Value.Reveal())
	}
	return t
}

// ValueOf takes JSON lists and objects as they are and all else as text, which
// a variable's type then converts.
func ValueOf(text string) json.RawMessage {
	if t := strings.TrimSpace(text); (strings.HasPrefix(t, "[") || strings.HasPrefix(t, "{")) && json.Valid([]byte(t)) {
		return json.RawMessage(t)
	}
	b, err := json.Marshal(text)
	if err != nil {
		return json.RawMessage(`""`) // does not come about: a text always renders
	}
	return b
}

func (v *Variable) check() error {
	switch v.Kind {
	case VariableEnvironment:
		return errors.Join(CheckEnvName(v.Name), checkReference(v.Value))
	case VariableInput:
		if !json.Valid([]byte(v.Value.Reveal())) {
			return Invalid("the value of variable %s is not JSON; a text stands in quotes", v.Name)
		}
		return nil
	}
	return Invalid("a variable is %s or %s, not %q", VariableInput, VariableEnvironment, v.Kind)
}

// fits checks that the stack has the variable, and hides it where it is secret.
func (v *Variable) fits(o Outline) error {
	sensitive, declared := o.Variables[v.Name]
	switch {
	case !declared:
		return Invalid("stack %s has no variable %q; declare it in a variable block first", v.Stack, v.Name)
	case v.Secret && !sensitive:
		return Invalid("variable %q of stack %s is kept as a secret, but the stack would show it: write sensitive = true in its block", v.Name, v.Stack)
	}
	return nil
}

// environment is what a stack's tools get beside their credentials.
func (s *Runs) environment(ctx context.Context, stack string, job *Job) error {
	k, err := kept(ctx, s.Store, stack)
	if err = errors.Join(err, k.clash()); err != nil {
		return err
	}
	for _, v := range k.all() {
		if v.Kind != VariableEnvironment {
			continue
		}
		job.Env[v.Name] = v.Value.Reveal()
		if v.Secret {
			job.Mask = append(job.Mask, v.Value.Reveal())
		}
	}
	var made any = job.Env
	if refs := job.references(); len(refs) > 0 {
		made = []any{job.Env, refs}
	}
	sorted, err := json.Marshal(made) // maps are written in order
	job.Environment = s.Hasher.Fingerprint(sorted)
	return err
}
