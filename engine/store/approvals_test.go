package store_test

import (
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func TestApprovalsAreKeptInOrderAndOnceAPerson(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		r := planned("shop", noon, "d1")
		r.Rule.Approvals = 3
		must(t, s.CreateRun(t.Context(), r))
		for _, name := range []string{"zoe", "bob"} {
			got(s.UpdateRun(t.Context(), r.ID, func(r *engine.Run) error {
				return r.Approve(engine.Principal{User: name, Rights: engine.Everywhere(engine.RoleApprover)}, "d1", "fine", noon)
			}))(t)
		}
		r = got(s.Run(t.Context(), r.ID))(t)
		wantEqual(t, []string{r.Approvals[0].By, r.Approvals[1].By}, []string{"zoe", "bob"})
		wantEqual(t, actions(t, s, "shop"), []string{"stack.create", "run.approve", "run.approve"})

		_, err := s.UpdateRun(t.Context(), r.ID, func(r *engine.Run) error {
			r.Approvals = append(r.Approvals, r.Approvals[0])
			return nil
		})
		wantKind(t, err, engine.ErrConflict)
	})
}
