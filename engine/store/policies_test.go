package store_test

import (
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// policy is one with every field.
func policy(project string) *engine.Policy {
	p := &engine.Policy{}
	new(filler).fill(p)
	p.Project = project
	return p
}

func TestPolicyKeepsEveryFieldAndIsOverItsStacks(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		all, pay := policy(""), policy("pay")
		for _, p := range []*engine.Policy{pay, policy("lab"), all} {
			must(t, s.PutPolicy(t.Context(), p, event("policy.set", "")))
		}
		wantEqual(t, got(s.Policy(t.Context(), "pay"))(t), pay)
		wantEqual(t, got(s.PoliciesOver(t.Context(), "pay.web"))(t), []engine.Policy{*all, *pay})
		wantEqual(t, got(s.PoliciesOver(t.Context(), "web"))(t), []engine.Policy{*all})
		pay.Source = "approval {}"
		must(t, s.PutPolicy(t.Context(), pay, event("policy.set", "")))
		must(t, s.DeletePolicy(t.Context(), "lab", event("policy.delete", "")))
		wantEqual(t, got(s.Policies(t.Context()))(t), []engine.Policy{*all, *pay})
		wantKind(t, s.DeletePolicy(t.Context(), "lab", event("policy.delete", "")), engine.ErrNotFound)
		_, err := s.Policy(t.Context(), "lab")
		wantKind(t, err, engine.ErrNotFound)
		wantEqual(t, actions(t, s, ""), []string{"policy.set", "policy.set", "policy.set", "policy.set", "policy.delete"})
		wantEqual(t, got(s.InProject(t.Context(), "pay"))(t), "its approval rule")
	})
}

func TestRunIsReadWithThePoliciesOverIt(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		r := planned("shop", noon, "d1")
		must(t, s.CreateRun(t.Context(), r))
		must(t, s.PutPolicy(t.Context(), policy(""), event("policy.set", "")))
		wantEqual(t, got(s.Run(t.Context(), r.ID))(t).Policies, []engine.Policy{*policy("")})
		got(s.UpdateRun(t.Context(), r.ID, func(r *engine.Run) error {
			wantEqual(t, r.Policies, []engine.Policy{*policy("")})
			return nil
		}))(t)
	})
}

func TestPlansWhoseFreezeIsOver(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		r := planned("shop", noon, "d1")
		r.ReleaseAt = noon.Add(time.Hour)
		must(t, s.CreateRun(t.Context(), r))
		thawed := func(at time.Time) []string { return got(s.ThawedPlans(t.Context(), at, 10))(t) }
		wantEqual(t, len(thawed(noon.Add(time.Minute))), 0)
		wantEqual(t, thawed(noon.Add(time.Hour)), []string{r.ID})
		e := event("policy.set", "")
		e.At = noon
		must(t, s.PutPolicy(t.Context(), policy(""), e)) // by which the freeze may be over
		wantEqual(t, thawed(noon), []string{r.ID})
		got(s.UpdateRun(t.Context(), r.ID, func(r *engine.Run) error {
			return r.Discard(engine.Principal{User: "zoe"}, "", noon)
		}))(t)
		wantEqual(t, len(thawed(noon.Add(time.Hour))), 0)
	})
}

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
