package store_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// newRun is a pending run of terraform.a and, after it, terraform.b.
func newRun(stack string, kind engine.RunKind, at time.Time) *engine.Run {
	r := &engine.Run{ID: engine.NewID("run", at), Stack: stack, Revision: 1, Kind: kind, Trigger: engine.TriggerManual,
		Status: engine.RunPending, StartedBy: "ada", CreatedAt: at}
	for i, address := range []string{"terraform.a", "terraform.b"} {
		r.Steps = append(r.Steps, &engine.Step{ID: engine.NewID("step", at), Run: r.ID, Position: i, Revision: 1,
			Component: engine.Component{Address: address, Kind: engine.KindTerraform, Cloud: engine.CloudAWS},
			Status:    engine.StepWaiting})
	}
	r.Steps[1].Needs = []string{"terraform.a"}
	return r
}

// begun is a run whose first step waits for a worker.
func begun(t testing.TB, stack string, kind engine.RunKind, at time.Time) *engine.Run {
	t.Helper()
	r := newRun(stack, kind, at)
	must(t, r.Begin(at))
	return r
}

// planned is a run that waits for approval.
func planned(stack string, at time.Time, digest string) *engine.Run {
	r := newRun(stack, engine.RunApply, at)
	r.Status, r.Digest, r.PlannedAt = engine.RunPlanned, digest, at
	return r
}

// fullRun is a run with something in every field. Of its steps, one has a
// lease and the other waits in a queue: none can do both.
func fullRun(f *filler, id string) *engine.Run {
	r := &engine.Run{}
	f.fill(r)
	r.ID, r.Stack, r.Approvals, r.Policies = id, "shop", nil, nil
	r.Kind, r.Trigger, r.Status = engine.RunDestroy, engine.TriggerDrift, engine.RunPlanned
	for i, s := range r.Steps {
		s.ID, s.Run, s.Position = id+"-step-"+strconv.Itoa(i), id, i
	}
	r.Steps[0].Status, r.Steps[0].ReadyAt = engine.StepPlanning, time.Time{}
	r.Steps[1].Status, r.Steps[1].LeaseUntil = engine.StepQueued, time.Time{}
	return r
}

func TestRunKeepsEveryField(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		var f filler
		created, changed := fullRun(&f, "run-1"), fullRun(&f, "run-1")
		must(t, s.CreateRun(t.Context(), created))
		wantEqual(t, got(s.Run(t.Context(), "run-1"))(t), created)
		wantEqual(t, got(s.Runs(t.Context(), engine.RunFilter{}, engine.Page{}))(t), []*engine.Run{created})

		var a engine.Approval
		f.fill(&a)
		a.Verdict = engine.Approved
		changed.Approvals = []engine.Approval{a}
		got(s.UpdateRun(t.Context(), "run-1", func(r *engine.Run) error { *r = *changed; return nil }))(t)
		wantEqual(t, got(s.Run(t.Context(), "run-1"))(t), changed)
	})
}

func TestRunKeepsZeroFields(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		full := fullRun(new(filler), "run-1")
		must(t, s.CreateRun(t.Context(), full))
		empty := newRun("shop", engine.RunApply, noon)
		empty.ID = full.ID
		for i, step := range empty.Steps {
			step.Run, step.ID = full.ID, full.Steps[i].ID
		}
		got(s.UpdateRun(t.Context(), full.ID, func(r *engine.Run) error { *r = *empty; return nil }))(t)
		wantEqual(t, got(s.Run(t.Context(), full.ID))(t), empty)
	})
}

func TestRunThatIsMissing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		_, err := s.Run(t.Context(), "run-1")
		wantKind(t, err, engine.ErrNotFound)
		_, err = s.UpdateRun(t.Context(), "run-1", func(*engine.Run) error { t.Error("change was called"); return nil })
		wantKind(t, err, engine.ErrNotFound)
		wantEqual(t, len(got(s.Runs(t.Context(), engine.RunFilter{}, engine.Page{}))(t)), 0)
	})
}

