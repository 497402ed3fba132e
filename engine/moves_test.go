package engine

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

var (
	noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	ada  = Principal{User: "ada", Rights: Everywhere(RoleAdmin)}
	bob  = Principal{User: "bob", Rights: Everywhere(RoleApprover)}
)

// chain is a stack of three components, each made from the one before.
func chain() *Revision {
	return &Revision{Stack: "shop", Number: 1, Blueprint: Blueprint{Name: "shop", Components: []Component{
		{Address: "terraform.a", Kind: KindTerraform, Cloud: CloudLocal},
		{Address: "terraform.b", Kind: KindTerraform, Cloud: CloudAWS, Needs: []string{"terraform.a"}, Refs: []Ref{{"inputs.x", "terraform.a", "id"}}},
		{Address: "ansible.c", Kind: KindAnsible, Cloud: CloudLocal, Needs: []string{"terraform.b"}, Refs: []Ref{{"vars.y", "terraform.b", "ip"}}},
	}}}
}

func begun(t *testing.T, rule ApprovalRule) *Run {
	t.Helper()
	rev := chain()
	rev.Blueprint.Approval = rule
	r := newRun(StartRequest{Stack: "shop", Kind: RunApply}, ada, rev, applyParts(&rev.Blueprint, 1), noon)
	r.meet(ada) // who may apply
	if err := r.Begin(noon); err != nil {
		t.Fatal(err)
	}
	return r
}

// finishStep claims the step at address and ends it.
func finishStep(t *testing.T, r *Run, address string, res Result) {
	t.Helper()
	s := r.Step(address)
	if _, err := r.Claim(s.ID, Claim{Worker: "w1", Token: NewToken("t"), StateToken: NewToken("s")}, noon); err != nil {
		t.Fatalf("claim %s: %v", address, err)
	}
	if err := r.End(s.ID, s.Attempt, res, noon); err != nil {
		t.Fatalf("end %s: %v", address, err)
	}
}

func plannedWith(outputs map[string]OutputDigest) Result {
	return Result{Outcome: OutcomePlanned, PlanHash: "p1", ChangesHash: "c1", Summary: Summary{Create: 1}, Outputs: outputs}
}

func appliedWith(outputs map[string]OutputDigest) Result {
	return Result{Outcome: OutcomeApplied, Applied: Summary{Create: 1}, Outputs: outputs}
}

func digest(d string) OutputDigest { return OutputDigest{Digest: d} }

func wantStatus(t *testing.T, r *Run, run RunStatus, steps ...StepStatus) {
	t.Helper()
	var got []StepStatus
	for _, s := range r.Steps {
		got = append(got, s.Status)
	}
	if r.Status != run || !slices.Equal(got, steps) {
		t.Fatalf("run is %s with steps %v (%s), want %s with %v", r.Status, got, r.Reason, run, steps)
	}
}

func TestRunPlansAheadWithKnownOutputsAndDefersTheRest(t *testing.T) {
	r := begun(t, ApprovalRule{})
	wantStatus(t, r, RunPlanning, StepQueued, StepWaiting, StepWaiting)

	finishStep(t, r, "terraform.a", plannedWith(map[string]OutputDigest{"id": digest("d1")}))
	wantStatus(t, r, RunPlanning, StepPlanned, StepQueued, StepWaiting)

	finishStep(t, r, "terraform.b", plannedWith(map[string]OutputDigest{"ip": {Unknown: true}}))
	wantStatus(t, r, RunPlanned, StepPlanned, StepPlanned, StepDeferred)
	if want := []string{"vars.y waits for output ip of terraform.b, which is known once that is applied"}; !slices.Equal(r.Step("ansible.c").Notes, want) {
		t.Errorf("notes = %q", r.Step("ansible.c").Notes)
	}
}

