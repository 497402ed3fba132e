package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func TestRunFromPlanToApplied(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	s.plan(run)
	run = s.read(run.ID)
	if run.Status != "planned" || run.Digest == "" || run.Summary.Create != 1 {
		t.Fatalf("run %+v", run)
	}
	run, err := s.as(engine.RoleApprover).Approve(t.Context(), run.ID, run.Digest, "go on")
	s.ok(err)
	if a := run.Approvals[0]; a.By != "approver" || a.Verdict != "approved" || a.Comment != "go on" || a.Digest != run.Digest {
		t.Errorf("approval %+v", a)
	}
	runner := client.New(s.url, s.claim(run).Token).Runner()
	file, err := runner.PlanFile(t.Context())
	s.ok(err)
	if string(file) != "the plan" {
		t.Errorf("the plan to apply is %q", file)
	}
	s.ok(runner.Report(t.Context(), engine.Report{Outcome: engine.OutcomeApplied, Applied: engine.Summary{Create: 1}}))
	if run = s.read(run.ID); run.Status != "succeeded" || run.Steps[0].Applied.Create != 1 || run.FinishedAt == nil {
		t.Errorf("run %+v", run)
	}
	st, err := s.as(engine.RoleViewer).Stack(t.Context(), "hello")
	s.ok(err)
	if st.Applied != 1 {
		t.Errorf("stack %+v", st)
	}
}

func TestDecisions(t *testing.T) {
	approve := func(digest string) func(*system, client.Run) error {
		return func(s *system, run client.Run) error {
			if digest == "its" {
				digest = run.Digest
			}
			_, err := s.as(engine.RoleApprover).Approve(s.t.Context(), run.ID, digest, "")
			return err
		}
	}
	discard := func(s *system, run client.Run) error {
		_, err := s.as(engine.RoleApprover).Discard(s.t.Context(), run.ID, "no")
		return err
	}
	cancel := func(s *system, run client.Run) error {
		_, err := s.as(engine.RoleOperator).Cancel(s.t.Context(), run.ID)
		return err
	}
	type decide = func(*system, client.Run) error
	tests := map[string]struct {
		decide []decide // the last one is looked at
		kind   error
		status string
	}{
		"the plan is approved":                    {[]decide{approve("its")}, nil, "approved"},
		"another plan was meant":                  {[]decide{approve("0000")}, engine.ErrConflict, "planned"},
		"no plan was named":                       {[]decide{approve("")}, engine.ErrInvalid, "planned"},
		"approving twice is refused":              {[]decide{approve("its"), approve("its")}, engine.ErrConflict, "approved"},
		"the plan is discarded":                   {[]decide{discard}, nil, "discarded"},
		"a discarded plan is not approved":        {[]decide{discard, approve("its")}, engine.ErrConflict, "discarded"},
		"cancelling a run that waits discards it": {[]decide{cancel}, nil, "discarded"},
		"what is over is not cancelled any more":  {[]decide{cancel, cancel}, engine.ErrConflict, "discarded"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			s.submit()
			run := s.start("apply")
			s.plan(run)
			run = s.read(run.ID)
			var err error
			for _, decide := range tt.decide {
				err = decide(s, run)
			}
			if !errors.Is(err, tt.kind) {
				t.Errorf("it says %v", err)
			}
			if got := s.read(run.ID).Status; got != tt.status {
				t.Errorf("the run is %s, not %s", got, tt.status)
			}
		})
	}
}

func TestPlanOfARunForPeopleAndPrograms(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	s.plan(run)
	run = s.read(run.ID)
	want := "terraform.greeting: planned\n  + terraform_data.a\n\nPlan: 1 to add, 0 to change, 0 to destroy.\nPolicies: not checked. Cost: not checked.\nDigest: " + run.Digest + "\n"
	text, err := s.as(engine.RoleViewer).RunPlanText(t.Context(), run.ID)
	s.ok(err)
	if text != want {
		t.Errorf("the plan reads\n%s\nnot\n%s", text, want)
	}
	r := s.must(s.send("GET", "/v1/runs/"+run.ID+"/plan", engine.RoleViewer, nil, "Accept", "text/plain"), http.StatusOK)
	if string(r.body) != want || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("asked for by Accept: %s", r.body)
	}
	plan, err := s.as(engine.RoleViewer).RunPlan(t.Context(), run.ID)
	s.ok(err)
	if plan.Digest != run.Digest || plan.Summary.Create != 1 || plan.Steps[0].Plan.Changes[0].Subject != "terraform_data.a" {
		t.Errorf("plan %+v", plan)
	}
	r = s.must(s.send("GET", "/v1/steps/"+run.Steps[0].ID+"/plan?format=text", engine.RoleViewer, nil), http.StatusOK)
	if string(r.body) != "  + terraform_data.a\n" {
		t.Errorf("the step's plan reads %q", r.body)
	}
}

