package store_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// state is a version of the state of shop/terraform.a.
func state(serial int64, lineage string, resources int) *engine.StateVersion {
	at := noon.Add(time.Duration(serial) * time.Second)
	return &engine.StateVersion{ID: engine.NewID("state", at), Stack: "shop", Component: "terraform.a", Serial: serial,
		Lineage: lineage, By: "ada", CreatedAt: at, Resources: resources, Data: []byte("state of " + lineage)}
}

func TestStateKeepsEveryField(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		want := &engine.StateVersion{}
		new(filler).fill(want)
		want.Stack = "shop"
		newStack(t, s, "shop")
		must(t, s.PutState(t.Context(), engine.StatePut{}, want))
		wantEqual(t, got(s.State(t.Context(), want.ID))(t), want)
		wantEqual(t, got(s.LatestState(t.Context(), "shop", want.Component))(t), want)
		wantEqual(t, got(s.LatestStates(t.Context(), "shop"))(t), []*engine.StateVersion{want})
		listed := *want
		listed.Data = nil
		wantEqual(t, got(s.StateVersions(t.Context(), "shop", "", engine.Page{}))(t), []*engine.StateVersion{&listed})
	})
}

func TestPutState(t *testing.T) {
	tests := map[string]struct {
		next     *engine.StateVersion
		want     error
		versions int
	}{
		"higher serial is the next version":      {next: state(6, "l", 1), versions: 2},
		"serials may be left out":                {next: state(60, "l", 1), versions: 2},
		"same serial and data is taken silently": {next: state(5, "l", 1), versions: 1},
		"same serial with other data":            {next: other(state(5, "l", 1)), want: engine.ErrConflict, versions: 1},
		"lower serial":                           {next: state(4, "l", 1), want: engine.ErrConflict, versions: 1},
		"other lineage":                          {next: state(6, "other", 1), want: engine.ErrConflict, versions: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			eachDatabase(t, func(t *testing.T, s *store.Store) {
				newStack(t, s, "shop")
				must(t, s.PutState(t.Context(), engine.StatePut{}, state(5, "l", 1)))
				err := s.PutState(t.Context(), engine.StatePut{}, tt.next)
				if !errors.Is(err, tt.want) {
					t.Errorf("error = %v, want %v", err, tt.want)
				}
				wantEqual(t, len(got(s.StateVersions(t.Context(), "shop", "terraform.a", engine.Page{}))(t)), tt.versions)
			})
		})
	}
}

func other(v *engine.StateVersion) *engine.StateVersion {
	v.Data = []byte("something else")
	return v
}

func TestStatesPutTogetherKeepTheirOrder(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		errs := make(chan error)
		for i := range 8 {
			go func() { errs <- s.PutState(t.Context(), engine.StatePut{}, other(state(7, "l", i))) }()
		}
		for range 8 {
			if err := <-errs; err != nil {
				wantKind(t, err, engine.ErrConflict)
			}
		}
		wantEqual(t, len(got(s.StateVersions(t.Context(), "shop", "", engine.Page{}))(t)), 1)
	})
}

func TestStateHasOneHistoryWhoeverStartsIt(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		errs := make(chan error)
		for i := range int64(8) {
			go func() {
				errs <- s.PutState(t.Context(), engine.StatePut{}, state(i+1, "lineage-"+strconv.FormatInt(i, 10), 1))
			}()
		}
		for range 8 {
			if err := <-errs; err != nil {
				wantKind(t, err, engine.ErrConflict)
			}
		}
		wantEqual(t, len(got(s.StateVersions(t.Context(), "shop", "", engine.Page{}))(t)), 1)
	})
}

