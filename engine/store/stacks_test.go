package store_test

import (
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func TestStackKeepsEveryField(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		var want engine.Stack
		new(filler).fill(&want)
		must(t, s.CreateStack(t.Context(), &want, event("stack.create", want.Name)))
		wantEqual(t, got(s.Stack(t.Context(), want.Name))(t), &want)
		wantEqual(t, got(s.Stacks(t.Context(), engine.Page{}))(t), []*engine.Stack{&want})
	})
}

func TestStackNameIsTakenOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		err := s.CreateStack(t.Context(), &engine.Stack{Name: "shop", CreatedAt: noon, UpdatedAt: noon}, event("stack.create", "shop"))
		wantKind(t, err, engine.ErrConflict)
		wantEqual(t, actions(t, s, "shop"), []string{"stack.create"})
	})
}

func TestStacksAreListedByNamePageByPage(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for _, name := range []string{"c", "a", "d", "b"} {
			newStack(t, s, name)
		}
		var names []string
		for after := ""; ; {
			page := got(s.Stacks(t.Context(), engine.Page{After: after, Limit: 3}))(t)
			if len(page) == 0 {
				break
			}
			for _, st := range page {
				names, after = append(names, st.Name), st.Name
			}
		}
		wantEqual(t, names, []string{"a", "b", "c", "d"})
	})
}

func TestStackThatIsMissing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		_, err := s.Stack(t.Context(), "none")
		wantKind(t, err, engine.ErrNotFound)
		wantKind(t, s.DeleteStack(t.Context(), "none", event("stack.delete", "none")), engine.ErrNotFound)
		_, err = s.Revision(t.Context(), "none", 1)
		wantKind(t, err, engine.ErrNotFound)
		wantEqual(t, actions(t, s, "none"), []string(nil))
	})
}

func TestDeleteStack(t *testing.T) {
	tests := map[string]struct {
		before func(t *testing.T, s *store.Store)
		want   error
	}{
		"empty stack goes": {before: func(*testing.T, *store.Store) {}},
		"finished run goes with it": {before: func(t *testing.T, s *store.Store) {
			r := newRun("shop", engine.RunApply, noon)
			r.Status, r.FinishedAt = engine.RunFailed, noon
			must(t, s.CreateRun(t.Context(), r))
		}},
		"run under way keeps it": {want: engine.ErrConflict, before: func(t *testing.T, s *store.Store) {
			must(t, s.CreateRun(t.Context(), begun(t, "shop", engine.RunApply, noon)))
		}},
		"preview under way keeps it": {want: engine.ErrConflict, before: func(t *testing.T, s *store.Store) {
			must(t, s.CreateRun(t.Context(), begun(t, "shop", engine.RunPreview, noon)))
		}},
		"resources in the state keep it": {want: engine.ErrConflict, before: func(t *testing.T, s *store.Store) {
			must(t, s.PutState(t.Context(), engine.StatePut{}, state(1, "l", 3)))
		}},
		"resources of an older state do not count": {before: func(t *testing.T, s *store.Store) {
			must(t, s.PutState(t.Context(), engine.StatePut{}, state(1, "l", 3)))
			must(t, s.PutState(t.Context(), engine.StatePut{}, state(2, "l", 0)))
		}},
		"a lock that somebody holds keeps it": {want: engine.ErrConflict, before: func(t *testing.T, s *store.Store) {
			must(t, s.LockState(t.Context(), engine.StateWriter{}, lock("l1")))
		}},
		"a lock that was given back does not": {before: func(t *testing.T, s *store.Store) {
			must(t, s.LockState(t.Context(), engine.StateWriter{}, lock("l1")))
			must(t, s.UnlockState(t.Context(), engine.StateWriter{}, "shop", "terraform.a", "l1"))
		}},
		"a decommission play that has to run keeps it":     {want: engine.ErrConflict, before: played(true, true, applied)},
		"one of a run that failed elsewhere keeps it, too": {want: engine.ErrConflict, before: played(true, true, half)},
		"a decommission play that has run does not":        {before: played(true, true, applied, destroyed)},
		"a playbook that was never applied does not":       {before: played(true, true)},
		"a playbook without such a play does not":          {before: played(false, true, applied)},
		"one of a playbook that left the stack keeps it":   {want: engine.ErrConflict, before: played(true, false, applied)},
		"all that belongs to it goes": {before: func(t *testing.T, s *store.Store) {
			must(t, s.AddRevision(t.Context(), revision("shop"), engine.Beside{Drift: driftSchedule("shop", "@daily")}, event("r", "shop")))
			must(t, s.RecordFindings(t.Context(), "shop", "terraform.a", "run-1", []engine.Change{{Subject: "x"}}, noon))
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			eachDatabase(t, func(t *testing.T, s *store.Store) {
				newStack(t, s, "shop")
				tt.before(t, s)
				err := s.DeleteStack(t.Context(), "shop", event("stack.delete", "shop"))
				if tt.want != nil {
					wantKind(t, err, tt.want)
					got(s.Stack(t.Context(), "shop"))(t)
					return
				}
				must(t, err)
				_, err = s.Stack(t.Context(), "shop")
				wantKind(t, err, engine.ErrNotFound)
				wantEqual(t, len(got(s.Schedules(t.Context(), "shop", engine.Page{}))(t)), 0)
				wantEqual(t, got(s.OpenFindings(t.Context(), []string{"shop"}))(t), map[string]int{})
			})
		})
	}
}

