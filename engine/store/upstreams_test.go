package store_test

import (
	"errors"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func reading(stack string, upstreams ...engine.Upstream) *engine.Revision {
	r := revision(stack)
	r.Blueprint.Upstreams = upstreams
	return r
}

func TestReadersLookAtEachChangeOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		newStack(t, s, "net")
		must(t, s.AddRevision(ctx, reading("app", engine.Upstream{Name: "a", Stack: "net", Trigger: true, Outputs: []string{"url"}},
			engine.Upstream{Name: "b", Stack: "net", Outputs: []string{"id", "url"}}), engine.Beside{}, event("stack.submit", "app")))
		stale := func() []engine.Reader { return got(s.StaleReaders(ctx, 10))(t) }
		apply := func(stack string, revision int) *engine.Run {
			run := ended(t, s, stack, engine.RunApply, 0)
			return got(s.UpdateRun(ctx, run.ID, func(r *engine.Run) error { r.Revision = revision; return nil }))(t)
		}
		wantEqual(t, len(stale()), 0)
		run := apply("net", 1)
		wantEqual(t, len(stale()), 0) // nothing of app is applied that could follow
		apply("app", 1)
		want := engine.Reader{Stack: "app", Upstream: "net", Trigger: true, Outputs: []string{"id", "url"}, Applied: 1, Change: run.ID, Seen: map[string]string{}}
		wantEqual(t, stale(), []engine.Reader{want})
		must(t, s.SawUpstream(ctx, want, map[string]string{"url": "1"}))
		wantEqual(t, len(stale()), 0)
		must(t, s.SawUpstream(ctx, want, map[string]string{"url": "2"})) // too late: another has looked
		readers := got(s.Readers(ctx, "net"))(t)
		wantEqual(t, readers[0].Seen, map[string]string{"url": "1"})

		must(t, s.AddRevision(ctx, reading("app", engine.Upstream{Name: "a", Stack: "net", Outputs: []string{"url"}}), engine.Beside{}, event("stack.submit", "app")))
		readers = got(s.Readers(ctx, "net"))(t)
		wantEqual(t, readers[0].SeenRun, run.ID)                // what was seen stays
		wantEqual(t, readers[0].Outputs, []string{"id", "url"}) // of what is applied, too
		apply("app", 2)
		wantEqual(t, got(s.Readers(ctx, "net"))(t)[0].Outputs, []string{"url"})
		if err := s.DeleteStack(ctx, "net", event("stack.delete", "net")); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("a stack that is read is deleted: %v", err)
		}
		must(t, s.AddRevision(ctx, reading("app"), engine.Beside{}, event("stack.submit", "app")))
		wantEqual(t, len(got(s.Readers(ctx, "net"))(t)), 1) // what is applied still reads
		apply("app", 3)
		wantEqual(t, len(got(s.Readers(ctx, "net"))(t)), 0)
		must(t, s.DeleteStack(ctx, "net", event("stack.delete", "net")))
	})
}

func TestAStackHasOneRunForEachOrigin(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "app")
		first, second := newRun("app", engine.RunApply, noon), newRun("app", engine.RunApply, noon)
		first.Origin, second.Origin = "run-1", "run-1"
		must(t, s.CreateRun(t.Context(), first))
		if err := s.CreateRun(t.Context(), second); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("a second run for the same origin: %v", err)
		}
		wantEqual(t, got(s.Run(t.Context(), first.ID))(t).Origin, "run-1")
	})
}