func TestRunAppliesAPlanWhosePredictionsCameTrueAndAsksForADeferredOne(t *testing.T) {
	r := begun(t, ApprovalRule{})
	finishStep(t, r, "terraform.a", plannedWith(map[string]OutputDigest{"id": digest("d1")}))
	finishStep(t, r, "terraform.b", plannedWith(map[string]OutputDigest{"ip": {Unknown: true}}))
	first := r.Digest
	if err := r.Approve(ada, first, "", noon); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, r, RunApproved, StepApproved, StepApproved, StepDeferred)

	finishStep(t, r, "terraform.a", appliedWith(map[string]OutputDigest{"id": digest("d1")}))
	finishStep(t, r, "terraform.b", appliedWith(map[string]OutputDigest{"ip": digest("d2")}))
	wantStatus(t, r, RunApplying, StepApplied, StepApplied, StepQueued)
	finishStep(t, r, "ansible.c", Result{Outcome: OutcomePlanned, PlanHash: "p3", ChangesHash: "c3"})
	wantStatus(t, r, RunPlanned, StepApplied, StepApplied, StepPlanned)

	if err := r.Approve(ada, first, "", noon); !errors.Is(err, ErrConflict) {
		t.Errorf("approving the superseded plan: %v, want a conflict", err)
	}
	if err := r.Approve(ada, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	finishStep(t, r, "ansible.c", Result{Outcome: OutcomeApplied})
	wantStatus(t, r, RunSucceeded, StepApplied, StepApplied, StepApplied)
}

func TestRunPlansAgainWhenAPredictionDidNotComeTrue(t *testing.T) {
	r := begun(t, ApprovalRule{})
	finishStep(t, r, "terraform.a", plannedWith(map[string]OutputDigest{"id": digest("d1")}))
	finishStep(t, r, "terraform.b", plannedWith(map[string]OutputDigest{"ip": digest("d2")}))
	finishStep(t, r, "ansible.c", Result{Outcome: OutcomeUnchanged})
	if err := r.Approve(ada, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	finishStep(t, r, "terraform.a", appliedWith(map[string]OutputDigest{"id": digest("other")}))
	wantStatus(t, r, RunApplying, StepApplied, StepQueued, StepUnchanged)

	res := plannedWith(map[string]OutputDigest{"ip": digest("d2")})
	finishStep(t, r, "terraform.b", res) // does what was approved: goes on by itself
	wantStatus(t, r, RunApplying, StepApplied, StepApproved, StepUnchanged)
	finishStep(t, r, "terraform.b", appliedWith(map[string]OutputDigest{"ip": digest("new")}))
	wantStatus(t, r, RunApplying, StepApplied, StepApplied, StepQueued)
	finishStep(t, r, "ansible.c", Result{Outcome: OutcomeUnchanged})
	wantStatus(t, r, RunSucceeded, StepApplied, StepApplied, StepUnchanged)
}

func TestRunApprove(t *testing.T) {
	tests := map[string]struct {
		rule    ApprovalRule
		by      Principal
		digest  string // empty for the right one
		wantErr error
		want    RunStatus
	}{
		"one confirmation may come from who started it": {by: ada, want: RunApproved},
		"a digest of another plan is refused":           {by: ada, digest: "other", wantErr: ErrConflict, want: RunPlanned},
		"with a rule the starter may not approve":       {rule: ApprovalRule{Approvals: 1}, by: ada, wantErr: ErrForbidden, want: RunPlanned},
		"with a rule somebody else may":                 {rule: ApprovalRule{Approvals: 1}, by: bob, want: RunApproved},
		"two approvals take two people":                 {rule: ApprovalRule{Approvals: 2}, by: bob, want: RunPlanned},
		"a role that the rule does not name":            {rule: ApprovalRule{Roles: []Role{RoleAdmin}}, by: bob, wantErr: ErrForbidden, want: RunPlanned},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := begun(t, tt.rule)
			finishStep(t, r, "terraform.a", plannedWith(nil))
			d := tt.digest
			if d == "" {
				d = r.Digest
			}
			err := r.Approve(tt.by, d, "", noon)
			if !errors.Is(err, tt.wantErr) {
				t.Errorf("error = %v, want %v", err, tt.wantErr)
			}
			if r.Status != tt.want {
				t.Errorf("status = %s, want %s", r.Status, tt.want)
			}
		})
	}
}

