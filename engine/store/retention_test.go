package store_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

const day = 24 * time.Hour

// retention keeps 90 days, and beyond that the newest two.
func retention(s *store.Store) *engine.Retention {
	keep := engine.Keep{Count: 2, For: 90 * day}
	return &engine.Retention{Store: s, Logs: keep, Checks: keep, States: keep, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon }}
}

// ended makes a run that ended so long ago, with a log and artifacts.
func ended(t testing.TB, s *store.Store, stack string, kind engine.RunKind, ago time.Duration) *engine.Run {
	t.Helper()
	r := newRun(stack, kind, noon.Add(-ago))
	r.Status, r.FinishedAt = engine.RunSucceeded, r.CreatedAt
	if kind.Changing() {
		r.ApprovedAt, r.ApplyingAt = r.CreatedAt, r.CreatedAt
	}
	for _, step := range r.Steps {
		step.Status = engine.StepApplied
	}
	must(t, s.CreateRun(t.Context(), r))
	got(s.AppendLog(t.Context(), r.Steps[0].ID, 0, []byte("a log")))(t)
	for _, name := range []string{engine.ArtifactPlan, engine.ArtifactErrored} {
		must(t, s.PutArtifact(t.Context(), r.Steps[0].ID, name, []byte(name)))
	}
	return r
}

// hasLog reports whether the run still has its log and plan, which go together.
func hasLog(t testing.TB, s *store.Store, r *engine.Run) bool {
	t.Helper()
	data, size, err := s.ReadLog(t.Context(), r.Steps[0].ID, 0, 100)
	must(t, err)
	_, err = s.Artifact(t.Context(), r.Steps[0].ID, engine.ArtifactPlan)
	purged := !got(s.Run(t.Context(), r.ID))(t).PurgedAt.IsZero()
	if kept := err == nil; kept != (len(data) > 0) || kept != (size > 0) || kept == purged {
		t.Errorf("log %q of %d bytes, plan %v, purged %v", data, size, err, purged)
	}
	return size > 0
}

func TestLogsAndPlansAreRemovedWithAge(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		newStack(t, s, "lab")
		old := ended(t, s, "shop", engine.RunApply, 400*day)
		var rest []*engine.Run
		for _, ago := range []time.Duration{300 * day, 200 * day} {
			rest = append(rest, ended(t, s, "lab", engine.RunApply, ago), ended(t, s, "shop", engine.RunApply, ago))
		}
		sum := got(retention(s).Clean(t.Context()))(t)
		wantEqual(t, sum, engine.Removed{Logs: 1})
		if hasLog(t, s, old) {
			t.Error("the oldest log is still there")
		}
		for _, r := range rest { // the newest two of each stack
			if !hasLog(t, s, r) {
				t.Errorf("the log of %s is gone", r.CreatedAt)
			}
		}
		got(s.Artifact(t.Context(), old.Steps[0].ID, engine.ArtifactErrored))(t)
		if len(got(s.Deployed(t.Context(), "shop"))(t)) != 2 {
			t.Error("what is deployed was forgotten")
		}
		for range 3 {
			ended(t, s, "lab", engine.RunApply, 80*day)
		}
		wantEqual(t, got(retention(s).Clean(t.Context()))(t), engine.Removed{Logs: 2})
	})
}

func TestChecksAreRemovedWhole(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		apply := ended(t, s, "shop", engine.RunApply, 500*day)
		first := ended(t, s, "shop", engine.RunDrift, 400*day)
		for _, ago := range []time.Duration{300 * day, 200 * day} {
			ended(t, s, "shop", engine.RunPreview, ago)
		}
		running := newRun("shop", engine.RunDrift, noon.Add(-600*day))
		must(t, s.CreateRun(t.Context(), running))
		must(t, s.AddEvent(t.Context(), engine.Event{At: noon, Actor: "ada", Action: "run.cancel", Stack: "shop", Run: first.ID}))
		must(t, s.AddEvent(t.Context(), engine.Event{At: noon, Actor: "engine", Action: "run.succeeded", Stack: "shop", Run: first.ID}))
		wantEqual(t, got(retention(s).Clean(t.Context()))(t).Checks, 1)
		var left []string
		for _, e := range got(s.Events(t.Context(), engine.EventFilter{Stack: "shop"}, engine.Page{Limit: 100}))(t) {
			if e.Run == first.ID {
				left = append(left, e.Actor)
			}
		}
		wantEqual(t, left, []string{"engine", "ada"}) // the audit log says for ever that it was there
		_, err := s.Run(t.Context(), first.ID)
		wantKind(t, err, engine.ErrNotFound)
		_, _, err = s.ReadLog(t.Context(), first.Steps[0].ID, 0, 10)
		wantKind(t, err, engine.ErrNotFound)
		for _, r := range []*engine.Run{apply, running} {
			got(s.Run(t.Context(), r.ID))(t)
		}
	})
}

func TestLastStateIsNeverRemoved(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		put := func(component string, serial int64, ago time.Duration) {
			must(t, s.PutState(t.Context(), engine.StatePut{}, &engine.StateVersion{ID: engine.NewID("sv", noon.Add(-ago)), Stack: "shop", Component: component, Serial: serial,
				Lineage: "l", Data: []byte("{}"), CreatedAt: noon.Add(-ago), By: "ada"}))
		}
		put("terraform.quiet", 1, 2000*day)
		for i := range 4 {
			put("terraform.busy", int64(i+1), time.Duration(1000-i)*day)
		}
		put("terraform.busy", 5, day)
		r := retention(s)
		wantEqual(t, got(r.Clean(t.Context()))(t).States, 3)
		var left []string
		for _, v := range got(s.StateVersions(t.Context(), "shop", "", engine.Page{Limit: 10}))(t) {
			left = append(left, fmt.Sprintf("%s %d", v.Component, v.Serial))
		}
		wantEqual(t, left, []string{"terraform.busy 5", "terraform.busy 4", "terraform.quiet 1"})
		r.States.For = 0
		wantEqual(t, got(r.Clean(t.Context()))(t).States, 0)
	})
}

