package terraform

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestStateThatCannotBeWrittenIsHandedBack(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": note})
	w.job.Terraform.Inputs["text"] = json.RawMessage(`"one"`)
	p := w.plan(t)
	w.job.PlanHash, w.backend.refuses = p.Hash, true
	res, err := w.driver.Apply(t.Context(), w.job, w.bundle, p.File, io.Discard)
	var f *Failure
	if !errors.As(err, &f) || !strings.Contains(err.Error(), "Failed to save state") {
		t.Errorf("error = %v", err)
	}
	if !bytes.Contains(res.Errored, []byte("terraform_data")) || res.Applied.Create != 1 {
		t.Errorf("errored state = %s, applied = %+v", res.Errored, res.Applied)
	}
	w.backend.refuses = false
	if again := w.plan(t); len(again.Plan.Changes) != 1 {
		t.Errorf("plan = %+v", again.Plan)
	}
}

func TestHolderOfTheLockIsNamed(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": note})
	w.job.Terraform.Inputs["text"] = json.RawMessage(`"one"`)
	p := w.plan(t)
	// Of the lock it was refused for, Terraform shows the ID and nothing else.
	w.backend.lock = []byte(`{"ID":"held by ada"}`)
	w.job.PlanHash = p.Hash
	w.driver.LockTimeout = 1
	_, err := w.driver.Apply(t.Context(), w.job, w.bundle, p.File, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "held by ada") || !strings.Contains(err.Error(), "Error acquiring the state lock") {
		t.Errorf("error = %v", err)
	}
	w.job.Terraform.Lock = false
	if _, err := w.driver.Plan(t.Context(), w.job, w.bundle, io.Discard); err != nil {
		t.Errorf("a preview waits for the lock: %v", err)
	}
}
