package store_test

import (
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func TestNextPendingIsTheOldestChangingRun(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		newStack(t, s, "shop")
		wantEqual(t, got(s.NextPending(ctx, "shop"))(t), "")
		wantEqual(t, got(s.ActiveRun(ctx, "shop"))(t), "")
		must(t, s.CreateRun(ctx, newRun("shop", engine.RunPreview, noon.Add(-time.Hour))))
		wantEqual(t, len(got(s.PendingStacks(ctx, 9))(t)), 0)
		for i := range 3 {
			must(t, s.CreateRun(ctx, newRun("shop", engine.RunApply, noon.Add(time.Duration(3-i)*time.Minute))))
		}
		oldest := got(s.Runs(ctx, engine.RunFilter{Kind: engine.RunApply}, engine.Page{}))(t)[2]
		wantEqual(t, got(s.NextPending(ctx, "shop"))(t), oldest.ID)
		wantEqual(t, got(s.PendingStacks(ctx, 9))(t), []string{"shop"})

		got(s.UpdateRun(ctx, oldest.ID, func(r *engine.Run) error { return r.Begin(noon) }))(t)
		wantEqual(t, got(s.NextPending(ctx, "shop"))(t), "")
		wantEqual(t, len(got(s.PendingStacks(ctx, 9))(t)), 0)
		wantEqual(t, got(s.ActiveRun(ctx, "shop"))(t), oldest.ID)
	})
}

func TestNoRunBeginsBeforeThoseThatWait(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		newStack(t, s, "shop")
		wantEqual(t, got(s.NewestRun(ctx, "shop"))(t), "")
		waits := newRun("shop", engine.RunApply, noon)
		must(t, s.CreateRun(ctx, waits))
		wantKind(t, s.CreateRun(ctx, begun(t, "shop", engine.RunApply, noon.Add(time.Second))), engine.ErrConflict)
		must(t, s.CreateRun(ctx, newRun("shop", engine.RunApply, noon.Add(-time.Second))))
		wantEqual(t, got(s.NewestRun(ctx, "shop"))(t), waits.ID)
		preview := begun(t, "shop", engine.RunPreview, noon.Add(time.Second))
		must(t, s.CreateRun(ctx, preview))
		wantEqual(t, got(s.NewestRun(ctx, "shop"))(t), preview.ID)
	})
}

func TestStepsOfARunThatWaitsAreReplaced(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		r := newRun("shop", engine.RunApply, noon)
		must(t, s.CreateRun(t.Context(), r))
		other := newRun("shop", engine.RunApply, noon).Steps[1:]
		other[0].Run, other[0].Position = r.ID, 0
		for _, steps := range [][]*engine.Step{other, nil} {
			r = got(s.UpdateRun(t.Context(), r.ID, func(r *engine.Run) error { r.Steps = steps; return nil }))(t)
			wantEqual(t, len(got(s.Run(t.Context(), r.ID))(t).Steps), len(steps))
		}
	})
}
