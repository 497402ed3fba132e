package store_test

import (
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func TestVariableKeepsEveryField(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		newStack(t, s, "lab")
		v := &engine.Variable{}
		new(filler).fill(v)
		v.Stack, v.Kind = "shop", engine.VariableInput
		env := *v
		env.Kind, env.Secret = engine.VariableEnvironment, false
		for _, x := range []*engine.Variable{v, &env} { // of one name
			must(t, s.PutVariable(t.Context(), x, event("variable.set", "shop")))
		}
		wantEqual(t, got(s.Variables(t.Context(), "shop", engine.Page{}))(t), []*engine.Variable{v, &env})
		wantEqual(t, got(s.Variables(t.Context(), "lab", engine.Page{}))(t), []*engine.Variable{})

		v.Value, v.Secret, v.UpdatedBy = "other", false, "zoe"
		must(t, s.PutVariable(t.Context(), v, event("variable.set", "shop")))
		must(t, s.DeleteVariable(t.Context(), "shop", env.Name, env.Kind, event("variable.unset", "shop")))
		wantEqual(t, got(s.Variables(t.Context(), "shop", engine.Page{}))(t), []*engine.Variable{v})
		wantKind(t, s.DeleteVariable(t.Context(), "shop", env.Name, env.Kind, event("variable.unset", "shop")), engine.ErrNotFound)
		wantEqual(t, actions(t, s, "shop"), []string{"stack.create", "variable.set", "variable.set", "variable.set", "variable.unset"})
	})
}

func TestVariableIsKeptWithItsRevisionOrNotAtAll(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		must(t, s.AddRevision(t.Context(), revision("shop"), engine.Beside{}, event("revision.add", "shop")))
		v := &engine.Variable{Stack: "shop", Kind: engine.VariableInput, Name: "size", Value: "1", UpdatedAt: noon}
		revise := func(with engine.Beside) error {
			return s.AddRevision(t.Context(), revision("shop"), with, event("variable.set", "shop"))
		}
		wantKind(t, revise(engine.Beside{After: 2, Keep: v}), engine.ErrConflict) // somebody else was quicker
		wantEqual(t, got(s.Variables(t.Context(), "shop", engine.Page{}))(t), []*engine.Variable{})
		must(t, revise(engine.Beside{After: 1, Keep: v}))
		must(t, revise(engine.Beside{After: 2, Forget: v}))
		wantKind(t, revise(engine.Beside{After: 3, Forget: v}), engine.ErrNotFound)
		wantEqual(t, got(s.Stack(t.Context(), "shop"))(t).Latest, 3)
		wantEqual(t, actions(t, s, "shop"), []string{"revision.add", "variable.set", "variable.set"})
	})
}

func TestRevisionHidesVariablesWithoutChangingTheirValues(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		var want []*engine.Variable
		for _, name := range []string{"a", "b", "c"} {
			v := &engine.Variable{Stack: "shop", Kind: engine.VariableInput, Name: name, Value: "1", UpdatedBy: "ada", UpdatedAt: noon}
			must(t, s.PutVariable(t.Context(), v, event("variable.set", "shop")))
			v.Secret = name != "b"
			want = append(want, v)
		}
		must(t, s.AddRevision(t.Context(), revision("shop"), engine.Beside{Hide: []string{"a", "c", "gone"}}, event("revision.add", "shop")))
		wantEqual(t, got(s.Variables(t.Context(), "shop", engine.Page{}))(t), want)
	})
}
