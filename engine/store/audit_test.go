package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func auditOf(s *store.Store) *engine.Audit {
	return &engine.Audit{Store: s, Now: func() time.Time { return noon }}
}

// whole makes sure that the log is whole, and gives the report.
func whole(t testing.TB, s *store.Store) engine.AuditReport {
	t.Helper()
	r := got(auditOf(s).Verify(t.Context()))(t)
	if !r.Whole() || r.Signed != r.Last {
		t.Errorf("the log is not whole: %+v", r)
	}
	return r
}

// meddle changes the database as somebody with its password can.
func meddle(t testing.TB, s *store.Store, statements ...string) {
	t.Helper()
	free := []string{`DROP TRIGGER IF EXISTS events_stay`, `DROP TRIGGER IF EXISTS events_stay_as_they_are`}
	if s.Postgres() {
		free = []string{`DROP TRIGGER IF EXISTS events_stay ON events`}
	}
	for _, sql := range append(free, statements...) {
		got(got(s.SQL())(t).ExecContext(t.Context(), sql))(t)
	}
}

func TestChainHoldsUnderEightWriters(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		const writers, each = 8, 25
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				name := fmt.Sprintf("stack-%d", w)
				for i := range each {
					var err error
					switch at := noon.Add(time.Duration(i)); i % 5 {
					case 0: // with other locks before the one of the chain
						err = s.AddRevision(t.Context(), revision(name), engine.Beside{}, event("stack.submit", name), event("variable.hide", name))
					case 1:
						err = s.CreateRun(t.Context(), begun(t, name, engine.RunDrift, at))
					case 2:
						err = s.HoldStack(t.Context(), name, &engine.Hold{By: "ada", At: at}, event("stack.hold", name))
					case 3: // which changes nothing, and writes no event
						if err = s.HoldStack(t.Context(), "none", nil, event("stack.release", name)); errors.Is(err, engine.ErrNotFound) {
							err = nil
						}
					default:
						err = s.AddEvent(t.Context(), event("note", name))
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		r := whole(t, s)
		wantEqual(t, []int64{r.Events, r.Last}, []int64{writers * each * 4 / 5, writers * each * 4 / 5}) // four a round of five
	})
}

func TestMeddlingWithTheDatabaseIsFound(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for i := range 9 {
			must(t, s.AddEvent(t.Context(), event(fmt.Sprint("note.", i), "shop")))
		}
		whole(t, s)
		for _, tt := range []struct{ do, undo, want string }{
			{`UPDATE events SET actor = 'eve' WHERE seq = 3`, `UPDATE events SET actor = 'ada' WHERE seq = 3`, "event 3 (line 4) changed"},
			{`UPDATE events SET seq = -seq WHERE seq = 5`, `UPDATE events SET seq = 5 WHERE seq = -5`, "event 5 removed"},
			{`UPDATE events SET seq = -seq WHERE seq = 9`, `UPDATE events SET seq = 9 WHERE seq = -9`, "event 9 removed"},
			{`UPDATE audit_head SET hash = 'x'`, `UPDATE audit_head SET hash = (SELECT hash FROM events WHERE seq = 9)`, ""},
			{`UPDATE audit_checkpoints SET hash = 'x'`, ``, "(line 11) signature"},
		} {
			meddle(t, s, tt.do)
			r := got(auditOf(s).Verify(t.Context()))(t)
			if tt.want != "" && (len(r.Breaches) == 0 || !strings.HasPrefix(r.Breaches[0].String(), tt.want)) {
				t.Errorf("%s: found %v, want %s", tt.do, r.Breaches, tt.want)
			}
			if tt.undo != "" {
				meddle(t, s, tt.undo)
			}
		}
	})
}

func TestDatabaseKeepsEventsAsTheyAre(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		must(t, s.AddEvent(t.Context(), event("note", "shop")))
		for _, sql := range []string{`UPDATE events SET actor = 'eve'`, `DELETE FROM events`} {
			if _, err := got(s.SQL())(t).ExecContext(t.Context(), sql); err == nil {
				t.Errorf("%s is taken", sql)
			}
		}
		whole(t, s)
	})
}

