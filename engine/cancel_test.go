package engine

import (
	"errors"
	"testing"
)

func TestCancelStopsWhatWaitsAndTellsWhatRuns(t *testing.T) {
	r := begun(t, ApprovalRule{})
	a := r.Step("terraform.a")
	if _, err := r.Claim(a.ID, Claim{Worker: "w1"}, noon); err != nil {
		t.Fatal(err)
	}
	if err := r.Cancel(bob, noon); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, r, RunPlanning, StepPlanning, StepCancelled, StepCancelled)
	if err := r.Cancel(bob, noon); err != nil || !r.Kill {
		t.Errorf("asked twice: kill = %v, err = %v", r.Kill, err)
	}
	if err := r.End(a.ID, a.Attempt, Result{Outcome: OutcomeCancelled}, noon); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, r, RunCancelled, StepCancelled, StepCancelled, StepCancelled)
	_ = r.TakeChanges()
	err := r.Cancel(bob, noon)
	if c := r.TakeChanges(); err != nil || len(c.Events) > 0 {
		t.Errorf("cancelling what is cancelled: %v, want nothing to happen: %v", err, c.Events)
	}
	if err := endedAs(RunSucceeded).Cancel(bob, noon); !errors.Is(err, ErrConflict) {
		t.Errorf("cancelling what is over: %v, want a conflict", err)
	}
}

func endedAs(s RunStatus) *Run { return &Run{ID: "run-1", Status: s} }
