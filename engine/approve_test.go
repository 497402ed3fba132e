package engine

import (
	"errors"
	"strings"
	"testing"
)

var (
	carl = Principal{User: "carl", Kind: Person, Rights: Everywhere(RoleApprover)}
	eve  = Principal{User: "eve", Kind: Person, Rights: Everywhere(RoleApprover)}
	dora = Principal{User: "dora", Kind: Person, Rights: Everywhere(RoleDeployer)}
	// robot is ada's, who starts the runs of these tests.
	robot = Principal{User: "robot", Kind: Service, Owner: "ada", Rights: Everywhere(RoleAdmin)}
	// bobs is bob's, who is not behind them.
	bobs = Principal{User: "bobs", Kind: Service, Owner: "bob", Rights: Everywhere(RoleAdmin)}
)

// wantRefused checks that an error is of the kind and says why.
func wantRefused(t *testing.T, err, kind error, why string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), why) {
		t.Errorf("it says %v", err)
	}
}

// wantRun checks the status of a run and what it says of it.
func wantRun(t *testing.T, r *Run, status RunStatus, reason string) {
	t.Helper()
	if r.Status != status || !strings.Contains(r.Reason, reason) || reason == "" && r.Reason != "" {
		t.Errorf("the run is %s: %s", r.Status, r.Reason)
	}
}