func TestEventsOfAnOlderVersionAreChained(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		old := `INSERT INTO events (at, actor, action, stack, run_id, subject, detail) VALUES (1, 'ada', 'old.%d', 'shop', '', 'x', '{"b": 1, "a": "é"}')`
		for i := range 3 {
			got(got(s.SQL())(t).ExecContext(t.Context(), fmt.Sprintf(old, i)))(t)
		}
		wantEqual(t, got(s.ChainEvents(t.Context(), 2))(t), 2)
		must(t, auditOf(s).Start(t.Context())) // which goes on
		events := got(s.EventsAfter(t.Context(), engine.EventFilter{}, 0, 10))(t)
		var list []string
		for _, e := range events {
			list = append(list, e.Action)
		}
		wantEqual(t, list, []string{"old.0", "old.1", "old.2", "audit.key"})
		wantEqual(t, whole(t, s).Events, int64(4))
		must(t, auditOf(s).Start(t.Context()))
		wantEqual(t, whole(t, s).Events, int64(4))
	})
}

func TestAuditIsRemovedInOrderWithProof(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		newStack(t, s, "held")
		at := noon.Add(-400 * day)
		a := auditOf(s)
		a.Now, a.Keep = func() time.Time { return at }, 365*day
		must(t, a.Start(ctx))
		var export bytes.Buffer
		for i := range 12 {
			must(t, s.AddEvent(ctx, event(fmt.Sprint("note.", i), "shop")))
			if i%4 == 3 {
				got(a.Checkpoint(ctx))(t)
			}
		}
		must(t, a.Export(ctx, &export)) // before anything is gone
		must(t, s.AddEvent(ctx, event("note", "held")))
		got(a.Checkpoint(ctx))(t)
		at = noon
		must(t, s.HoldStack(ctx, "held", &engine.Hold{By: "ada", Reason: "case", At: noon}, event("stack.hold", "held")))
		wantEqual(t, got(a.Clean(ctx))(t), int64(0)) // its first event is the first of all
		must(t, s.HoldStack(ctx, "held", nil, event("stack.release", "held")))
		wantEqual(t, got(a.Clean(ctx))(t), int64(15))
		r := whole(t, s)
		wantEqual(t, []int64{r.Dropped, r.First}, []int64{15, 16})
		drops := got(s.AuditDrops(ctx))(t)
		wantEqual(t, len(drops), 1)
		last := got(engine.ParseRecord([]byte(lastEvent(export.String()))))(t)
		wantEqual(t, last.Seq, int64(14))
		wantEqual(t, got(a.Clean(ctx))(t), int64(0))
		wantEqual(t, got(s.Events(ctx, engine.EventFilter{}, engine.Page{Limit: 1}))(t)[0].Action, "audit.drop")

		meddle(t, s, `DELETE FROM audit_drops`)
		if r := got(a.Verify(ctx))(t); len(r.Breaches) == 0 || r.Breaches[0].String()[:22] != "events 1 to 15 removed" {
			t.Errorf("without the statement: %v", r.Breaches)
		}
	})
}

func lastEvent(export string) (last string) {
	for line := range strings.Lines(export) {
		if strings.Contains(line, `"previous"`) {
			last = line
		}
	}
	return last
}

func TestNothingIsRemovedOfALogThatIsNotWhole(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		a := auditOf(s)
		for range 5 {
			must(t, s.AddEvent(t.Context(), event("note", "shop")))
		}
		got(a.Checkpoint(t.Context()))(t)
		meddle(t, s, `UPDATE events SET actor = 'eve' WHERE seq = 2`)
		a.Keep, a.Now = day, func() time.Time { return noon.Add(2 * day) }
		_, err := a.Clean(t.Context())
		wantKind(t, err, engine.ErrConflict)
		wantEqual(t, len(got(s.EventsAfter(t.Context(), engine.EventFilter{}, 0, 100))(t)), 6)
	})
}