func TestStateVersionsOfOneComponentNewestFirst(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		for serial := range int64(3) {
			must(t, s.PutState(t.Context(), engine.StatePut{}, state(serial+1, "l", 1)))
		}
		b := state(9, "m", 1)
		b.Component = "terraform.b"
		must(t, s.PutState(t.Context(), engine.StatePut{}, b))
		wantEqual(t, serials(t, s, "", engine.Page{}), []int64{9, 3, 2, 1})
		wantEqual(t, serials(t, s, "terraform.a", engine.Page{Limit: 2}), []int64{3, 2})
		wantEqual(t, serials(t, s, "terraform.a", engine.Page{After: got(s.LatestState(t.Context(), "shop", "terraform.a"))(t).ID}), []int64{2, 1})
		latest := got(s.LatestStates(t.Context(), "shop"))(t)
		wantEqual(t, []int64{latest[0].Serial, latest[1].Serial}, []int64{3, 9})
	})
}

func serials(t testing.TB, s *store.Store, component string, p engine.Page) (list []int64) {
	t.Helper()
	for _, v := range got(s.StateVersions(t.Context(), "shop", component, p))(t) {
		list = append(list, v.Serial)
	}
	return list
}

func TestStateThatIsMissing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		_, err := s.LatestState(t.Context(), "shop", "terraform.a")
		wantKind(t, err, engine.ErrNotFound)
		_, err = s.State(t.Context(), "state-1")
		wantKind(t, err, engine.ErrNotFound)
		_, err = s.StateLock(t.Context(), "shop", "terraform.a")
		wantKind(t, err, engine.ErrNotFound)
		wantKind(t, s.UnlockState(t.Context(), engine.StateWriter{}, "shop", "terraform.a", "l1"), engine.ErrNotFound)
	})
}

// lock is a lock on the state of shop/terraform.a.
func lock(id string) *engine.StateLock {
	l := &engine.StateLock{}
	new(filler).fill(l)
	l.ID, l.Stack, l.Component, l.Step, l.Interrupted = id, "shop", "terraform.a", "step-"+id, false
	return l
}

func wantLocked(t testing.TB, err error, by string) {
	t.Helper()
	var locked *engine.LockedError
	if !errors.As(err, &locked) {
		t.Errorf("error = %v, want a LockedError", err)
		return
	}
	wantEqual(t, &locked.Lock, lock(by))
}

func TestStateLock(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		newStack(t, s, "shop")
		must(t, s.LockState(ctx, engine.StateWriter{}, lock("l1")))
		wantEqual(t, got(s.StateLock(ctx, "shop", "terraform.a"))(t), lock("l1"))
		wantEqual(t, got(s.StateLocks(ctx, "shop", engine.Page{}))(t), []*engine.StateLock{lock("l1")})
		wantEqual(t, got(s.StateLocks(ctx, "other", engine.Page{}))(t), []*engine.StateLock{})

		must(t, s.LockState(ctx, engine.StateWriter{}, lock("l1"))) // the same request once more
		wantLocked(t, s.LockState(ctx, engine.StateWriter{}, lock("l2")), "l1")
		wantLocked(t, s.UnlockState(ctx, engine.StateWriter{}, "shop", "terraform.a", "l2"), "l1")

		must(t, s.UnlockState(ctx, engine.StateWriter{}, "shop", "terraform.a", "l1"))
		_, err := s.StateLock(ctx, "shop", "terraform.a")
		wantKind(t, err, engine.ErrNotFound)
	})
}

func TestStepTakesItsOwnLockOver(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		first, next := lock("l1"), lock("l2")
		next.Step = first.Step
		must(t, s.LockState(t.Context(), engine.StateWriter{}, first))
		must(t, s.LockState(t.Context(), engine.StateWriter{}, next))
		wantEqual(t, got(s.StateLock(t.Context(), "shop", "terraform.a"))(t), next)
	})
}

func TestStateIsLockedByOneOfMany(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		errs := make(chan error)
		for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			go func() { errs <- s.LockState(t.Context(), engine.StateWriter{}, lock(id)) }()
		}
		won := 0
		for range 8 {
			var locked *engine.LockedError
			if err := <-errs; err == nil {
				won++
			} else if !errors.As(err, &locked) {
				t.Error(err)
			}
		}
		wantEqual(t, won, 1)
	})
}

func TestLockWithoutInfoIsTaken(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		l := lock("l1")
		l.Info = nil
		must(t, s.LockState(t.Context(), engine.StateWriter{}, l))
	})
}
