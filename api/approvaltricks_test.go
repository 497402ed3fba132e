package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// finds starts a run whose plan has nothing to change.
func (s *system) finds(by engine.Role, revision int) client.Run {
	s.t.Helper()
	run, err := s.as(by).StartRun(s.t.Context(), "hello", client.StartRun{Kind: "apply", Revision: revision})
	s.ok(err)
	s.ends(run, engine.OutcomeUnchanged)
	return s.read(run.ID)
}

const lax = `approval { auto_approve = "always" }`

// A revision that changed nothing but its approval rule was once applied by
// itself, and the next one was under that rule alone.
func TestRuleIsNotLoosenedByARevisionThatChangesNothing(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("ada", oneOther)
	run := s.waits("ada")
	s.approves("bob", run, "")
	s.ends(run, engine.OutcomeApplied)
	s.is(s.finds("ada", 0), "succeeded", "nothing to change")

	s.revise("ada", lax)
	run = s.finds("ada", 0)
	s.is(run, "planned", "")
	s.approves("ada", run, "ada started run")
	s.approves("bob", run, "")
	s.is(run, "succeeded", "")

	s.revise("ada", lax) // by now that was agreed to
	s.is(s.waits("ada"), "approved", "")
}

// The rule of a run was once worked out when it was started, though runs before
// it could tighten the rule until its turn came.
func TestRunThatWaitsForItsTurnIsUnderTheRuleByThen(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("ada", lax)
	s.ends(s.waits("ada"), engine.OutcomeApplied)
	s.revise("ada", oneOther)
	tight := s.waits("ada")
	s.revise("ada", lax)
	queued, err := s.as("ada").StartRun(t.Context(), "hello", client.StartRun{Kind: "apply"})
	s.ok(err)
	s.is(queued, "pending", "waits for run")
	s.is(s.approves("bob", tight, ""), "approved", "")
	s.ends(tight, engine.OutcomeApplied)
	s.plan(s.read(queued.ID))
	queued = s.read(queued.ID)
	s.is(queued, "planned", "")
	s.approves("ada", queued, "ada started run")
	s.is(s.approves("bob", queued, ""), "approved", "") // whose change of before is applied, and no longer counts
}

func TestRevisionThatSaysLessIsNotWavedThroughByTheOneBefore(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("ada", lax)
	s.ends(s.waits("ada"), engine.OutcomeApplied)
	s.revise("ada", "") // from now on somebody is asked
	s.is(s.waits("ada"), "planned", "")
}

// pair is the stack hello with a second component.
func (s *system) pair(by engine.Role, head string) {
	s.t.Helper()
	files := helloFiles()
	files["stack.hcl"] = strings.Replace(hello, `stack "hello" {}`, "stack \"hello\" {\n"+head+"\n}\nterraform \"other\" {\n  source = \"./greeting\"\n}\n", 1)
	s.must(s.request("POST", "/v1/stacks/hello/revisions", by, client.SubmitFiles{Files: files}), http.StatusCreated)
}

// Only revisions that were applied as a whole once had a say.
func TestRuleOfARevisionThatIsAppliedInPartHolds(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.pair("ada", oneOther)
	part, err := s.as("ada").StartRun(t.Context(), "hello", client.StartRun{Kind: "apply", Only: []string{"terraform.greeting"}})
	s.ok(err)
	s.plan(part)
	part = s.read(part.ID)
	s.approves("bob", part, "")
	s.ends(part, engine.OutcomeApplied)
	s.is(part, "succeeded", "")
	s.revise("ada", lax)
	run := s.waits("ada")
	s.is(run, "planned", "")
	s.says(run, `auto_approve = "always" of revision 2 does not hold, since it asks for less than what is applied`)
	s.approves("ada", run, "ada started run")
}

// says checks that who looks at the run is told a line about the stack's rule.
func (s *system) says(run client.Run, line string) {
	s.t.Helper()
	d, err := s.as(engine.RoleViewer).Decision(s.t.Context(), run.ID)
	s.ok(err)
	if !slices.Contains(d.Rules[0].Says, line) {
		s.t.Errorf("the stack's rule says %q", d.Rules[0].Says)
	}
}

func TestRuleOfTheInstallationIsHeldAgainstThoseOfProjects(t *testing.T) {
	s := newSystem(t)
	s.team()
	_, err := s.as(engine.RoleAdmin).PutPolicy(t.Context(), "default", `approval { roles = ["approver"] }`)
	s.ok(err)
	_, err = s.as(engine.RoleAdmin).PutPolicy(t.Context(), "", `approval { roles = ["admin"] }`)
	s.refuses(err, "project default")
}