func TestCreateRunWritesDispatchesAndEvents(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		r := begun(t, "shop", engine.RunApply, noon)
		r.Steps[1].Position = 0 // two steps in one place: nothing may be written
		if err := s.CreateRun(t.Context(), r); err == nil {
			t.Fatal("two steps in one place were taken")
		}
		wantEqual(t, len(got(s.Outbox(t.Context(), 9))(t)), 0)

		r = begun(t, "shop", engine.RunApply, noon)
		must(t, s.CreateRun(t.Context(), r))
		out := got(s.Outbox(t.Context(), 9))(t)
		wantEqual(t, len(out), 1)
		wantEqual(t, out[0], engine.Dispatch{ID: out[0].ID, Step: r.Steps[0].ID, Attempt: 1, Queue: engine.QueueName(engine.CloudAWS, "run")})
	})
}

func TestOneChangingRunAStack(t *testing.T) {
	under := []engine.RunStatus{engine.RunPlanning, engine.RunPlanned, engine.RunApproved, engine.RunApplying}
	for _, status := range under {
		t.Run("none beside one that is "+string(status), func(t *testing.T) {
			eachDatabase(t, func(t *testing.T, s *store.Store) {
				newStack(t, s, "shop")
				newStack(t, s, "blog")
				first := planned("shop", noon, "d")
				first.Status = status
				must(t, s.CreateRun(t.Context(), first))

				second := begun(t, "shop", engine.RunDestroy, noon.Add(time.Second))
				wantKind(t, s.CreateRun(t.Context(), second), engine.ErrConflict)
				must(t, s.CreateRun(t.Context(), begun(t, "blog", engine.RunApply, noon)))
				must(t, s.CreateRun(t.Context(), begun(t, "shop", engine.RunPreview, noon)))
				must(t, s.CreateRun(t.Context(), begun(t, "shop", engine.RunDrift, noon)))
				waits := newRun("shop", engine.RunApply, noon)
				must(t, s.CreateRun(t.Context(), waits))
				_, err := s.UpdateRun(t.Context(), waits.ID, func(r *engine.Run) error { return r.Begin(noon) })
				wantKind(t, err, engine.ErrConflict)
				wantEqual(t, got(s.ActiveRun(t.Context(), "shop"))(t), first.ID)
				wantEqual(t, got(s.NextPending(t.Context(), "shop"))(t), "")
			})
		})
	}
}

func TestRunsAreListedNewestFirst(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		newStack(t, s, "blog")
		for i := range 6 {
			r := newRun([]string{"shop", "blog"}[i%2], []engine.RunKind{engine.RunApply, engine.RunPreview, engine.RunDrift}[i%3], noon.Add(time.Duration(i)*time.Minute))
			if i == 4 {
				r.Status = engine.RunFailed
			}
			must(t, s.CreateRun(t.Context(), r))
		}
		third := got(s.Runs(t.Context(), engine.RunFilter{}, engine.Page{}))(t)[2].ID
		tests := map[string]struct {
			filter engine.RunFilter
			page   engine.Page
			want   []int // minutes after noon
		}{
			"all":                   {want: []int{5, 4, 3, 2, 1, 0}},
			"first page":            {page: engine.Page{Limit: 2}, want: []int{5, 4}},
			"page after a run":      {page: engine.Page{Limit: 2, After: third}, want: []int{2, 1}},
			"of a stack":            {filter: engine.RunFilter{Stack: "shop"}, want: []int{4, 2, 0}},
			"of a kind":             {filter: engine.RunFilter{Kind: engine.RunDrift}, want: []int{5, 2}},
			"with a status":         {filter: engine.RunFilter{Status: engine.RunFailed}, want: []int{4}},
			"of a stack and a kind": {filter: engine.RunFilter{Stack: "blog", Kind: engine.RunApply}, want: []int{3}},
		}
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				var minutes []int
				for _, r := range got(s.Runs(t.Context(), tt.filter, tt.page))(t) {
					minutes = append(minutes, int(r.CreatedAt.Sub(noon)/time.Minute))
					wantEqual(t, len(r.Steps), 2)
				}
				wantEqual(t, minutes, tt.want)
			})
		}
	})
}

