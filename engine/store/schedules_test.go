package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// schedule is a schedule of shop with something in every field.
func schedule(id string) *engine.Schedule {
	sch := &engine.Schedule{}
	new(filler).fill(sch)
	sch.ID, sch.Stack, sch.Name, sch.Kind = id, "shop", "name-"+id, engine.RunDrift
	return sch
}

func TestScheduleKeepsEveryField(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		want := schedule("sch-1")
		must(t, s.PutSchedule(t.Context(), want, event("schedule.put", "shop")))
		wantEqual(t, got(s.Schedule(t.Context(), "sch-1"))(t), want)

		want.Paused, want.Cron, want.LastRunAt = false, "@hourly", time.Time{}
		must(t, s.PutSchedule(t.Context(), want, event("schedule.put", "shop")))
		wantEqual(t, got(s.Schedules(t.Context(), "shop", engine.Page{}))(t), []*engine.Schedule{want})
		wantEqual(t, actions(t, s, "shop"), []string{"stack.create", "schedule.put", "schedule.put"})
	})
}

func TestScheduleNameIsTakenOnceInItsStack(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		must(t, s.PutSchedule(t.Context(), schedule("sch-1"), event("schedule.put", "shop")))
		second := schedule("sch-2")
		second.Name = "name-sch-1"
		wantKind(t, s.PutSchedule(t.Context(), second, event("schedule.put", "shop")), engine.ErrConflict)
	})
}

func TestScheduleIsDeletedOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		must(t, s.PutSchedule(t.Context(), schedule("sch-1"), event("schedule.put", "shop")))
		must(t, s.DeleteSchedule(t.Context(), "sch-1", event("schedule.delete", "shop")))
		_, err := s.Schedule(t.Context(), "sch-1")
		wantKind(t, err, engine.ErrNotFound)
		wantKind(t, s.DeleteSchedule(t.Context(), "sch-1", event("schedule.delete", "shop")), engine.ErrNotFound)
	})
}

func TestDueSchedules(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		newStack(t, s, "shop")
		wantEqual(t, got(s.NextDue(ctx))(t), time.Time{})
		for id, sch := range map[string]engine.Schedule{
			"later":  {NextRunAt: noon.Add(2 * time.Minute)},
			"sooner": {NextRunAt: noon.Add(time.Minute)},
			"paused": {NextRunAt: noon, Paused: true},
		} {
			next := schedule(id)
			next.NextRunAt, next.Paused = sch.NextRunAt, sch.Paused
			must(t, s.PutSchedule(ctx, next, event("schedule.put", "shop")))
		}
		wantEqual(t, got(s.NextDue(ctx))(t), noon.Add(time.Minute))
		wantEqual(t, due(t, s, noon.Add(time.Minute-1000), 9), []string(nil))
		wantEqual(t, due(t, s, noon.Add(time.Minute), 9), []string{"sooner"})
		wantEqual(t, due(t, s, noon.Add(time.Hour), 9), []string{"sooner", "later"})
		wantEqual(t, due(t, s, noon.Add(time.Hour), 1), []string{"sooner"})
	})
}

func due(t testing.TB, s *store.Store, at time.Time, limit int) (ids []string) {
	t.Helper()
	for _, sch := range got(s.DueSchedules(t.Context(), at, limit))(t) {
		ids = append(ids, sch.ID)
	}
	return ids
}

func TestScheduleIsMovedOnByOneOfMany(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		sch := schedule("sch-1")
		sch.Paused, sch.NextRunAt = false, noon
		must(t, s.PutSchedule(t.Context(), sch, event("schedule.put", "shop")))
		next, errs := noon.Add(time.Hour), make(chan error, 8)
		for i := range 8 { // each has another run, of which one is kept
			go func() {
				errs <- s.FireSchedule(t.Context(), "sch-1", noon, next, noon.Add(time.Second), fmt.Sprintf("run-%d", i))
			}()
		}
		for range 8 {
			must(t, <-errs)
		}
		fired := got(s.Schedule(t.Context(), "sch-1"))(t)
		must(t, s.FireSchedule(t.Context(), "sch-1", noon, next.Add(time.Hour), noon, "run-late"))
		must(t, s.FireSchedule(t.Context(), "sch-1", next, next.Add(time.Hour), noon.Add(time.Second), "")) // refused
		sch.NextRunAt, sch.LastRunAt, sch.LastRun = next.Add(time.Hour), noon.Add(time.Second), fired.LastRun
		wantEqual(t, got(s.Schedule(t.Context(), "sch-1"))(t), sch)
		wantEqual(t, len(fired.LastRun), len("run-0"))
	})
}

func TestPausedScheduleIsNotFired(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		sch := schedule("sch-1")
		must(t, s.PutSchedule(t.Context(), sch, event("schedule.put", "shop")))
		must(t, s.FireSchedule(t.Context(), "sch-1", sch.NextRunAt, noon.Add(time.Hour), noon, "run-1"))
		wantEqual(t, got(s.Schedule(t.Context(), "sch-1"))(t), sch)
	})
}
