package store_test

import (
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func TestRevisionsOfWhichAnApplyHasBegun(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		begun := func(want ...int) {
			t.Helper()
			wantEqual(t, got(s.Begun(t.Context(), "shop"))(t), want)
		}
		add := func(revision int, status engine.RunStatus, partial bool, ago time.Duration, applying bool) {
			r := newRun("shop", engine.RunApply, noon.Add(-ago))
			r.Revision, r.Status, r.Partial = revision, status, partial
			if applying {
				r.ApplyingAt = r.CreatedAt
			}
			must(t, s.CreateRun(t.Context(), r))
		}
		begun()
		add(1, engine.RunFailed, false, 9*time.Hour, true)
		add(2, engine.RunFailed, false, 8*time.Hour, false) // its plan
		begun(1)
		add(3, engine.RunSucceeded, true, 7*time.Hour, true)
		add(1, engine.RunInterrupted, false, 6*time.Hour, true)
		begun(1, 3)
		add(4, engine.RunSucceeded, false, 5*time.Hour, true)
		begun()
		add(5, engine.RunFailed, false, 4*time.Hour, true)
		begun(5)
	})
}

func TestDeedsSinceTheStackWasLastApplied(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		revise := func(by string) {
			r := revision("shop")
			r.Author, r.Person = by, "owner of "+by
			must(t, s.AddRevision(t.Context(), r, engine.Beside{}, event("stack.submit", "shop")))
		}
		did := func(action, by, stack, detail string, at time.Time) {
			must(t, s.AddEvent(t.Context(), engine.Event{At: at, Actor: by, Action: action, Stack: stack, Detail: []byte(detail)}))
		}
		revise("ada")
		did("variable.set", "ada", "shop", `{"name":"OLD"}`, noon.Add(-time.Hour))
		ended(t, s, "shop", engine.RunApply, 0)
		revise("bob")
		revise("carl")
		revise("dora")
		did("variable.unset", "eve", "shop", `{"name":"URL","kind":"environment","owner":"gus"}`, noon.Add(time.Hour))
		did("variable.set", "eve", "lab", `{"name":"URL"}`, noon.Add(time.Hour))
		did("variable-set.put", "fred", "", `{"set":"all","stacks":["*"]}`, noon.Add(time.Hour))
		wantEqual(t, got(s.Deeds(t.Context(), "shop", 3, "run-zzz"))(t), []engine.Deed{
			{By: "carl", Person: "owner of carl", Did: "wrote revision 3"}, {By: "bob", Person: "owner of bob", Did: "wrote revision 2"},
			{By: "fred", Did: "changed variable set all", Set: "all", Stacks: []string{"*"}}, {By: "eve", Person: "gus", Did: "unset variable URL"},
		})
		wantEqual(t, got(s.Deeds(t.Context(), "shop", 1, "run-zzz"))(t)[0], engine.Deed{By: "ada", Person: "owner of ada", Did: "wrote revision 1"}) // gone back to
		wantEqual(t, len(got(s.Deeds(t.Context(), "shop", 1, "run-0"))(t)), 4)                                                                       // before it was applied
	})
}

// Who set a variable was once nobody's author once the log of it was removed.
func TestDeedsOutliveTheLogOfThem(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		other := event("other", "")
		v := &engine.Variable{Stack: "shop", Kind: engine.VariableEnvironment, Name: "URL", Value: "x", UpdatedBy: "eve", UpdatedAt: noon}
		must(t, s.PutVariable(t.Context(), v, other))
		must(t, s.PutVariableSet(t.Context(), &engine.VariableSet{Name: "all", Stacks: []string{"*"}, UpdatedBy: "fred", UpdatedAt: noon}, other))
		must(t, s.SetShared(t.Context(), "all", v, other))
		want := []engine.Deed{
			{By: "eve", Did: "set variable URL"}, {By: "fred", Did: "changed variable set all", Set: "all"}, {By: "eve", Did: "set variable URL of set all", Set: "all"},
		}
		wantEqual(t, got(s.Deeds(t.Context(), "shop", 1, "run-zzz"))(t), want)
		told := event("variable.set", "shop")
		told.Actor, told.Detail = "eve", []byte(`{"name":"URL","owner":"gus"}`)
		must(t, s.AddEvent(t.Context(), told))
		want[0].Person = "gus"
		wantEqual(t, got(s.Deeds(t.Context(), "shop", 1, "run-zzz"))(t), want)
		newer := ended(t, s, "shop", engine.RunApply, -time.Hour)
		wantEqual(t, len(got(s.Deeds(t.Context(), "shop", 0, newer.ID+"z"))(t)), 0)
	})
}
