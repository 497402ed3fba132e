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
		wantEqual(t, got(s.Variables(t.Context(), "shop"))(t), []*engine.Variable{v, &env})
		wantEqual(t, got(s.Variables(t.Context(), "lab"))(t), []*engine.Variable{})

		v.Value, v.Secret, v.UpdatedBy = "other", false, "zoe"
		must(t, s.PutVariable(t.Context(), v, event("variable.set", "shop")))
		must(t, s.DeleteVariable(t.Context(), "shop", env.Name, env.Kind, event("variable.unset", "shop")))
		wantEqual(t, got(s.Variables(t.Context(), "shop"))(t), []*engine.Variable{v})
		wantKind(t, s.DeleteVariable(t.Context(), "shop", env.Name, env.Kind, event("variable.unset", "shop")), engine.ErrNotFound)
		wantEqual(t, actions(t, s, "shop"), []string{"stack.create", "variable.set", "variable.set", "variable.set", "variable.unset"})
	})
}
