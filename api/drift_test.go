package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// submitHead stores a revision of the stack hello with something in its stack
// block and another component.
func (s *system) submitHead(head, more string) {
	s.t.Helper()
	files := helloFiles()
	files["stack.hcl"] = strings.Replace(hello, `stack "hello" {}`, "stack \"hello\" {\n"+head+"\n}\n"+more, 1)
	s.must(s.request("POST", "/v1/stacks/hello/revisions", engine.RoleOperator, client.SubmitFiles{Files: files}), http.StatusCreated)
}

// approved plans the run's only step and has it approved.
func (s *system) approved(run client.Run) client.Run {
	s.t.Helper()
	s.plan(run)
	run, err := s.as(engine.RoleApprover).Approve(s.t.Context(), run.ID, s.read(run.ID).Digest, "")
	s.ok(err)
	return run
}

// apply takes a run of the components through to its end.
func (s *system) apply(only ...string) {
	s.t.Helper()
	run, err := s.as(engine.RoleOperator).StartRun(s.t.Context(), "hello", client.StartRun{Kind: "apply", Only: only})
	s.ok(err)
	s.finish(run, engine.OutcomeApplied)
}

// finish applies the run's only step, which ends as it is told.
func (s *system) finish(run client.Run, outcome engine.Outcome) {
	s.t.Helper()
	s.report(s.approved(run).Steps[0].ID, engine.Report{Outcome: outcome})
}

// report claims a step and ends it.
func (s *system) report(step string, rep engine.Report) {
	s.t.Helper()
	claim, _, err := s.runs.Claim(s.t.Context(), step, "worker")
	s.ok(err)
	s.ok(client.New(s.url, claim.Token).Runner().Report(s.t.Context(), rep))
}

// drifted is the report of a check that found something.
var drifted = engine.Report{Outcome: engine.OutcomePlanned, Plan: &engine.Plan{
	Changes: []engine.Change{{Subject: "terraform_data.a", Type: "terraform_data", Action: engine.ActionUpdate}},
}}

// check runs a drift check in which the components have drifted, all of them
// where none is named.
func (s *system) check(components ...string) client.Run {
	s.t.Helper()
	run := s.start("drift")
	for _, step := range run.Steps {
		rep := engine.Report{Outcome: engine.OutcomeUnchanged}
		if len(components) == 0 || slices.Contains(components, step.Address) {
			rep = drifted
		}
		s.report(step.ID, rep)
	}
	return s.read(run.ID)
}

// remediations lists the runs that drift checks started, newest first.
func (s *system) remediations() []*engine.Run {
	s.t.Helper()
	runs, err := s.store.Runs(s.t.Context(), engine.RunFilter{Stack: "hello"}, engine.Page{Limit: 100})
	s.ok(err)
	return slices.DeleteFunc(runs, func(r *engine.Run) bool { return r.Trigger != engine.TriggerDrift })
}

// leftAlone tells why the last drift check started nothing; "" where it did not say.
func (s *system) leftAlone() string {
	s.t.Helper()
	events, err := s.store.Events(s.t.Context(), engine.EventFilter{Stack: "hello"}, engine.Page{Limit: 100})
	s.ok(err)
	for _, e := range events {
		if e.Action == "drift.leave" {
			return string(e.Detail)
		}
	}
	return ""
}

func (s *system) openFindings() (subjects []string) {
	s.t.Helper()
	found, err := s.store.Findings(s.t.Context(), "hello", true, engine.Page{Limit: 100})
	s.ok(err)
	for _, f := range found {
		subjects = append(subjects, f.Component+":"+f.Change.Subject)
	}
	slices.Sort(subjects)
	return subjects
}

func TestRemediationIsOfTheRevisionThatIsDeployed(t *testing.T) {
	s := newSystem(t)
	s.submitHead("approval { approvals = 1 }\ndrift { remediate = \"apply\" }", "")
	s.apply()
	s.submitHead("approval { approvals = 1 }\ndrift { remediate = \"apply\" }\ndescription = \"newer\"", "")
	turnedDown := s.start("apply")
	s.plan(turnedDown)
	_, err := s.as(engine.RoleApprover).Discard(t.Context(), turnedDown.ID, "no, never")
	s.ok(err)

	check := s.check()

	if check.Revision != 1 {
		t.Errorf("the check is of revision %d, and revision 1 is deployed", check.Revision)
	}
	runs := s.remediations()
	if len(runs) != 1 {
		t.Fatalf("%d remediations, not 1", len(runs))
	}
	run := runs[0]
	if run.Revision != 1 || run.Steps[0].Revision != 1 || run.Rule.AutoApprove != engine.AutoAlways || run.Partial { // it leaves nothing of revision 1 out
		t.Errorf("remediation of revision %d, step of %d, rule %+v, partial %t", run.Revision, run.Steps[0].Revision, run.Rule, run.Partial)
	}
	if !slices.Equal(run.Starters, []string{"operator"}) { // who started the check and wrote the revision
		t.Errorf("%v are behind it", run.Starters)
	}
}

