package engine

import (
	"testing"
	"time"
)

// A plan could once be approved for as long as no sweep had turned it down.
func TestExpiredPlanIsNotApprovedBeforeASweepSeesIt(t *testing.T) {
	late := noon.Add(time.Hour)
	for name, say := range map[string]func(*Run) error{
		"approve":     func(r *Run) error { return r.Approve(bob, r.Digest, "", late) },
		"apply":       func(r *Run) error { return r.Apply(dora, r.Digest, "", late) },
		"break glass": func(r *Run) error { return r.BreakGlass(bob, r.Digest, "fire", late) },
	} {
		t.Run(name, func(t *testing.T) {
			r := waiting(t, ApprovalRule{Expires: time.Hour}, Policy{Rule: weekend})
			wantRefused(t, say(r), ErrConflict, "has expired at 2026-01-02T13:00:00Z")
		})
	}
	r := waiting(t, ApprovalRule{Expires: time.Hour}, Policy{Rule: weekend})
	if err := r.Approve(ada, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, r.Release(monday), ErrConflict, "waits for no freeze")
	if err := r.Expire(monday); err != nil {
		t.Fatal(err)
	}
	wantRun(t, r, RunDiscarded, "the plan expired before it was applied: approved; frozen until")
}

// late is a run whose second plan, made in the middle of the apply, waits.
func late(t *testing.T, rule ApprovalRule) *Run {
	t.Helper()
	r := waiting(t, rule)
	if err := r.Approve(bob, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	finishStep(t, r, "terraform.a", appliedWith(map[string]OutputDigest{"id": digest("other")}))
	finishStep(t, r, "terraform.b", Result{Outcome: OutcomePlanned, PlanHash: "p2", ChangesHash: "c2", Summary: Summary{Delete: 1}})
	wantStatus(t, r, RunPlanned, StepApplied, StepPlanned)
	return r
}

// The approval of a plan that was made late once counted whatever became of who
// gave it.
func TestApprovalOfALatePlanIsLookedAtBeforeItBegins(t *testing.T) {
	r := late(t, ApprovalRule{Approvals: 1})
	if err := r.Approve(carl, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, r, RunApproved, StepApplied, StepApproved)
	r.who["carl"] = Principal{User: "carl"}
	if !r.Reconsider(noon) {
		t.Fatal("it is applied all the same")
	}
	wantRun(t, r, RunPlanned, "the approval of carl counts no longer")
	wantStatus(t, r, RunPlanned, StepApplied, StepPlanned)
	if err := r.Approve(eve, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	finishStep(t, r, "terraform.b", appliedWith(nil))
	wantRun(t, r, RunSucceeded, "")
}

// What broke the glass on one Friday once broke it on the next one, too.
func TestGlassIsForOneFreeze(t *testing.T) {
	r := waiting(t, ApprovalRule{Approvals: 1}, Policy{Rule: weekend})
	if err := r.BreakGlass(bob, r.Digest, "fire", noon); err != nil {
		t.Fatal(err)
	}
	next := noon.Add(7 * 24 * time.Hour)
	wantRefused(t, r.BreakGlass(carl, r.Digest, "", next), ErrInvalid, "takes a reason")
	if err := r.BreakGlass(dora, r.Digest, "fire", noon); err != nil {
		t.Fatal(err)
	}
	if !r.broken(noon) {
		t.Error("two people asked, and the glass is whole")
	}
	if r.broken(monday) {
		t.Error("the glass is broken after the freeze")
	}
	if err := r.Approve(carl, r.Digest, "", next); err != nil {
		t.Fatal(err)
	}
	wantRun(t, r, RunPlanned, "frozen until")
	if err := r.BreakGlass(bob, r.Digest, "flood", next); err != nil || r.Glass.Reason != "flood" || r.Glass.With != "" {
		t.Errorf("glass %+v: %v", r.Glass, err)
	}
}

// Who asked for it and is gone once kept everybody else from asking.
func TestGlassIsAskedForAnewWhenWhoAskedIsGone(t *testing.T) {
	r := waiting(t, ApprovalRule{}, Policy{Rule: weekend})
	if err := r.BreakGlass(bob, r.Digest, "fire", noon); err != nil {
		t.Fatal(err)
	}
	r.who["bob"] = Principal{User: "bob"}
	wantRefused(t, r.BreakGlass(carl, r.Digest, "", noon), ErrInvalid, "takes a reason")
	if err := r.BreakGlass(carl, r.Digest, "still on fire", noon); err != nil || r.Glass.By != "carl" {
		t.Errorf("glass %+v: %v", r.Glass, err)
	}
}

// The right to apply once counted only at the moment when it was used.
func TestWhoLetThePlanBeAppliedStillMayWhenItBegins(t *testing.T) {
	r := waiting(t, ApprovalRule{Approvals: 1})
	r.who["ada"] = Principal{User: "ada", Rights: Everywhere(RoleOperator)}
	if err := r.Approve(carl, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	wantRun(t, r, RunPlanned, "waits for somebody who may apply")
	if err := r.Apply(dora, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	if r.Reconsider(noon) {
		t.Error("dora may apply, and it waits again")
	}
	r.who["dora"] = Principal{User: "dora", Rights: Everywhere(RoleViewer)}
	if !r.Reconsider(noon) {
		t.Error("nobody may apply, and it is applied")
	}
	wantRun(t, r, RunPlanned, "waits for somebody who may apply")
	wantRefused(t, r.Approve(carl, r.Digest, "", noon), ErrConflict, "has approved this plan already")
}

func TestPolicyLetsNoMorePlansPassThanTheStack(t *testing.T) {
	for name, tt := range map[string]struct {
		stack, policy AutoApprove
		want          AutoApprove
	}{
		"a stack that says nothing":      {"", AutoAlways, AutoNoChanges},
		"a stack that says more":         {AutoAlways, AutoNoChanges, AutoNoChanges},
		"a policy that says nothing":     {AutoAlways, "", AutoAlways},
		"a policy that says it as well":  {AutoAlways, AutoAlways, AutoAlways},
		"a stack that asks for each one": {AutoNever, AutoAlways, AutoNever},
	} {
		t.Run(name, func(t *testing.T) {
			r := Run{Rule: ApprovalRule{AutoApprove: tt.stack}, Policies: []Policy{{Rule: ApprovalRule{AutoApprove: tt.policy}}}}
			if got := r.InForce().AutoApprove; got != tt.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestWhoTakesAStackOutOfASetIsAnAuthor(t *testing.T) {
	d, ok := ParseDeed(Event{Actor: "eve", Action: "variable-set.put", Detail: []byte(`{"set":"prod","stacks":["lab"],"left":["shop"]}`)})
	set := &VariableSet{Name: d.Set, Stacks: d.Stacks}
	if !ok || !set.covers("shop") || !set.covers("lab") || set.covers("pay") {
		t.Errorf("deed %+v", d)
	}
	before := &VariableSet{Name: "prod", Stacks: []string{"shop", "lab"}}
	if left := before.leaves(&VariableSet{Stacks: []string{"lab", "pay"}}); len(left) != 1 || left[0] != "shop" {
		t.Errorf("left %v", left)
	}
	if left := (*VariableSet)(nil).leaves(before); left != nil {
		t.Errorf("a new set left %v", left)
	}
}

// An approved plan once waited for a worker for as long as it took.
func TestApprovedPlanExpiresBeforeItBegins(t *testing.T) {
	r := waiting(t, ApprovalRule{Expires: time.Hour})
	if err := r.Approve(ada, r.Digest, "", noon.Add(59*time.Minute)); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, r.Expire(noon.Add(59*time.Minute)), ErrConflict, "no plan that has expired")
	if !r.Reconsider(noon.Add(time.Hour)) {
		t.Fatal("it begins")
	}
	if err := r.Expire(noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	wantRun(t, r, RunDiscarded, "the plan expired before it was applied: approved, but its apply did not begin in time")
}

// A plan that is taken back is no younger than before.
func TestPlanThatIsTakenBackExpiresWhenItWouldHave(t *testing.T) {
	r := waiting(t, ApprovalRule{Approvals: 1, Expires: time.Hour})
	if err := r.Approve(bob, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	r.who["bob"] = Principal{User: "bob"}
	if !r.Reconsider(noon.Add(30*time.Minute)) || !r.ExpiresAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("run is %s, expires at %s", r.Status, r.ExpiresAt)
	}
}

func TestApplyThatHasBegunDoesNotExpire(t *testing.T) {
	r := waiting(t, ApprovalRule{Expires: time.Hour})
	if err := r.Approve(ada, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	finishStep(t, r, "terraform.a", appliedWith(map[string]OutputDigest{"id": digest("d1")}))
	if !r.ExpiresAt.IsZero() || r.Expire(noon.Add(time.Hour)) == nil {
		t.Errorf("it expires at %s", r.ExpiresAt)
	}
}

func TestBreakGlassTakesAReasonThatSaysSomething(t *testing.T) {
	r := waiting(t, ApprovalRule{}, Policy{Rule: weekend})
	wantRefused(t, r.BreakGlass(bob, r.Digest, " \t", noon), ErrInvalid, "takes a reason")
}