func TestRunsTakesThreeStatementsAtMost(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		for range 20 {
			must(t, s.CreateRun(t.Context(), newRun("shop", engine.RunApply, noon)))
		}
		statements := 0
		must(t, s.CountReads(func() { statements++ }))
		wantEqual(t, len(got(s.Runs(t.Context(), engine.RunFilter{Stack: "shop"}, engine.Page{Limit: 20}))(t)), 20)
		if statements == 0 || statements > 3 {
			t.Errorf("%d statements were made, want 1 to 3", statements)
		}
	})
}

func TestNewestRunOfEachStackTakesOneStatement(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		want := map[string]string{}
		for _, name := range []string{"cart", "shop", "till", "idle"} {
			newStack(t, s, name)
		}
		for i, name := range []string{"cart", "shop", "cart", "till", "shop", "cart"} {
			r := newRun(name, engine.RunPreview, noon.Add(time.Duration(i)*time.Second))
			must(t, s.CreateRun(t.Context(), r))
			want[name] = r.ID
		}
		delete(want, "till") // which nobody asks for
		statements := 0
		must(t, s.CountReads(func() { statements++ }))
		found := map[string]string{}
		for name, r := range got(s.NewestRuns(t.Context(), []string{"cart", "shop", "idle"}))(t) {
			found[name] = r.ID
		}
		wantEqual(t, found, want)
		wantEqual(t, statements, 1)
		wantEqual(t, len(got(s.NewestRuns(t.Context(), nil))(t)), 0)
	})
}

func TestErrorOfAChangeWritesNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		r := newRun("shop", engine.RunApply, noon)
		must(t, s.CreateRun(t.Context(), r))
		mine := errors.New("mine")
		_, err := s.UpdateRun(t.Context(), r.ID, func(r *engine.Run) error {
			must(t, r.Begin(noon))
			r.Message = "changed"
			r.Approvals = append(r.Approvals, engine.Approval{By: "bob", Verdict: engine.Approved, At: noon})
			return mine
		})
		if err != mine { //nolint:errorlint // the port promises the error as it is
			t.Errorf("error = %v, want that of change as it is", err)
		}
		wantEqual(t, got(s.Run(t.Context(), r.ID))(t), r)
		wantEqual(t, len(got(s.Outbox(t.Context(), 9))(t)), 0)
	})
}

func TestUpdatesOfOneRunWaitForEachOther(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		r := newRun("shop", engine.RunApply, noon)
		must(t, s.CreateRun(t.Context(), r))
		const writers, times = 8, 10
		errs := make(chan error)
		for range writers {
			go func() {
				var failed error
				for range times {
					_, err := s.UpdateRun(t.Context(), r.ID, func(r *engine.Run) error { r.Revision++; r.Steps[1].Lost++; return nil })
					failed = errors.Join(failed, err)
				}
				errs <- failed
			}()
		}
		for range writers {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		r = got(s.Run(t.Context(), r.ID))(t)
		wantEqual(t, r.Revision, 1+writers*times)
		wantEqual(t, r.Steps[1].Lost, writers*times)
	})
}

func TestStackIsAtWhatItsLastChangingRunApplied(t *testing.T) {
	tests := map[string]struct {
		kind   engine.RunKind
		status engine.RunStatus
		want   int
	}{
		"apply that succeeded":   {kind: engine.RunApply, status: engine.RunSucceeded, want: 7},
		"apply that failed":      {kind: engine.RunApply, status: engine.RunFailed, want: 5},
		"preview that succeeded": {kind: engine.RunPreview, status: engine.RunSucceeded, want: 5},
		"destroy that succeeded": {kind: engine.RunDestroy, status: engine.RunSucceeded, want: 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			eachDatabase(t, func(t *testing.T, s *store.Store) {
				must(t, s.CreateStack(t.Context(), &engine.Stack{Name: "shop", Applied: 5, CreatedAt: noon, UpdatedAt: noon}, event("c", "shop")))
				r := newRun("shop", tt.kind, noon)
				r.Revision = 7
				must(t, s.CreateRun(t.Context(), r))
				got(s.UpdateRun(t.Context(), r.ID, func(r *engine.Run) error {
					r.Status, r.FinishedAt = tt.status, noon
					return nil
				}))(t)
				wantEqual(t, got(s.Stack(t.Context(), "shop"))(t).Applied, tt.want)
			})
		})
	}
}