func TestRemediationRuleIsThatOfTheDeployedRevision(t *testing.T) {
	s := newSystem(t)
	s.submitHead("", "")
	s.apply()
	s.submitHead("drift {\n remediate = \"apply\"\n ignore = [\"terraform.greeting:terraform_data.a\"]\n}", "")
	s.check()
	if runs := s.remediations(); len(runs) > 0 {
		t.Errorf("a revision that is not applied started %s", runs[0].ID)
	}
	if found := s.openFindings(); len(found) != 1 {
		t.Errorf("findings %q, and nothing that is applied says to ignore any", found)
	}
}

func TestRemediationIsOfOneRevisionAtATime(t *testing.T) {
	s := newSystem(t)
	head, second := "drift { remediate = \"plan\" }", "terraform \"second\" { source = \"./greeting\" }\n"
	s.submitHead(head, second)
	s.apply("terraform.greeting")
	s.submitHead(head+"\ndescription = \"newer\"", second)
	s.apply("terraform.second")
	s.submitHead(head+"\ndescription = \"newest\"", second)

	if check := s.check(); check.Revision != 2 {
		t.Errorf("the check is of revision %d, and 2 is the newest that is deployed", check.Revision)
	}
	if why := s.leftAlone(); !strings.Contains(why, "terraform.greeting drifted at another one than 2") {
		t.Errorf("left alone, because %q", why)
	}
	first := s.remediations()[0]
	s.finish(s.read(first.ID), engine.OutcomeApplied)
	s.check("terraform.greeting")
	runs := s.remediations()
	if len(runs) != 2 {
		t.Fatalf("%d remediations, not 2", len(runs))
	}
	for i, want := range []string{"terraform.greeting at 1", "terraform.second at 2"} {
		steps := runs[i].Steps
		if len(steps) != 1 || fmt.Sprintf("%s at %d", steps[0].Component.Address, steps[0].Revision) != want || steps[0].Revision != runs[i].Revision {
			t.Errorf("remediation of revision %d is of %+v, not of %s", runs[i].Revision, steps, want)
		}
	}
}

func TestRemediationLeavesAloneWhatDidNotDrift(t *testing.T) {
	s := newSystem(t)
	s.submitHead("drift { remediate = \"plan\" }", "terraform \"second\" { source = \"./greeting\" }\n")
	s.apply("terraform.greeting")
	s.apply("terraform.second")
	s.check("terraform.second")
	runs := s.remediations()
	if len(runs) != 1 || len(runs[0].Steps) != 1 || runs[0].Steps[0].Component.Address != "terraform.second" {
		t.Errorf("remediations %+v", runs)
	}
}

func TestRemediationDoesNotFollowAnApplyThatWasCutShort(t *testing.T) {
	for _, outcome := range []engine.Outcome{engine.OutcomeInterrupted, engine.OutcomeFailed} {
		s := newSystem(t)
		s.submitHead("drift { remediate = \"apply\" }", "")
		s.apply()
		s.submitHead("drift { remediate = \"apply\" }\ndescription = \"newer\"", "")
		run := s.start("apply")
		s.finish(run, outcome)
		s.check()
		if runs := s.remediations(); len(runs) > 0 {
			t.Errorf("%s: run %s takes half of revision 2 back to 1 with nobody asked", outcome, runs[0].ID)
		}
		if why := s.leftAlone(); !strings.Contains(why, run.ID) {
			t.Errorf("%s: left alone, because %q", outcome, why)
		}
	}
}

func TestRemediationsDoNotPileUp(t *testing.T) {
	s := newSystem(t)
	s.submitHead("drift { remediate = \"plan\" }", "")
	s.apply()
	for range 3 {
		s.check()
	}
	if runs := s.remediations(); len(runs) != 1 {
		t.Errorf("%d remediations of the same drift", len(runs))
	}
	if why := s.leftAlone(); !strings.Contains(why, "under way") {
		t.Errorf("left alone, because %q", why)
	}
	if found := s.openFindings(); len(found) != 1 {
		t.Errorf("findings %q", found)
	}
}

func TestIgnoredDriftIsNotRemediated(t *testing.T) {
	s := newSystem(t)
	s.submitHead("drift {\n remediate = \"apply\"\n ignore = [\"terraform.greeting:terraform_data.a\"]\n}", "")
	s.apply()
	check := s.check()
	if runs := s.remediations(); len(runs) > 0 {
		t.Errorf("run %s puts right what is to be ignored", runs[0].ID)
	}
	step := check.Steps[0]
	if step.Summary != (client.Summary{}) || !slices.Contains(step.Notes, "1 change is ignored by drift.ignore") {
		t.Errorf("summary %+v, notes %q", step.Summary, step.Notes)
	}
	plan, err := s.runs.Plan(t.Context(), step.ID)
	s.ok(err)
	if len(plan.Changes) != 1 || !slices.Equal(plan.Notes, step.Notes) {
		t.Errorf("plan %+v", plan)
	}
}
