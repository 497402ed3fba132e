package engine

import (
	"testing"
	"time"
)

// weekend freezes from Friday, which noon is, to Monday.
var weekend = ApprovalRule{Freeze: []Window{{Name: "weekend", From: "Fri 10:00", To: "Mon 07:00"}}}

var monday = time.Date(2026, 1, 5, 7, 0, 0, 0, time.UTC)

func TestNoApplyBeginsInAFreeze(t *testing.T) {
	for name, tt := range map[string]struct {
		rule ApprovalRule
		by   []Principal
	}{
		"that was approved":     {ApprovalRule{}, []Principal{ada}},
		"that needs nobody":     {ApprovalRule{AutoApprove: AutoAlways}, nil},
		"that takes two people": {ApprovalRule{Approvals: 2}, []Principal{bob, carl}},
	} {
		t.Run(name, func(t *testing.T) {
			r := waiting(t, tt.rule, Policy{Rule: weekend})
			for _, p := range tt.by {
				if err := r.Approve(p, r.Digest, "", noon); err != nil {
					t.Fatal(err)
				}
			}
			wantRun(t, r, RunPlanned, "approved; frozen until Mon 2026-01-05 07:00 UTC by window weekend")
			wantRefused(t, r.Apply(dora, r.Digest, "", noon), ErrConflict, "--break-glass")
			wantRefused(t, r.Release(monday.Add(-time.Second)), ErrConflict, "waits for no freeze")
			if err := r.Release(monday); err != nil {
				t.Fatal(err)
			}
			wantRun(t, r, RunApproved, "")
		})
	}
}

func TestFreezeThatBeginsBeforeTheFirstStepTakesThePlanBack(t *testing.T) {
	r := waiting(t, ApprovalRule{Expires: time.Hour}, Policy{Rule: weekend})
	friday := noon.Add(-3 * time.Hour)
	if err := r.Approve(ada, r.Digest, "", friday); err != nil {
		t.Fatal(err)
	}
	wantRun(t, r, RunApproved, "")
	if !r.Reconsider(noon) {
		t.Fatal("it begins in the freeze")
	}
	wantRun(t, r, RunPlanned, "frozen until")
	if err := r.Expire(monday); err != nil || r.Status != RunDiscarded {
		t.Errorf("a plan outlives its expiry: %v", err)
	}
}

func TestApplyThatHasBegunGoesOnInAFreeze(t *testing.T) {
	r := begun(t, ApprovalRule{})
	finishStep(t, r, "terraform.a", plannedWith(map[string]OutputDigest{"id": digest("d1")}))
	finishStep(t, r, "terraform.b", plannedWith(map[string]OutputDigest{"ip": {Unknown: true}}))
	if err := r.Approve(ada, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	finishStep(t, r, "terraform.a", appliedWith(map[string]OutputDigest{"id": digest("d1")}))
	finishStep(t, r, "terraform.b", appliedWith(map[string]OutputDigest{"ip": digest("d2")}))
	r.Policies = []Policy{{Rule: weekend}}
	finishStep(t, r, "ansible.c", plannedWith(nil))
	wantRun(t, r, RunPlanned, "")
	if err := r.Approve(ada, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	wantRun(t, r, RunApproved, "")
}

func TestBreakGlassTakesTwoPeople(t *testing.T) {
	r := waiting(t, ApprovalRule{Approvals: 1, NotAuthor: true}, Policy{Rule: weekend})
	r.Authors = []Author{{"eve", "wrote revision 7"}}
	wantRefused(t, r.BreakGlass(Principal{User: "otto", Rights: Everywhere(RoleOperator)}, r.Digest, "fire", noon), ErrForbidden, "may neither approve nor apply")
	wantRefused(t, r.BreakGlass(bobs, r.Digest, "fire", noon), ErrForbidden, "takes two people")
	wantRefused(t, r.BreakGlass(ada, r.Digest, "", noon), ErrInvalid, "takes a reason")
	wantRefused(t, r.BreakGlass(ada, r.Digest, "fire", monday), ErrConflict, "no glass to break")
	if err := r.BreakGlass(ada, r.Digest, "fire", noon); err != nil {
		t.Fatal(err)
	}
	wantRun(t, r, RunPlanned, "break-glass asked for by ada (fire); waits for a second person")
	wantRefused(t, r.BreakGlass(ada, r.Digest, "", noon), ErrForbidden, "a second person")
	wantRefused(t, r.BreakGlass(eve, r.Digest, "", noon), ErrForbidden, "eve wrote revision 7")
	if err := r.BreakGlass(bob, r.Digest, "", noon); err != nil { // which approves, too
		t.Fatal(err)
	}
	wantRun(t, r, RunApproved, "")
	if r.Glass.With != "bob" || r.Glass.Reason != "fire" || r.said()[0].By != "bob" {
		t.Errorf("glass %+v", r.Glass)
	}
	if loud := len(r.TakeChanges().Events); loud < 4 {
		t.Errorf("%d events", loud)
	}
	r.who = map[string]Principal{"ada": {User: "ada"}, "bob": bob}
	if !r.Reconsider(noon) {
		t.Error("who broke the glass lost the right to, and it is applied all the same")
	}
}

func TestDeployerWhoBrokeTheGlassLetsTheApplyBegin(t *testing.T) {
	r := waiting(t, ApprovalRule{Approvals: 1}, Policy{Rule: weekend})
	r.StartedBy = "otto" // who may not apply
	if err := r.BreakGlass(dora, r.Digest, "fire", noon); err != nil {
		t.Fatal(err)
	}
	if err := r.BreakGlass(carl, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	wantRun(t, r, RunApproved, "")
}

func TestStarterDoesNotConfirmBreakGlass(t *testing.T) {
	r := waiting(t, ApprovalRule{Approvals: 1}, Policy{Rule: weekend})
	if err := r.BreakGlass(bob, r.Digest, "fire", noon); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, r.BreakGlass(ada, r.Digest, "", noon), ErrForbidden, "ada started run")
}