func TestNothingUnderALegalHoldIsRemoved(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		for _, kind := range []engine.RunKind{engine.RunApply, engine.RunDrift} {
			for i := range 4 {
				ended(t, s, "shop", kind, time.Duration(400-i)*day)
			}
		}
		h := &engine.Hold{By: "ada", Reason: "case 4711", At: noon}
		must(t, s.HoldStack(t.Context(), "shop", h, event("stack.hold", "shop")))
		wantEqual(t, got(s.Stack(t.Context(), "shop"))(t).Hold, h)
		wantEqual(t, got(retention(s).Clean(t.Context()))(t), engine.Removed{})
		wantEqual(t, got(s.DropChecks(t.Context(), "shop", 1, noon, 50))(t), 0) // nor where the hold came in between
		wantEqual(t, got(s.DropLogs(t.Context(), "shop", 1, noon, 50))(t), 0)
		wantEqual(t, got(s.DropStates(t.Context(), "shop", 1, noon, 50))(t), 0)
		wantKind(t, s.DeleteStack(t.Context(), "shop", event("stack.delete", "shop")), engine.ErrConflict)
		must(t, s.HoldStack(t.Context(), "shop", nil, event("stack.release", "shop")))
		wantEqual(t, got(retention(s).Clean(t.Context()))(t), engine.Removed{Checks: 2, Logs: 4})
		wantKind(t, s.HoldStack(t.Context(), "none", h, event("stack.hold", "none")), engine.ErrNotFound)
	})
}

// manyRuns writes drift checks that ended a year ago, with a log each.
func manyRuns(t testing.TB, s *store.Store, stacks, runs int) {
	t.Helper()
	for i := range stacks {
		newStack(t, s, fmt.Sprintf("stack-%d", i))
	}
	at := noon.Add(-365 * day).UnixMicro()
	numbers := fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) `, runs)
	db := got(s.SQL())(t)
	for _, insert := range []string{
		fmt.Sprintf(`INSERT INTO runs (id, stack, revision, kind, cause, status, reason, started_by, message, rule, digest, cancel_by, kill, created_at, finished_at)
			%s SELECT 'run-' || (10000000 + i), 'stack-' || (i %% %d), 1, 'drift', 'schedule', 'succeeded', '', 'ada', '', '{}', '', '', false, %d + i, %[3]d + i FROM n`, numbers, stacks, at),
		fmt.Sprintf(`INSERT INTO steps (id, run_id, position, stack, address, component, needs, revision, destroy, status, reason, attempt, lost, worker, queue, token_hash, state_hash,
			plan_hash, changes_hash, approved_changes, summary, applied, notes, inputs, predicted, actual, log_size)
			%s SELECT 'step-' || (10000000 + i), 'run-' || (10000000 + i), 0, 'stack-' || (i %% %d), 'terraform.a', '{}', '[]', 1, false, 'unchanged', '', 1, 0, '', '', '', '',
			'', '', '', '{}', '{}', '[]', '{}', '{}', '{}', 3 FROM n`, numbers, stacks),
		fmt.Sprintf(`INSERT INTO events (at, actor, action, stack, run_id, subject, detail)
			%s SELECT %d, CASE i %% 2 WHEN 0 THEN 'engine' ELSE 'schedule drift' END, 'run.start', 'stack-' || (i %% %d), 'run-' || (10000000 + i), '', '{}' FROM n`, numbers, at, stacks),
		fmt.Sprintf(`INSERT INTO log_chunks (step_id, start, data) %s SELECT 'step-' || (10000000 + i), 0, CAST('log' AS %s) FROM n`, numbers, blob(s)),
	} {
		if _, err := db.ExecContext(t.Context(), insert); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAHundredThousandRunsAreBounded(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		const stacks, runs = 100, 100_000
		manyRuns(t, s, stacks, runs)
		r := retention(s)
		wantEqual(t, got(r.Clean(t.Context()))(t), engine.Removed{Checks: runs - 2*stacks, Logs: 0})
		for table, want := range map[string]int{"runs": 2 * stacks, "steps": 2 * stacks, "log_chunks": 2 * stacks, "events": runs + stacks} { // an event made each stack
			var n int
			must(t, got(s.SQL())(t).QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&n))
			if n != want {
				t.Errorf("%s has %d rows, want %d", table, n, want)
			}
		}
	})
}

func TestChoreIsDoneByOneProcess(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		take := func(at time.Time) bool { return got(s.TakeChore(t.Context(), "clean", at, at.Add(time.Hour)))(t) }
		for _, step := range []struct {
			at   time.Time
			mine bool
		}{{noon, true}, {noon, false}, {noon.Add(59 * time.Minute), false}, {noon.Add(time.Hour), true}, {noon.Add(time.Hour), false}} {
			if take(step.at) != step.mine {
				t.Errorf("at %s it is not %v", step.at, step.mine)
			}
		}
	})
}

// blob is the database's type for bytes.
func blob(s *store.Store) string {
	if s.Postgres() {
		return "bytea"
	}
	return "BLOB"
}
