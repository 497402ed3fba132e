package store_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// The history that a sweep has to pass over, and the steps in hand beside it.
const (
	benchStacks = 10_000
	benchRuns   = 100_000
	benchHeld   = 200
)

// withHistory fills the database with runs that are over.
func withHistory(b *testing.B, s *store.Store) {
	b.Helper()
	for i := range benchStacks {
		newStack(b, s, fmt.Sprintf("stack-%d", i))
	}
	for i := range benchRuns {
		r := newRun(fmt.Sprintf("stack-%d", i%benchStacks), engine.RunApply, noon.Add(time.Duration(i)*time.Second))
		r.Status, r.FinishedAt = engine.RunSucceeded, r.CreatedAt
		for _, step := range r.Steps {
			step.Status = engine.StepApplied
		}
		must(b, s.CreateRun(b.Context(), r))
	}
}

// withHeld adds drift checks whose steps runners have in hand.
func withHeld(b *testing.B, s *store.Store) (held []*engine.Step) {
	b.Helper()
	for i := 0; len(held) < benchHeld; i++ {
		r := begun(b, fmt.Sprintf("stack-%d", i), engine.RunDrift, noon)
		must(b, s.CreateRun(b.Context(), r))
		r = got(s.UpdateRun(b.Context(), r.ID, func(r *engine.Run) error {
			for _, step := range r.Steps {
				c := engine.Claim{Worker: "w", Token: engine.NewToken("t"), StateToken: engine.NewToken("s")}
				if _, err := r.Claim(step.ID, c, noon); err != nil {
					return err
				}
			}
			return nil
		}))(b)
		held = append(held, r.Steps...)
	}
	return held
}

func runsOf(s *store.Store) *engine.Runs {
	return &engine.Runs{Store: s, Bell: enginetest.NewBell(), Log: slog.New(slog.DiscardHandler), Now: time.Now}
}

// BenchmarkSweep sweeps over 100,000 runs of 10,000 stacks with 200 steps in hand.
func BenchmarkSweep(b *testing.B) {
	eachDatabaseB(b, func(b *testing.B, s *store.Store) {
		withHistory(b, s)
		withHeld(b, s)
		runs := runsOf(s)
		for b.Loop() {
			if _, err := runs.Sweep(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkListAmongManyRuns lists 20 of 100,000 runs: the newest of all, and of a stack.
func BenchmarkListAmongManyRuns(b *testing.B) {
	eachDatabaseB(b, func(b *testing.B, s *store.Store) {
		manyRuns(b, s, 100, benchRuns)
		if _, err := got(s.SQL())(b).ExecContext(b.Context(), `ANALYZE`); err != nil { // as PostgreSQL does by itself in time
			b.Fatal(err)
		}
		for name, filter := range map[string]engine.RunFilter{"all": {}, "of a stack": {Stack: "stack-7"}} {
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					if runs := got(s.Runs(b.Context(), filter, engine.Page{Limit: 20}))(b); len(runs) != 20 {
						b.Fatalf("%d runs", len(runs))
					}
				}
			})
		}
	})
}

// BenchmarkRenew extends leases; 200 steps in hand renew 20 times a second.
func BenchmarkRenew(b *testing.B) {
	eachDatabaseB(b, func(b *testing.B, s *store.Store) {
		for i := range benchHeld {
			newStack(b, s, fmt.Sprintf("stack-%d", i))
		}
		held, runs := withHeld(b, s), runsOf(s)
		for i := 0; b.Loop(); i++ {
			if _, err := runs.Renew(b.Context(), held[i%len(held)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