// Who may only plan once applied by a revision that lets every plan pass.
func TestRuleThatAsksNobodyStandsInForWhoMayApply(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("otto", lax)
	run := s.waits("otto")
	s.is(run, "planned", "")
	s.says(run, `auto_approve = "always" of revision 1 does not hold, since who started the run may not apply`)
	_, err := s.as("otto").ApplyRun(t.Context(), run.ID, run.Digest, "")
	s.refuses(err, "otto may not apply")
	_, err = s.as("dora").ApplyRun(t.Context(), run.ID, run.Digest, "")
	s.ok(err)
	s.ends(run, engine.OutcomeApplied)
	s.is(s.waits("dora"), "approved", "") // who may
}

// A token may be for less than the person whose it is.
func TestTokenThatMayOnlyPlanAppliesNothing(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("dora", lax)
	token, err := s.as("dora").CreateToken(t.Context(), client.CreateToken{Name: "ci", Permissions: []string{"read", "plan"}})
	s.ok(err)
	s.tokens["ci"] = engine.Secret(token.Token)
	s.is(s.waits("ci"), "planned", "")
	nightly := client.CreateSchedule{Name: "nightly", Kind: "apply", Cron: "0 1 * * *"}
	_, err = s.as("ci").CreateSchedule(t.Context(), "hello", nightly) // which would apply by night
	s.refuses(err, "a schedule applies what dora may apply, which the token ")
	nightly.Kind = "drift"
	_, err = s.as("ci").CreateSchedule(t.Context(), "hello", nightly)
	s.ok(err)
}

func TestScheduleAppliesWhatWhoMadeItMayApply(t *testing.T) {
	for by, status := range map[engine.Role]string{"otto": "planned", "dora": "approved"} {
		s := newSystem(t)
		s.team()
		s.revise("otto", lax)
		sch, err := s.as(by).CreateSchedule(t.Context(), "hello", client.CreateSchedule{Name: "nightly", Kind: "apply", Cron: "0 1 * * *"})
		s.ok(err)
		stored, err := s.store.Schedule(t.Context(), sch.ID)
		s.ok(err)
		id, err := s.runs.StartScheduled(t.Context(), stored)
		s.ok(err)
		s.plan(s.read(id))
		s.is(s.read(id), status, "")
	}
}

// What begins later is under what was so when it was asked for.
func TestRunThatWaitsForItsTurnRemembersWhoMayNotApply(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("dora", lax)
	first := s.waits("dora")
	queued, err := s.as("otto").StartRun(t.Context(), "hello", client.StartRun{Kind: "apply"})
	s.ok(err)
	s.ends(first, engine.OutcomeApplied)
	s.plan(s.read(queued.ID))
	s.is(s.read(queued.ID), "planned", "")
}

// A first apply that fails in the middle leaves things behind.
func TestRuleOfARevisionThatFailedHalfwayHolds(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("ada", oneOther)
	run := s.waits("ada")
	s.approves("bob", run, "")
	s.ends(run, engine.OutcomeFailed)
	s.revise("ada", lax)
	run = s.waits("ada")
	s.is(run, "planned", "")
	s.approves("ada", run, "ada started run")
	s.approves("bob", run, "")
	s.ends(run, engine.OutcomeApplied)
	s.is(s.waits("ada"), "approved", "")
}

// A revision that only said so once had drift put right without anybody from
// then on.
func TestRemediationIsAgreedTo(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("ada", oneOther)
	run := s.waits("ada")
	s.approves("bob", run, "")
	s.ends(run, engine.OutcomeApplied)
	remediate := oneOther + "\ndrift { remediate = \"apply\" }"
	s.revise("ada", remediate)
	run = s.finds("ada", 0)
	s.is(run, "planned", "")
	s.approves("ada", run, "ada started run")
	s.approves("bob", run, "")
	s.revise("ada", remediate)
	s.is(s.finds("ada", 0), "succeeded", "nothing to change")
}

// A part that was applied under more asks for that of a remediation as well.
func TestRemediationIsUnderTheRulesOfAllThatIsThere(t *testing.T) {
	for second, status := range map[string]engine.RunStatus{oneOther: engine.RunPlanned, `approval { auto_approve = "no_changes" }`: engine.RunApproved} {
		s := newSystem(t)
		s.team()
		s.pair("ada", "drift { remediate = \"apply\" }")
		s.apply("terraform.greeting")
		s.pair("ada", second)
		part, err := s.as("ada").StartRun(t.Context(), "hello", client.StartRun{Kind: "apply", Only: []string{"terraform.other"}})
		s.ok(err)
		s.plan(part)
		part = s.read(part.ID)
		s.approves("bob", part, "")
		s.ends(part, engine.OutcomeApplied)
		s.check("terraform.greeting")
		runs := s.remediations()
		if len(runs) != 1 {
			t.Fatalf("%d remediations", len(runs))
		}
		s.plan(s.read(runs[0].ID))
		s.is(s.read(runs[0].ID), string(status), "")
	}
}
