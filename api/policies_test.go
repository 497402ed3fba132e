package api

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func TestPolicyOfAProjectIsNotInTheHandsOfItsStacks(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("ada", `approval { auto_approve = "always" }`)
	_, err := s.as("bob").PutPolicy(t.Context(), "", oneOther)
	s.refuses(err, "bob may not policy.write")
	_, err = s.as(engine.RoleAdmin).PutPolicy(t.Context(), "nowhere", oneOther)
	s.refuses(err, `there is no project "nowhere"`)
	_, err = s.as(engine.RoleAdmin).PutPolicy(t.Context(), "", "approval { approvals = 99 }")
	s.refuses(err, "approvals is a whole number from 0 to 20")
	p, err := s.as(engine.RoleAdmin).PutPolicy(t.Context(), "default", oneOther)
	s.ok(err)
	if len(p.Says) != 3 || p.UpdatedBy != "admin" {
		t.Errorf("policy %+v", p)
	}
	run := s.waits("otto")
	s.approves("ada", run, "wrote revision 1")
	_, err = s.as(engine.RoleAdmin).PutPolicy(t.Context(), "", "approval { approvals = 2 }") // while it waits
	s.ok(err)
	s.is(s.approves("bob", run, ""), "planned", "")
	d, err := s.as("vera").Decision(t.Context(), run.ID)
	s.ok(err)
	if len(d.Rules) != 3 || d.Rules[1].From != "the installation" || d.Needs[0].Approvals != 2 || d.Needs[0].Has != 1 {
		t.Errorf("decision %+v", d)
	}
	s.ok(s.as(engine.RoleAdmin).DeletePolicy(t.Context(), ""))
	s.is(s.approves("carl", run, ""), "approved", "")
	if err := s.as(engine.RoleAdmin).DeletePolicy(t.Context(), ""); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestRulesThatNobodyCouldMeetAreRefusedWhereTheyAreWritten(t *testing.T) {
	s := newSystem(t)
	s.team()
	_, err := s.as(engine.RoleAdmin).PutPolicy(t.Context(), "", `approval { roles = ["admin"] }`)
	s.ok(err)
	_, err = s.as(engine.RoleAdmin).PutPolicy(t.Context(), "default", `approval { roles = ["approver"] }`)
	s.refuses(err, "nobody could approve")
	files := helloFiles()
	files["stack.hcl"] = strings.Replace(hello, `stack "hello" {}`, "stack \"hello\" {\n  approval {\n    roles = [\"approver\"]\n  }\n}", 1)
	r := s.must(s.request("POST", "/v1/stacks/hello/revisions", "ada", client.SubmitFiles{Files: files}), http.StatusUnprocessableEntity)
	if !strings.Contains(string(r.body), "nobody could approve") {
		t.Errorf("it says %s", r.body)
	}
}

func TestRolesOfOnesOwnInARule(t *testing.T) {
	s := newSystem(t)
	s.team()
	head := "approval {\n  class \"create\" {\n    roles = [\"dba\"]\n  }\n}"
	refused := func(why string) {
		t.Helper()
		_, err := s.as(engine.RoleAdmin).PutPolicy(t.Context(), "", head)
		s.refuses(err, why)
	}
	refused(`names role "dba", which there is not`)
	for _, permissions := range [][]string{{"read"}, {"read", "approve"}} {
		role, err := engine.NewCustomRole("dba", "", permissions)
		s.ok(err)
		s.ok(s.access.PutRole(t.Context(), boss, role))
		if len(permissions) == 1 {
			refused("by which nobody may approve")
		}
	}
	refused("")
	s.revise("ada", `approval { auto_approve = "additions" }`)
	run := s.waits("dora")
	s.approves("bob", run, "bob can't approve because bob would need the role dba")
	s.bind("vera", "dba")
	run = s.approves("vera", run, "")
	s.is(run, "approved", "")
	if run.Approvals[0].Role != "dba" {
		t.Errorf("approved as %s", run.Approvals[0].Role)
	}
}

// freeze holds for the clock of these tests, which begins on a Friday.
const freeze = "freeze {\n  window \"weekend\" {\n    from = \"Fri 02:00\"\n    to = \"Mon 07:00\"\n  }\n}"

func TestFreezeHoldsPlansAndLetsThemGo(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("ada", `approval { auto_approve = "always" }`)
	_, err := s.as(engine.RoleAdmin).PutPolicy(t.Context(), "", freeze)
	s.ok(err)
	run := s.waits("ada")
	s.is(run, "planned", "approved; frozen until Mon 2026-01-05 07:00 UTC by window weekend")
	s.sweep()
	s.is(run, "planned", "frozen")
	s.clock.add(4 * 24 * time.Hour)
	s.sweep()
	s.is(run, "approved", "")
}

func (s *system) sweep() {
	s.t.Helper()
	_, err := s.runs.Sweep(s.t.Context())
	s.ok(err)
}

func TestFreezeThatIsLiftedLetsPlansGo(t *testing.T) {
	s := newSystem(t)
	s.team()
	_, err := s.as(engine.RoleAdmin).PutPolicy(t.Context(), "", freeze)
	s.ok(err)
	s.revise("ada", "")
	run := s.waits("ada")
	s.is(s.approves("ada", run, ""), "planned", "frozen")
	s.ok(s.as(engine.RoleAdmin).DeletePolicy(t.Context(), ""))
	s.sweep()
	s.is(run, "approved", "")
}

func TestGlassIsBrokenByTwo(t *testing.T) {
	s := newSystem(t)
	s.team()
	s.revise("ada", oneOther+"\n"+freeze)
	run := s.waits("otto")
	glass := func(by engine.Role, reason, why string) client.Run {
		_, err := s.as(by).BreakGlass(t.Context(), run.ID, run.Digest, reason)
		s.refuses(err, why)
		return s.read(run.ID)
	}
	glass("otto", "fire", "may neither approve nor apply")
	glass("dora", "", "takes a reason")
	glass("dora", "fire", "")
	s.is(run, "planned", "break-glass asked for by dora (fire)")
	glass("dora", "", "a second person")
	glass("ada", "", "ada wrote revision 1")
	done := glass("bob", "", "")
	s.is(run, "approved", "")
	if g := done.Glass; g == nil || g.By != "dora" || g.With != "bob" || g.Reason != "fire" {
		t.Errorf("glass %+v", g)
	}
	if did := s.actions(); did["dora run.break_glass"] != 1 || did["bob run.break_glass"] != 1 {
		t.Errorf("events %v", s.actions())
	}
	s.ends(run, engine.OutcomeApplied)
	if s.read(run.ID).Glass == nil {
		t.Error("what was done is forgotten")
	}
}