// Two processes that take each other for gone may both remove the beginning.
func TestTheBeginningIsRemovedOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		a := auditOf(s)
		must(t, a.Start(t.Context()))
		for range 2 {
			must(t, s.AddEvent(t.Context(), event("note", "shop")))
			got(a.Checkpoint(t.Context()))(t)
		}
		signer := got(s.AuditSigner(t.Context()))(t)
		drop := func(to int64) error {
			c := got(s.Checkpoints(t.Context(), to, to, 1))(t)[0]
			d := engine.AuditDrop{Installation: c.Installation, From: 1, To: to, Previous: engine.ChainStart, Hash: c.Hash, At: noon}
			return s.DropEvents(t.Context(), signer.Drop(d), event("audit.drop", ""))
		}
		must(t, drop(2))
		wantKind(t, drop(3), engine.ErrConflict)
		whole(t, s)
	})
}

func TestEventsAreSearched(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for i, e := range []engine.Event{
			{Actor: "ada", Action: "run.approve", Stack: "shop", Run: "run-1", Subject: "run-1", Detail: []byte(`{"comment":"Looks 100% fine"}`)},
			{Actor: "zoe", Action: "run", Stack: "lab", Subject: "x"},
			{Actor: "zoe", Action: "runner.lost", Stack: "lab", Subject: "y", Origin: engine.Origin{Address: "192.0.2.1", Request: "req-1", Via: "session"}},
			{Actor: "zoe", Action: "user.update", Subject: "ada", Before: []byte(`{"role":"viewer"}`), After: []byte(`{"role":"admin"}`)},
		} {
			e.At = noon.Add(time.Duration(i) * time.Hour)
			must(t, s.AddEvent(t.Context(), e))
		}
		for name, tt := range map[string]struct {
			f    engine.EventFilter
			want string
		}{
			"all":               {engine.EventFilter{}, "4 3 2 1"},
			"by an actor":       {engine.EventFilter{Actor: "ada"}, "1"},
			"one action":        {engine.EventFilter{Action: "run.approve"}, "1"},
			"actions of a kind": {engine.EventFilter{Action: "run"}, "2 1"},
			"of a stack":        {engine.EventFilter{Stack: "lab"}, "3 2"},
			"of a run":          {engine.EventFilter{Run: "run-1"}, "1"},
			"of a subject":      {engine.EventFilter{Subject: "ada"}, "4"},
			"from an address":   {engine.EventFilter{Address: "192.0.2.1"}, "3"},
			"of a request":      {engine.EventFilter{Request: "req-1"}, "3"},
			"in a time":         {engine.EventFilter{From: noon.Add(time.Hour), To: noon.Add(3 * time.Hour)}, "3 2"},
			"with a text":       {engine.EventFilter{Text: "100% FINE"}, "1"},
			"with what became":  {engine.EventFilter{Text: `"role":"admin"`}, "4"},
			"with none such":    {engine.EventFilter{Text: "100_"}, ""},
			"by two things":     {engine.EventFilter{Actor: "zoe", Action: "user"}, "4"},
		} {
			var seqs []string
			for _, e := range got(s.Events(t.Context(), tt.f, engine.Page{}))(t) {
				seqs = append(seqs, fmt.Sprint(e.Seq))
			}
			if have := strings.Join(seqs, " "); have != tt.want {
				t.Errorf("%s: %s, want %s", name, have, tt.want)
			}
		}
	})
}

func BenchmarkEventsWritten(b *testing.B) {
	for _, writers := range []int{1, 8} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			eachDatabaseB(b, func(b *testing.B, s *store.Store) {
				var all sync.WaitGroup
				var left atomic.Int64
				left.Store(int64(b.N))
				for range writers {
					all.Go(func() {
						for left.Add(-1) >= 0 {
							if err := s.AddEvent(b.Context(), event("note", "shop")); err != nil {
								b.Error(err)
							}
						}
					})
				}
				all.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		})
	}
}
