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
