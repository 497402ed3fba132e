package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// people makes users with roles, each with a token.
func (s *system) people(roles map[string][]engine.Role) {
	s.t.Helper()
	for name, list := range roles {
		s.newcomer(name)
		for _, role := range list {
			s.bind(name, role)
		}
	}
}

var boss = engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}

func (s *system) bind(name string, role engine.Role) {
	s.t.Helper()
	s.ok(s.access.Bind(s.t.Context(), boss, binding(name, role)))
}

func binding(name string, role engine.Role) engine.Binding {
	return engine.Binding{Subject: engine.Subject{Kind: engine.SubjectUser, Name: name}, Role: role}
}

// team makes people of all trades: ada, bob and carl do everything to runs,
// otto starts them, dora starts and applies, and vera approves.
func (s *system) team() {
	s.t.Helper()
	all := []engine.Role{engine.RoleOperator, engine.RoleApprover, engine.RoleDeployer}
	s.people(map[string][]engine.Role{
		"ada": all, "bob": all, "carl": all,
		"otto": {engine.RoleOperator}, "dora": {engine.RoleDeployer}, "vera": {engine.RoleApprover},
	})
}

// revise stores a revision of the stack hello with an approval rule.
func (s *system) revise(by engine.Role, head string) {
	s.t.Helper()
	files := helloFiles()
	files["stack.hcl"] = strings.Replace(hello, `stack "hello" {}`, "stack \"hello\" {\n"+head+"\n}", 1)
	s.must(s.request("POST", "/v1/stacks/hello/revisions", by, client.SubmitFiles{Files: files}), http.StatusCreated)
}

// waits starts a run that waits with a plan.
func (s *system) waits(by engine.Role) client.Run {
	s.t.Helper()
	run, err := s.as(by).StartRun(s.t.Context(), "hello", client.StartRun{Kind: "apply"})
	s.ok(err)
	s.plan(run)
	return s.read(run.ID)
}

// approves lets somebody approve; why is a part of the refusal, "" for none.
func (s *system) approves(by engine.Role, run client.Run, why string) client.Run {
	s.t.Helper()
	_, err := s.as(by).Approve(s.t.Context(), run.ID, run.Digest, "")
	s.refuses(err, why)
	return s.read(run.ID)
}

// ends lets the approved apply of a run come to an end.
func (s *system) ends(run client.Run, outcome engine.Outcome) {
	s.t.Helper()
	s.ok(client.New(s.url, s.claim(run).Token).Runner().Report(s.t.Context(), engine.Report{Outcome: outcome}))
}

func (s *system) refuses(err error, why string) {
	s.t.Helper()
	if why == "" {
		s.ok(err)
	} else if err == nil || !strings.Contains(err.Error(), why) {
		s.t.Errorf("it says %v, not %s", err, why)
	}
}

// is checks what a run is and what it says of it.
func (s *system) is(run client.Run, status, reason string) {
	s.t.Helper()
	if run = s.read(run.ID); run.Status != status || !strings.Contains(run.Reason, reason) {
		s.t.Fatalf("the run is %s: %s", run.Status, run.Reason)
	}
}

const oneOther = "approval { approvals = 1 }"

func TestSamePersonWithTwoTokensIsOnePerson(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("bob", oneOther)
	run := s.waits("ada")
	token, err := s.as("ada").CreateToken(t.Context(), client.CreateToken{Name: "another"})
	s.ok(err)
	s.tokens["ada again"] = engine.Secret(token.Token)
	s.approves("ada again", run, "ada started run "+run.ID)
	s.revise("bob", "approval { approvals = 2 }")
	_, err = s.as("ada").Discard(t.Context(), run.ID, "")
	s.ok(err)
	run = s.waits("otto")
	s.approves("ada", run, "")
	s.approves("ada again", run, "has approved this plan already")
	s.is(run, "planned", "")
}

func TestServiceAccountStandsForItsOwner(t *testing.T) {
	s := newSystem(t)
	s.team()
	for name, owner := range map[string]string{"adas-ci": "ada", "bobs-ci": "bob"} {
		s.ok(s.access.AddUser(t.Context(), boss, engine.NewUser{Name: name, Kind: engine.Service, Owner: owner}))
		token, _, err := s.access.CreateToken(t.Context(), boss, engine.TokenRequest{Name: "ci", User: name})
		s.ok(err)
		s.tokens[engine.Role(name)] = token
		for _, role := range []engine.Role{engine.RoleOperator, engine.RoleApprover, engine.RoleDeployer} {
			s.bind(name, role)
		}
	}
	s.revise("adas-ci", oneOther)
	run := s.waits("bobs-ci")
	s.approves("ada", run, "ada can't approve because ada wrote revision 1")
	s.approves("bob", run, "bob started run "+run.ID)
	s.approves("adas-ci", run, "as a service account; people approve")
	s.approves("bobs-ci", run, "as a service account; people approve")
	s.is(run, "planned", "")
	s.is(s.approves("carl", run, ""), "approved", "")
}