// What became of a component in a run.
var (
	applied   = outcome{engine.RunApply, engine.RunSucceeded, engine.StepApplied, false, 1}
	half      = outcome{engine.RunApply, engine.RunFailed, engine.StepApplied, false, 1}
	destroyed = outcome{engine.RunDestroy, engine.RunSucceeded, engine.StepApplied, true, 1}
)

// played makes a stack with a playbook, and one more revision that stays with
// it or drops it, and the runs of which these are the outcomes.
func played(onDestroy, stays bool, runs ...outcome) func(t *testing.T, s *store.Store) {
	return func(t *testing.T, s *store.Store) {
		part := engine.Component{Address: "ansible.web", Kind: engine.KindAnsible, Cloud: engine.CloudLocal, OnDestroy: onDestroy}
		with, without := revision("shop"), revision("shop")
		with.Blueprint.Components, without.Blueprint.Components = []engine.Component{part}, nil
		must(t, s.AddRevision(t.Context(), with, engine.Beside{}, event("r", "shop")))
		if !stays {
			must(t, s.AddRevision(t.Context(), without, engine.Beside{}, event("r", "shop")))
		}
		for i, o := range runs {
			r := o.of("shop", noon.Add(time.Duration(i)*time.Minute))
			r.Steps[0].Component = part
			must(t, s.CreateRun(t.Context(), r))
		}
	}
}

func revision(stack string) *engine.Revision {
	r := &engine.Revision{}
	new(filler).fill(r)
	r.Stack, r.Number = stack, 0
	return r
}

func driftSchedule(stack, cron string) *engine.Schedule {
	return &engine.Schedule{ID: engine.NewID("sch", noon), Stack: stack, Name: "drift", Kind: engine.RunDrift,
		Cron: cron, Timezone: "UTC", NextRunAt: noon, CreatedBy: "ada", CreatedAt: noon}
}

func TestRevisionKeepsEveryField(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		want := revision("shop")
		must(t, s.AddRevision(t.Context(), want, engine.Beside{}, event("revision.add", "shop")))
		wantEqual(t, got(s.Revision(t.Context(), "shop", 1))(t), want)
		listed := *want
		listed.Sources, listed.Variables = nil, nil
		wantEqual(t, got(s.Revisions(t.Context(), "shop", engine.Page{}))(t), []*engine.Revision{&listed})
	})
}

func TestAddRevisionNumbersThemAndMakesTheStack(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for want := 1; want <= 3; want++ {
			r := revision("shop")
			must(t, s.AddRevision(t.Context(), r, engine.Beside{}, event("revision.add", "shop")))
			wantEqual(t, r.Number, want)
		}
		other := revision("blog")
		must(t, s.AddRevision(t.Context(), other, engine.Beside{}, event("revision.add", "blog")))
		wantEqual(t, other.Number, 1)
		st := got(s.Stack(t.Context(), "shop"))(t)
		wantEqual(t, st.Latest, 3)
		wantEqual(t, st.Description, other.Blueprint.Description)
		wantEqual(t, st.Labels, other.Blueprint.Labels)
		wantEqual(t, st.CreatedAt, other.CreatedAt)
		page := got(s.Revisions(t.Context(), "shop", engine.Page{After: "3", Limit: 1}))(t)
		wantEqual(t, page[0].Number, 2)
		wantEqual(t, actions(t, s, "shop"), []string{"revision.add", "revision.add", "revision.add"})
	})
}

func TestRevisionsAddedTogetherGetNumbersOfTheirOwn(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		seen, errs := make(chan int, 8), make(chan error, 8)
		for range 8 {
			go func() {
				r := revision("shop")
				errs <- s.AddRevision(t.Context(), r, engine.Beside{}, event("revision.add", "shop"))
				seen <- r.Number
			}()
		}
		numbers := map[int]bool{}
		for range 8 {
			must(t, <-errs)
			numbers[<-seen] = true
		}
		wantEqual(t, len(numbers), 8)
	})
}

func TestAddRevisionKeepsTheDriftScheduleInStep(t *testing.T) {
	daily := driftSchedule("shop", "@daily")
	daily.Paused, daily.LastRunAt = true, noon
	tests := map[string]struct {
		next *engine.Schedule
		want []string
	}{
		"the same keeps its pause and times": {next: driftSchedule("shop", "@daily"), want: []string{"@daily paused"}},
		"another takes its place":            {next: driftSchedule("shop", "@hourly"), want: []string{"@hourly"}},
		"none removes it":                    {next: nil, want: nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			eachDatabase(t, func(t *testing.T, s *store.Store) {
				must(t, s.AddRevision(t.Context(), revision("shop"), engine.Beside{Drift: daily}, event("r", "shop")))
				must(t, s.AddRevision(t.Context(), revision("shop"), engine.Beside{Drift: tt.next}, event("r", "shop")))
				wantEqual(t, crons(t, s), tt.want)
			})
		})
	}
}

func crons(t testing.TB, s *store.Store) (list []string) {
	t.Helper()
	for _, sch := range got(s.Schedules(t.Context(), "shop", engine.Page{}))(t) {
		said := sch.Cron
		if sch.Paused {
			said += " paused"
		}
		list = append(list, said)
	}
	return list
}

func TestAddRevisionLeavesOtherSchedulesAlone(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		nightly := driftSchedule("shop", "@midnight")
		nightly.Name, nightly.CreatedAt = "nightly", noon.Add(time.Hour)
		must(t, s.PutSchedule(t.Context(), nightly, event("schedule.put", "shop")))
		must(t, s.AddRevision(t.Context(), revision("shop"), engine.Beside{}, event("r", "shop")))
		wantEqual(t, got(s.Schedules(t.Context(), "shop", engine.Page{}))(t), []*engine.Schedule{nightly})
	})
}
