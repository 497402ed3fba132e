package engine

import "testing"

// playing is a run whose play is in the hands of a runner that applies it.
func playing(t *testing.T) (*Run, *Step) {
	t.Helper()
	r := begun(t, ApprovalRule{AutoApprove: AutoAlways})
	known := map[string]OutputDigest{"id": digest("d"), "ip": digest("d")}
	for _, address := range []string{"terraform.a", "terraform.b", "ansible.c"} {
		finishStep(t, r, address, plannedWith(known))
	}
	for _, address := range []string{"terraform.a", "terraform.b"} {
		finishStep(t, r, address, appliedWith(known))
	}
	s := r.Step("ansible.c")
	if _, err := r.Claim(s.ID, Claim{Worker: "w1"}, noon); err != nil {
		t.Fatal(err)
	}
	_ = r.TakeChanges()
	return r, s
}

func TestInterruptedPlayKeepsItsComponentLocked(t *testing.T) {
	tests := map[string]struct {
		end    func(r *Run, s *Step) error
		locked bool
	}{
		"its runner was lost": {func(r *Run, s *Step) error { return r.Lose(inHand(r, s), noon.Add(Lease)) }, true},
		"it was killed":       {func(r *Run, s *Step) error { return r.End(s.ID, s.Attempt, Result{Outcome: OutcomeInterrupted}, noon) }, true},
		"it failed":           {func(r *Run, s *Step) error { return r.End(s.ID, s.Attempt, Result{Outcome: OutcomeFailed}, noon) }, false},
		"it was applied":      {func(r *Run, s *Step) error { return r.End(s.ID, s.Attempt, appliedWith(nil), noon) }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, s := playing(t)
			if err := tt.end(r, s); err != nil {
				t.Fatal(err)
			}
			locks := r.TakeChanges().Locks
			if (len(locks) == 1) != tt.locked {
				t.Fatalf("locks %+v", locks)
			}
			if tt.locked && (locks[0].Component != "ansible.c" || locks[0].Step != s.ID || locks[0].Holder != "run "+r.ID || locks[0].CreatedAt.IsZero()) {
				t.Errorf("lock %+v", locks[0])
			}
		})
	}
}

func TestInterruptedTerraformKeepsTheLockThatItTook(t *testing.T) {
	r := begun(t, ApprovalRule{AutoApprove: AutoAlways})
	for _, address := range []string{"terraform.a", "terraform.b"} {
		finishStep(t, r, address, plannedWith(map[string]OutputDigest{"id": digest("d"), "ip": {Unknown: true}}))
	}
	finishStep(t, r, "terraform.a", Result{Outcome: OutcomeInterrupted})
	if locks := r.TakeChanges().Locks; len(locks) > 0 {
		t.Errorf("locks %+v", locks)
	}
}