func TestWhoseWordCounts(t *testing.T) {
	one := ApprovalRule{Approvals: 1, NotAuthor: true}
	tests := map[string]struct {
		rule    ApprovalRule
		authors []Author
		by      Principal
		why     string // empty where it counts
	}{
		"somebody else":                                   {rule: one, by: bob},
		"who started the run":                             {rule: one, by: ada, why: "ada started run"},
		"who wrote the revision":                          {rule: one, by: bob, authors: []Author{{"bob", "wrote revision 7"}}, why: "can't approve because bob wrote revision 7"},
		"who set a variable of it":                        {rule: one, by: bob, authors: []Author{{"bob", "set variable DB_URL"}}, why: "set variable DB_URL"},
		"who wrote it, where that is allowed":             {rule: ApprovalRule{Approvals: 1}, by: bob, authors: []Author{{"bob", "wrote revision 7"}}},
		"a service account of who started it":             {rule: one, by: robot, why: "service account"},
		"a service account of somebody else":              {rule: one, by: bobs, why: "service account"},
		"a program confirms":                              {by: bobs},
		"a program of who started it confirms":            {by: robot},
		"but not where that bars who started it":          {rule: ApprovalRule{NotStarter: true}, by: robot, why: "started run"},
		"nor where it bars who wrote it":                  {rule: ApprovalRule{NotAuthor: true}, by: bobs, authors: []Author{{"bob", "wrote revision 7"}}, why: "wrote revision 7"},
		"who wrote it, where only a class bars them":      {rule: ApprovalRule{Classes: map[Class]ClassRule{ClassDestroy: {Approvals: 1, NotAuthor: true}}}, by: bob, authors: []Author{{"bob", "wrote revision 7"}}},
		"and not where the plan is of that class":         {rule: ApprovalRule{Classes: map[Class]ClassRule{ClassCreate: {Approvals: 1, NotAuthor: true}}}, by: bob, authors: []Author{{"bob", "wrote revision 7"}}, why: "wrote revision 7"},
		"a role that is not named":                        {rule: ApprovalRule{Approvals: 1, Roles: []Role{RoleAdmin}}, by: bob, why: "would need the role admin"},
		"somebody who may not approve":                    {rule: one, by: Principal{User: "otto", Rights: Everywhere(RoleOperator)}, why: "may not approve plans of stack shop"},
		"who may not approve does not confirm either":     {by: Principal{User: "otto", Rights: Everywhere(RoleOperator)}, why: "may not approve"},
		"a class of the plan takes a role that they have": {rule: ApprovalRule{Roles: []Role{RoleAdmin}, Classes: map[Class]ClassRule{ClassCreate: {Approvals: 1, Roles: []Role{RoleApprover}}}}, by: bob},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := waiting(t, tt.rule)
			r.Authors = tt.authors
			err := r.Approve(tt.by, r.Digest, "", noon)
			if tt.why != "" {
				wantRefused(t, err, ErrForbidden, tt.why)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhoIsBehindARunStartedIt(t *testing.T) {
	rev := chain()
	rev.Blueprint.Approval.Approvals = 1
	r := newRun(StartRequest{Stack: "shop", Kind: RunApply, starters: []string{"bob", "ada", "bob"}}, Principal{User: "schedule nightly"}, rev, nil, noon)
	r.Status, r.Digest = RunPlanned, "d"
	wantRefused(t, r.Approve(bob, "d", "", noon), ErrForbidden, "bob started run")
	if err := r.Approve(carl, "d", "", noon); err != nil {
		t.Error(err)
	}
}

func TestDestroysNeedTwo(t *testing.T) {
	rule := ApprovalRule{AutoApprove: AutoAlways, Classes: map[Class]ClassRule{ClassDestroy: {Approvals: 2}}}
	r := waiting(t, rule)
	wantRun(t, r, RunApproved, "") // it only creates

	r = waiting(t, ApprovalRule{AutoApprove: AutoNever, Classes: rule.Classes})
	r.Rule.AutoApprove = AutoAlways
	r.Step("terraform.b").Summary = Summary{Delete: 1}
	for _, p := range []Principal{bob, carl} {
		wantRun(t, r, RunPlanned, "")
		if err := r.Approve(p, r.Digest, "", noon); err != nil {
			t.Fatal(err)
		}
	}
	wantRun(t, r, RunApproved, "")
}

func TestLatePlanOfAClassThatWasNotApprovedAsks(t *testing.T) {
	rule := ApprovalRule{OnDeferred: DeferredApply, Classes: map[Class]ClassRule{ClassDestroy: {Approvals: 1}}}
	for name, tt := range map[string]struct {
		first, late Summary
		want        RunStatus
	}{
		"it creates, like the one before":    {Summary{Create: 1}, Summary{Create: 1}, RunApplying},
		"it destroys, which nobody approved": {Summary{Create: 1}, Summary{Delete: 1}, RunPlanned},
		"it destroys, which somebody did":    {Summary{Delete: 1}, Summary{Delete: 2}, RunApplying},
		"it updates, which takes nobody":     {Summary{Delete: 1}, Summary{Update: 1}, RunApplying},
	} {
		t.Run(name, func(t *testing.T) {
			r := waiting(t, rule)
			r.Step("terraform.b").Summary = tt.first
			if err := r.Approve(bob, r.Digest, "", noon); err != nil {
				t.Fatal(err)
			}
			r.who = nil // who reports knows of nobody
			finishStep(t, r, "terraform.a", appliedWith(map[string]OutputDigest{"id": digest("other")}))
			finishStep(t, r, "terraform.b", Result{Outcome: OutcomePlanned, PlanHash: "p2", ChangesHash: "c2", Summary: tt.late})
			if r.Status != tt.want {
				t.Errorf("run is %s", r.Status)
			}
		})
	}
}

func TestPolicyThatIsTightenedHoldsForAPlanThatWaits(t *testing.T) {
	r := waiting(t, ApprovalRule{})
	r.Policies = []Policy{{Rule: ApprovalRule{Approvals: 2}}, {Project: "default", Rule: ApprovalRule{NotAuthor: true}}}
	wantRefused(t, r.Approve(ada, r.Digest, "", noon), ErrForbidden, "started run")
	if err := r.Approve(bob, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	wantRun(t, r, RunPlanned, "")
	r.Policies = nil
	if err := r.Approve(carl, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	wantRun(t, r, RunApproved, "")
	r.Policies = []Policy{{Rule: ApprovalRule{Approvals: 3}}} // before a step has begun
	if !r.Reconsider(noon) {
		t.Error("it is applied with two approvals of three")
	}
	wantRun(t, r, RunPlanned, "")
}

func TestApprovalOfWhoLostTheRoleCountsNoLonger(t *testing.T) {
	r := waiting(t, ApprovalRule{Approvals: 2})
	for _, p := range []Principal{bob, carl} {
		if err := r.Approve(p, r.Digest, "", noon); err != nil {
			t.Fatal(err)
		}
	}
	r.who = map[string]Principal{"bob": {User: "bob", Rights: Everywhere(RoleViewer)}, "carl": carl, "ada": ada}
	if !r.Reconsider(noon) {
		t.Fatal("it is applied all the same")
	}
	wantRun(t, r, RunPlanned, "the approval of bob counts no longer: bob may not approve plans of stack shop; it lacks 1 approval")
	for _, s := range r.Steps {
		if s.Status != StepPlanned || !s.ReadyAt.IsZero() || s.ApprovedChanges != "" {
			t.Errorf("step %s is %s", s.Component.Address, s.Status)
		}
	}
	r.who["eve"] = eve
	if err := r.Approve(eve, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	wantRun(t, r, RunApproved, "")
	r.who["eve"] = Principal{User: "eve"} // disabled, or gone
	finishStep(t, r, "terraform.a", appliedWith(map[string]OutputDigest{"id": digest("d1")}))
	if r.Reconsider(noon) {
		t.Error("an apply that has begun is taken back")
	}
}

func TestApplyTakesSomebodyWhoMayApply(t *testing.T) {
	otto := Principal{User: "otto", Rights: Everywhere(RoleOperator)}
	r := waiting(t, ApprovalRule{Approvals: 1})
	r.who = map[string]Principal{"ada": {User: "ada", Rights: Everywhere(RoleViewer)}, "bob": {User: "bob", Rights: Everywhere(RoleViewer)}}
	if r.applicable(noon) {
		t.Error("viewers apply")
	}
	wantRefused(t, r.Apply(otto, r.Digest, "", noon), ErrForbidden, "otto may not apply on stack shop")
	wantRefused(t, r.Apply(dora, r.Digest, "", noon), ErrConflict, "not approved yet: it lacks 1 approval")
	wantRefused(t, r.Apply(dora, "other", "", noon), ErrConflict, "is not the one that waits")
	r.decide(carl, Approved, "", noon)
	if err := r.Apply(dora, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	wantRun(t, r, RunApproved, "")

	r = waiting(t, ApprovalRule{})
	if err := r.Apply(dora, r.Digest, "", noon); err != nil || r.Status != RunApproved || r.Approvals[0].By != "dora" {
		t.Errorf("a confirmation: run is %s, %v", r.Status, err)
	}
}

// A plan that is made anew while the first step is about to begin must not keep
// an approval that somebody lost.
func TestPlanThatIsTakenBackWhileItIsMadeAnewIsApprovedAnew(t *testing.T) {
	r := waiting(t, ApprovalRule{Approvals: 1})
	if err := r.Approve(bob, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	old := r.Digest
	b := r.Step("terraform.b")
	r.queue(b, noon) // as applyReady does
	r.who = map[string]Principal{"bob": {User: "bob"}}
	if !r.Reconsider(noon) {
		t.Fatal("it goes on")
	}
	wantStatus(t, r, RunPlanning, StepPlanned, StepQueued)
	finishStep(t, r, "terraform.b", Result{Outcome: OutcomePlanned, PlanHash: "p9", ChangesHash: "c9"})
	wantStatus(t, r, RunPlanned, StepPlanned, StepPlanned)
	wantRefused(t, r.Approve(carl, old, "", noon), ErrConflict, "is not the one that waits")
}
