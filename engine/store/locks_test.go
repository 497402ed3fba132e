package store_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// applying is the first step of a run of shop, applied by a second attempt,
// and the writer that this is.
func applying(t testing.TB, s *store.Store, kind engine.Kind) (*engine.Step, engine.StateWriter) {
	t.Helper()
	r := newRun("shop", engine.RunApply, noon)
	r.Status, r.Digest = engine.RunApplying, "d"
	step := r.Steps[0]
	step.Status, step.Attempt, step.LeaseUntil, step.Component.Kind = engine.StepApplying, 2, noon, kind
	must(t, s.CreateRun(t.Context(), r))
	return step, engine.StateWriter{By: "ada", Run: r.ID, Step: step.ID, Attempt: 2}
}

// lose takes the step away from its runner.
func lose(t testing.TB, s *store.Store, step *engine.Step) {
	t.Helper()
	got(s.UpdateRun(t.Context(), step.Run, func(r *engine.Run) error {
		return r.Lose(engine.Held{Step: step.ID, Run: r.ID, Attempt: step.Attempt, Until: noon}, noon)
	}))(t)
}

// stateCalls are what a step does with its state.
func stateCalls(t testing.TB, s *store.Store) map[string]func(engine.StateWriter) error {
	return map[string]func(engine.StateWriter) error{
		"write": func(w engine.StateWriter) error {
			return s.PutState(t.Context(), engine.StatePut{Writer: w, Lock: "l1"}, state(7, "l", 1))
		},
		"lock": func(w engine.StateWriter) error {
			l := lock("l2")
			l.Step = w.Step
			return s.LockState(t.Context(), w, l)
		},
		"unlock": func(w engine.StateWriter) error {
			return s.UnlockState(t.Context(), w, "shop", "terraform.a", "l1")
		},
	}
}

func TestAttemptThatWasGivenUpTouchesNoState(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		step, now := applying(t, s, engine.KindTerraform)
		held := lock("l1")
		held.Step = step.ID
		must(t, s.LockState(t.Context(), now, held))
		before := now
		before.Attempt = 1
		calls := stateCalls(t, s)
		for name, call := range calls {
			if err := call(before); !errors.Is(err, engine.ErrConflict) {
				t.Errorf("%s of the attempt before: %v", name, err)
			}
		}
		lose(t, s, step)
		for name, call := range calls {
			if err := call(now); !errors.Is(err, engine.ErrConflict) {
				t.Errorf("%s after the end: %v", name, err)
			}
		}
		wantEqual(t, len(got(s.StateVersions(t.Context(), "shop", "", engine.Page{}))(t)), 0)
		wantEqual(t, got(s.StateLock(t.Context(), "shop", "terraform.a"))(t).ID, "l1")
	})
}

// TestWriteWaitsForAStepThatIsBeingGivenUp begins a write while the step is
// taken away in a transaction that is still open.
func TestWriteWaitsForAStepThatIsBeingGivenUp(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		step, w := applying(t, s, engine.KindTerraform)
		db := got(s.SQL())(t)
		tx := got(db.BeginTx(t.Context(), nil))(t)
		got(tx.ExecContext(t.Context(), `UPDATE steps SET status = 'interrupted', lease_until = NULL WHERE id = '`+step.ID+`'`))(t)
		wrote := make(chan error)
		go func() { wrote <- s.PutState(t.Context(), engine.StatePut{Writer: w}, state(1, "l", 1)) }()
		if s.Postgres() { // SQLite has one writer at a time
			waitsForALock(t, db)
		}
		must(t, tx.Commit())
		wantKind(t, <-wrote, engine.ErrConflict)
		wantEqual(t, len(got(s.StateVersions(t.Context(), "shop", "", engine.Page{}))(t)), 0)
	})
}

// waitsForALock returns once somebody waits for a row of this database.
func waitsForALock(t testing.TB, db *sql.DB) {
	t.Helper()
	for waiting := 0; waiting == 0; {
		must(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting))
	}
}

func TestLockedStateIsWrittenByItsHolderOnly(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		must(t, s.LockState(t.Context(), engine.StateWriter{}, lock("l1")))
		for _, id := range []string{"", "l2"} {
			wantLocked(t, s.PutState(t.Context(), engine.StatePut{Lock: id}, state(1, "l", 1)), "l1")
		}
		must(t, s.PutState(t.Context(), engine.StatePut{Lock: "l1"}, state(1, "l", 1)))
		must(t, s.PutState(t.Context(), engine.StatePut{Lock: "l1", Free: true, Events: []engine.Event{event("state.recover", "shop")}}, state(2, "l", 1)))
		_, err := s.StateLock(t.Context(), "shop", "terraform.a")
		wantKind(t, err, engine.ErrNotFound)
		must(t, s.PutState(t.Context(), engine.StatePut{Events: []engine.Event{event("state.recover", "shop")}}, state(2, "l", 1))) // once more
		wantEqual(t, actions(t, s, "shop"), []string{"stack.create", "state.recover"})
	})
}

func TestChangeOfAStateStandsAndFallsWithItsEvent(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		must(t, s.LockState(t.Context(), engine.StateWriter{}, lock("l1")))
		got(got(s.SQL())(t).ExecContext(t.Context(), `ALTER TABLE events RENAME TO elsewhere`))(t)
		put := engine.StatePut{Lock: "l1", Free: true, Events: []engine.Event{event("state.recover", "shop")}}
		if s.PutState(t.Context(), put, state(1, "l", 1)) == nil {
			t.Error("a state is written that no event tells of")
		}
		if s.UnlockState(t.Context(), engine.StateWriter{}, "shop", "terraform.a", "l1", event("state.break-lock", "shop")) == nil {
			t.Error("a lock is freed that no event tells of")
		}
		wantEqual(t, len(got(s.StateVersions(t.Context(), "shop", "", engine.Page{}))(t)), 0)
		wantEqual(t, got(s.StateLock(t.Context(), "shop", "terraform.a"))(t), lock("l1"))
	})
}

func TestInterruptedPlayIsLockedWithItsRun(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		step, _ := applying(t, s, engine.KindAnsible)
		lose(t, s, step)
		held := got(s.StateLock(t.Context(), "shop", "terraform.a"))(t)
		if !held.Interrupted || held.Step != step.ID || held.Holder != "run "+step.Run {
			t.Errorf("lock %+v", held)
		}
		wantEqual(t, len(got(s.OrphanedLocks(t.Context(), 10))(t)), 0)
		wantKind(t, s.DeleteStack(t.Context(), "shop", event("stack.delete", "shop")), engine.ErrConflict) // before somebody has looked
		must(t, s.UnlockState(t.Context(), engine.StateWriter{}, "shop", "terraform.a", held.ID))
		must(t, s.DeleteStack(t.Context(), "shop", event("stack.delete", "shop")))
	})
}

func TestLockThatIsThereStaysWhenAPlayIsInterrupted(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		step, _ := applying(t, s, engine.KindAnsible)
		must(t, s.LockState(t.Context(), engine.StateWriter{}, lock("l1")))
		lose(t, s, step)
		wantEqual(t, got(s.StateLock(t.Context(), "shop", "terraform.a"))(t), lock("l1"))
	})
}