func TestNobodyApprovesTheirOwnChange(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("ada", oneOther)
	s.revise("bob", oneOther+"\ndescription = \"on top of what ada wrote\"")
	s.must(s.request("PUT", "/v1/stacks/hello/variables/environment/DB_URL", "carl", map[string]any{"value": "x"}), http.StatusOK)
	run := s.waits("otto")
	s.approves("ada", run, "ada can't approve because ada wrote revision 1")
	s.approves("bob", run, "wrote revision 2")
	s.approves("carl", run, "set variable DB_URL")
	d, err := s.as("bob").Decision(t.Context(), run.ID)
	s.ok(err)
	if d.MayApprove || d.WhyNot != "wrote revision 2" || len(d.Needs) != 1 || d.Needs[0].Has != 0 {
		t.Errorf("decision %+v", d)
	}
	s.is(s.approves("approver", run, ""), "approved", "")
	s.ends(run, engine.OutcomeApplied)

	s.revise("bob", oneOther) // what is applied counts no longer
	run = s.waits("otto")
	s.is(s.approves("ada", run, ""), "approved", "")
}

func TestRevisionThatAsksForLessIsAppliedUnderWhatWasAskedBefore(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("ada", oneOther)
	run := s.waits("ada")
	s.approves("bob", run, "")
	s.ends(run, engine.OutcomeApplied)
	s.revise("ada", `approval { auto_approve = "always" }`)
	run = s.waits("ada")
	s.is(run, "planned", "")
	s.approves("ada", run, "ada started run")
}

func TestRoleThatIsLostBetweenApprovalAndApply(t *testing.T) {
	for name, lose := range map[string]func(s *system){
		"the role is taken away": func(s *system) { s.ok(s.access.Unbind(s.t.Context(), boss, binding("vera", engine.RoleApprover))) },
		"the person is locked out": func(s *system) {
			yes := true
			_, err := s.access.UpdateUser(s.t.Context(), boss, "vera", engine.UserChange{Disabled: &yes})
			s.ok(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			s.team()
			s.revise("ada", oneOther)
			run := s.waits("dora")
			s.is(s.approves("vera", run, ""), "approved", "")
			lose(s)
			_, _, err := s.runs.Claim(t.Context(), run.Steps[0].ID, "worker")
			s.refuses(err, "is no longer approved: the approval of vera counts no longer")
			s.is(run, "planned", "vera may not approve plans of stack hello; it lacks 1 approval")
			if s.actions()["engine run.withdraw"] != 1 {
				t.Error("nothing in the audit log")
			}
			d, err := s.as("bob").Decision(t.Context(), run.ID)
			s.ok(err)
			if len(d.Words) != 1 || d.Words[0].Counts || !d.MayApprove {
				t.Errorf("decision %+v", d)
			}
			s.is(s.approves("bob", run, ""), "approved", "")
			s.ends(run, engine.OutcomeApplied)
			s.is(run, "succeeded", "")
		})
	}
}

func TestApprovedPlanWaitsForADeployer(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("ada", oneOther)
	run := s.waits("otto")
	s.approves("vera", run, "")
	s.is(run, "planned", "approved; waits for somebody who may apply")
	_, err := s.as("otto").ApplyRun(t.Context(), run.ID, run.Digest, "")
	s.refuses(err, "otto may not apply")
	_, err = s.as("dora").ApplyRun(t.Context(), run.ID, "0000", "")
	s.refuses(err, "is not the one that waits")
	_, err = s.as("dora").ApplyRun(t.Context(), run.ID, run.Digest, "go")
	s.ok(err)
	s.is(run, "approved", "")
}

func TestConfirmationTakesOneOfTwoRights(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("otto", "")
	run := s.waits("otto")
	_, err := s.as("otto").ApplyRun(t.Context(), run.ID, run.Digest, "")
	s.refuses(err, "otto may not apply")
	_, err = s.as("dora").ApplyRun(t.Context(), run.ID, run.Digest, "")
	s.ok(err)
	s.is(run, "approved", "")
}

func TestRetryIsOfThoseWhoStartedTheFirstRun(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("dora", oneOther)
	run := s.waits("ada")
	s.approves("bob", run, "")
	s.ends(run, engine.OutcomeFailed)
	retry, err := s.as("otto").Retry(t.Context(), run.ID, "")
	s.ok(err)
	s.plan(retry)
	retry = s.read(retry.ID)
	s.approves("ada", retry, "ada started run")
	s.is(s.approves("bob", retry, ""), "approved", "")
}

func TestWhoMadeAScheduleStartedItsRuns(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("dora", oneOther)
	sch, err := s.as("ada").CreateSchedule(t.Context(), "hello", client.CreateSchedule{Name: "nightly", Kind: "apply", Cron: "0 1 * * *"})
	s.ok(err)
	stored, err := s.store.Schedule(t.Context(), sch.ID)
	s.ok(err)
	id, err := s.runs.StartScheduled(t.Context(), stored)
	s.ok(err)
	s.plan(s.read(id))
	run := s.read(id)
	s.approves("ada", run, "ada started run")
	s.is(s.approves("bob", run, ""), "approved", "")
}
