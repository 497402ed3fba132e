package engine

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// A plan that was only made after an upstream apply once had what was left of
// the time for the first one.
func TestEachPlanThatWaitsHasTheWholeTime(t *testing.T) {
	r := begun(t, ApprovalRule{Expires: time.Hour})
	finishStep(t, r, "terraform.a", plannedWith(map[string]OutputDigest{"id": digest("d1")}))
	finishStep(t, r, "terraform.b", plannedWith(map[string]OutputDigest{"ip": {Unknown: true}}))
	if err := r.Expire(noon.Add(59 * time.Minute)); !errors.Is(err, ErrConflict) {
		t.Errorf("within the hour: %v", err)
	}
	if err := r.Approve(ada, r.Digest, "", noon.Add(50*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := r.Expire(noon.Add(2 * time.Hour)); !errors.Is(err, ErrConflict) {
		t.Errorf("while it is applied: %v", err)
	}
	finishStep(t, r, "terraform.a", appliedWith(map[string]OutputDigest{"id": digest("d1")}))
	finishStep(t, r, "terraform.b", appliedWith(map[string]OutputDigest{"ip": digest("d2")}))
	c := r.Step("ansible.c")
	if _, err := r.Claim(c.ID, Claim{}, noon); err != nil {
		t.Fatal(err)
	}
	if err := r.End(c.ID, c.Attempt, plannedWith(nil), noon.Add(65*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := r.Expire(noon.Add(124 * time.Minute)); !errors.Is(err, ErrConflict) {
		t.Errorf("within an hour of the second plan: %v", err)
	}
	if err := r.Expire(noon.Add(125 * time.Minute)); err != nil || r.Status != RunDiscarded {
		t.Errorf("after it: run is %s, %v", r.Status, err)
	}
}

func TestPlanIsAppliedInTheEnvironmentItWasMadeIn(t *testing.T) {
	r := begun(t, ApprovalRule{})
	first := plannedWith(map[string]OutputDigest{"id": digest("d1")})
	first.Environment = "red"
	finishStep(t, r, "terraform.a", first)
	finishStep(t, r, "terraform.b", plannedWith(map[string]OutputDigest{"ip": {Unknown: true}}))
	other := *r
	other.Steps = slices.Clone(r.Steps)
	changed := *r.Steps[0]
	changed.madeIn("blue")
	other.Steps[0] = &changed
	if other.jointDigest() == r.Digest {
		t.Error("the digest that is approved says nothing of the environment")
	}
	if err := r.Approve(ada, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	a := r.Step("terraform.a")
	if _, err := r.Claim(a.ID, Claim{}, noon); err != nil {
		t.Fatal(err)
	}
	job := Job{PlannedIn: a.Inputs[inputEnvironment], Environment: "red"}
	if err := job.SameEnvironment(); err != nil {
		t.Error(err)
	}
	job.Environment = "blue"
	if err := job.SameEnvironment(); !errors.Is(err, ErrConflict) {
		t.Errorf("in another environment: %v", err)
	}
}

// keyless stands in for the keyed digests.
type keyless struct{}

func (keyless) Fingerprint(value []byte) string { return string(value) }

func TestPlansThatDoTheSameAgree(t *testing.T) {
	s := &Runs{Hasher: keyless{}}
	change := []Change{{Subject: "a.db", Action: ActionUpdate, Attributes: []AttributeChange{{Path: "password", Sensitive: true}}}}
	first := s.changesHash(Plan{Changes: change}, "one")
	tests := map[string]struct {
		plan   Plan
		hidden string
		same   bool
	}{
		"the same":                 {Plan{Changes: change}, "one", true},
		"other outputs of it":      {Plan{Changes: change, Outputs: []OutputChange{{Name: "ip"}}}, "one", true},
		"another secret":           {Plan{Changes: change}, "two", false},
		"something it cannot tell": {Plan{Changes: change, Notes: []string{"web-2 cannot be reached"}}, "one", false},
		"another change":           {Plan{}, "one", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if same := s.changesHash(tt.plan, tt.hidden) == first; same != tt.same {
				t.Errorf("counts as the same: %v", same)
			}
		})
	}
}