func TestApprovingTwiceIsAConflict(t *testing.T) {
	r := begun(t, ApprovalRule{Approvals: 2})
	finishStep(t, r, "terraform.a", plannedWith(nil))
	if err := r.Approve(bob, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	if err := r.Approve(bob, r.Digest, "", noon); !errors.Is(err, ErrConflict) {
		t.Errorf("second approval by the same person: %v, want a conflict", err)
	}
}

func TestRunAutoApproves(t *testing.T) {
	created := Result{Outcome: OutcomePlanned, PlanHash: "p", Summary: Summary{Create: 1}, Outputs: map[string]OutputDigest{"id": digest("d"), "ip": digest("d")}}
	changed := created
	changed.Summary = Summary{Update: 1}
	tests := map[string]struct {
		rule AutoApprove
		c    Result
		want RunStatus
	}{
		"never asks":                      {AutoNever, created, RunPlanned},
		"no_changes asks for an addition": {AutoNoChanges, created, RunPlanned},
		"additions lets an addition pass": {AutoAdditions, created, RunApproved},
		"additions asks for a change":     {AutoAdditions, changed, RunPlanned},
		"always lets a change pass":       {AutoAlways, changed, RunApproved},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := begun(t, ApprovalRule{AutoApprove: tt.rule})
			finishStep(t, r, "terraform.a", created)
			finishStep(t, r, "terraform.b", created)
			finishStep(t, r, "ansible.c", tt.c)
			if r.Status != tt.want {
				t.Errorf("status = %s, want %s", r.Status, tt.want)
			}
		})
	}
}

func TestRunWithoutChangesSucceeds(t *testing.T) {
	r := begun(t, ApprovalRule{})
	for _, a := range []string{"terraform.a", "terraform.b", "ansible.c"} {
		finishStep(t, r, a, Result{Outcome: OutcomeUnchanged})
	}
	wantStatus(t, r, RunSucceeded, StepUnchanged, StepUnchanged, StepUnchanged)
}

func TestFailedStepEndsTheRunAndSkipsTheRest(t *testing.T) {
	r := begun(t, ApprovalRule{})
	finishStep(t, r, "terraform.a", Result{Outcome: OutcomeFailed, Reason: "no such region\nmore"})
	wantStatus(t, r, RunFailed, StepFailed, StepSkipped, StepSkipped)
	if want := "terraform.a: no such region"; r.Reason != want {
		t.Errorf("reason = %q, want %q", r.Reason, want)
	}
}

func inHand(r *Run, s *Step) Held {
	return Held{Step: s.ID, Run: r.ID, Attempt: s.Attempt, Until: s.LeaseUntil}
}

func TestLostPlanIsMadeAgainThreeTimesAndALostApplyNever(t *testing.T) {
	r := begun(t, ApprovalRule{})
	a := r.Step("terraform.a")
	for range maxLost {
		if _, err := r.Claim(a.ID, Claim{Worker: "w1"}, noon); err != nil {
			t.Fatal(err)
		}
		before := inHand(r, a)
		if err := r.Renew(a.ID, a.Attempt, noon.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if err := r.Lose(before, noon.Add(Lease)); !errors.Is(err, ErrConflict) {
			t.Fatalf("a lease that was extended since was taken: %v", err)
		}
		if err := r.Lose(inHand(r, a), noon.Add(Lease)); err != nil {
			t.Fatal(err)
		}
	}
	wantStatus(t, r, RunFailed, StepFailed, StepSkipped, StepSkipped)

	r = begun(t, ApprovalRule{})
	finishStep(t, r, "terraform.a", plannedWith(nil))
	if err := r.Approve(ada, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	a = r.Step("terraform.a")
	if _, err := r.Claim(a.ID, Claim{Worker: "w1"}, noon); err != nil {
		t.Fatal(err)
	}
	if err := r.Lose(inHand(r, a), noon.Add(Lease)); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, r, RunInterrupted, StepInterrupted, StepSkipped, StepSkipped)
}

func TestReportOfAnOlderAttemptIsRefused(t *testing.T) {
	r := begun(t, ApprovalRule{})
	a := r.Step("terraform.a")
	if _, err := r.Claim(a.ID, Claim{Worker: "w1"}, noon); err != nil {
		t.Fatal(err)
	}
	old := a.Attempt
	if err := r.Lose(inHand(r, a), noon.Add(Lease)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Claim(a.ID, Claim{Worker: "w2"}, noon); err != nil {
		t.Fatal(err)
	}
	if err := r.End(a.ID, old, Result{Outcome: OutcomeUnchanged}, noon); !errors.Is(err, ErrConflict) {
		t.Errorf("error = %v, want a conflict", err)
	}
}

func TestDestroyGoesThroughTheGraphInReverse(t *testing.T) {
	rev := chain()
	rev.Blueprint.Components[2].OnDestroy = true
	parts := whole(t, standing{}, RunDestroy, rev)
	got := fmt.Sprint(parts[0].Address, parts[0].needs, parts[1].Address, parts[1].needs, parts[2].Address, parts[2].needs)
	if want := "ansible.c[]terraform.b[ansible.c]terraform.a[terraform.b]"; got != want {
		t.Errorf("order = %s, want %s", got, want)
	}
}