func TestPlanThatIsNotThereYetIsEmpty(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	r := s.must(s.request("GET", "/v1/runs/"+run.ID+"/plan", engine.RoleViewer, nil), http.StatusOK)
	if !strings.Contains(string(r.body), `"changes":[]`) {
		t.Errorf("plan %s", r.body)
	}
	for _, path := range []string{"/plan.json", "/recap"} {
		s.must(s.request("GET", "/v1/steps/"+run.Steps[0].ID+path, engine.RoleViewer, nil), http.StatusNotFound).problem(t)
	}
}

func TestRunsAreListedNewestFirst(t *testing.T) {
	s := newSystem(t)
	s.submit()
	var want []string
	for range 5 {
		want = append([]string{s.start("preview").ID}, want...)
	}
	var got []string
	list := func(ctx context.Context, p client.Page) (client.List[client.Run], error) {
		p.Limit = 2
		return s.as(engine.RoleViewer).Runs(ctx, client.RunFilter{Stack: "hello", Kind: "preview", Status: "planning"}, p)
	}
	all, err := client.All(t.Context(), list)
	s.ok(err)
	for _, run := range all {
		if got = append(got, run.ID); len(run.Steps) != 1 {
			t.Errorf("run %+v has no steps", run)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("runs %v, not %v", got, want)
	}
	none, err := s.as(engine.RoleViewer).Runs(t.Context(), client.RunFilter{Kind: "apply"}, client.Page{})
	s.ok(err)
	if len(none.Items) != 0 || none.Items == nil {
		t.Errorf("of another kind: %+v", none)
	}
}

// counted counts what a list of runs may ask the database for.
type counted struct {
	engine.Store
	runs int
}

func (c *counted) Runs(ctx context.Context, f engine.RunFilter, p engine.Page) ([]*engine.Run, error) {
	c.runs++
	return c.Store.Runs(ctx, f, p)
}

func (c *counted) Run(ctx context.Context, id string) (*engine.Run, error) {
	c.runs += 100
	return c.Store.Run(ctx, id)
}

func TestListOfRunsAsksOnce(t *testing.T) {
	var c *counted
	s := newSystem(t, func(d *Deps) { c = &counted{Store: d.Store}; d.Store = c; d.Runs.Store = c })
	s.submit()
	for range 5 {
		s.start("preview")
	}
	c.runs = 0
	s.must(s.request("GET", "/v1/runs", engine.RoleViewer, nil), http.StatusOK)
	if c.runs != 1 {
		t.Errorf("it asked %d times", c.runs)
	}
}

func TestSecondChangingRunWaits(t *testing.T) {
	s := newSystem(t)
	s.submit()
	first, second := s.start("apply"), s.start("apply")
	if second.Status != "pending" || !strings.Contains(second.Reason, first.ID) {
		t.Errorf("the second run is %s: %s", second.Status, second.Reason)
	}
	_, err := s.as(engine.RoleOperator).Cancel(t.Context(), first.ID)
	s.ok(err)
	if got := s.read(second.ID); got.Status != "planning" {
		t.Errorf("once the first is over it is %s", got.Status)
	}
}

func TestWatchRunSeesEachChangeToTheEnd(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	seen := make(chan string, 100)
	done := make(chan error, 1)
	go func() {
		done <- s.as(engine.RoleViewer).WatchRun(t.Context(), run.ID, func(r client.Run) error { seen <- r.Status; return nil })
	}()
	until := func(status string) {
		t.Helper()
		within(t, func(context.Context) bool {
			for got := range seen {
				if got == status {
					return true
				}
			}
			return false
		})
	}
	until("planning")
	s.plan(run)
	until("planned")
	_, err := s.as(engine.RoleApprover).Discard(t.Context(), run.ID, "")
	s.ok(err)
	until("discarded")
	s.ok(within(t, func(context.Context) error { return <-done }))
}

func TestWatchRunEndsWhereTheWatcherWants(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	enough := errors.New("enough")
	err := within(t, func(ctx context.Context) error {
		return s.as(engine.RoleViewer).WatchRun(ctx, run.ID, func(client.Run) error { return enough })
	})
	if !errors.Is(err, enough) {
		t.Errorf("it ended with %v", err)
	}
	err = within(t, func(ctx context.Context) error {
		return s.as(engine.RoleViewer).WatchRun(ctx, "none", func(client.Run) error { return nil })
	})
	if !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("a run that is not there: %v", err)
	}
}

func (l *leaving) CreateRun(ctx context.Context, r *engine.Run) error {
	err := l.Store.CreateRun(ctx, r)
	if err == nil {
		l.leave()
	}
	return err
}

func TestRunIsQueuedOnceThoughItsCallerIsGone(t *testing.T) {
	s := newSystem(t)
	s.submit()
	s.start("apply")
	ctx, leave := context.WithCancel(t.Context())
	s.runs.Store = &leaving{s.store, leave}

	run, err := s.runs.Start(ctx, engine.Principal{User: "ada"}, engine.StartRequest{Stack: "hello", Kind: engine.RunApply})

	if err != nil || run.Status != engine.RunPending {
		t.Errorf("run %+v, %v; its key would be given up, and the same request queue another one", run, err)
	}
}
