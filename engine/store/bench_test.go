package store_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// eachDatabaseB runs the benchmark with an empty store in both databases.
func eachDatabaseB(b *testing.B, do func(b *testing.B, s *store.Store)) {
	b.Helper()
	b.Run("sqlite", func(b *testing.B) { do(b, open(b, sqliteURL(b))) })
	b.Run("postgres", func(b *testing.B) { do(b, open(b, postgres(b))) })
}

// bigRun is a finished run with as many steps as a large stack has.
func bigRun(minutes int) *engine.Run {
	r := newRun("shop", engine.RunApply, noon.Add(time.Duration(minutes)*time.Minute))
	r.Status, r.FinishedAt = engine.RunSucceeded, noon
	first := *r.Steps[0]
	r.Steps = nil
	for i := range 10 {
		s := first
		s.ID, s.Position, s.Component.Address = engine.NewID("step", noon), i, "terraform.c"+strconv.Itoa(i)
		r.Steps = append(r.Steps, &s)
	}
	return r
}

func BenchmarkRun(b *testing.B) {
	eachDatabaseB(b, func(b *testing.B, s *store.Store) {
		newStack(b, s, "shop")
		r := bigRun(0)
		must(b, s.CreateRun(b.Context(), r))
		for b.Loop() {
			got(s.Run(b.Context(), r.ID))(b)
		}
	})
}

func BenchmarkRuns20of1000(b *testing.B) {
	eachDatabaseB(b, func(b *testing.B, s *store.Store) {
		newStack(b, s, "shop")
		for i := range 1000 {
			must(b, s.CreateRun(b.Context(), bigRun(i)))
		}
		for b.Loop() {
			got(s.Runs(b.Context(), engine.RunFilter{Stack: "shop"}, engine.Page{Limit: 20}))(b)
		}
	})
}

func BenchmarkUpdateRun(b *testing.B) {
	eachDatabaseB(b, func(b *testing.B, s *store.Store) {
		newStack(b, s, "shop")
		r := bigRun(0)
		must(b, s.CreateRun(b.Context(), r))
		for b.Loop() {
			got(s.UpdateRun(b.Context(), r.ID, func(r *engine.Run) error { r.Steps[3].Attempt++; return nil }))(b)
		}
	})
}
