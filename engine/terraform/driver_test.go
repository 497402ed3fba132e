package terraform

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

const note = `variable "text" { type = string }
variable "secret" {
  type      = string
  sensitive = true
  default   = "unused"
}
resource "terraform_data" "note" {
  input = { text = var.text, secret = var.secret }
}
output "text" { value = var.text }
output "id" { value = terraform_data.note.id }
output "secret" {
  value     = var.secret
  sensitive = true
}
`

func TestPlanIsAppliedAsItIsAndThenNothingChanges(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": note})
	w.job.Terraform.Inputs = map[string]json.RawMessage{"text": json.RawMessage(`"one"`), "secret": json.RawMessage(`"hunter2-secret"`)}
	p := w.plan(t)
	if !p.Changed || len(p.Plan.Changes) != 1 || p.Plan.Changes[0].Action != engine.ActionCreate || p.Plan.Changes[0].Subject != "terraform_data.note" {
		t.Fatalf("plan = %+v", p.Plan)
	}
	if o := p.Outputs; string(o["text"].Value) != `"one"` || !o["id"].Unknown || !o["secret"].Sensitive || string(o["secret"].Value) != `"hunter2-secret"` {
		t.Errorf("outputs = %+v", o)
	}
	for name, b := range map[string][]byte{"plan JSON": p.JSON, "plan": mustJSON(t, p.Plan), "log": w.log.Bytes()} {
		if bytes.Contains(b, []byte("hunter2")) {
			t.Errorf("%s shows the secret: %s", name, b)
		}
	}
	if res := w.apply(t, p); res.Applied.Create != 1 {
		t.Errorf("applied = %+v", res.Applied)
	}
	if w.backend.lock != nil {
		t.Error("the lock was kept")
	}
	again := w.plan(t)
	if again.Changed || again.File != nil {
		t.Errorf("second plan = %+v", again)
	}
	if strings.Count(w.log.String(), "Initializing the backend") > 1 {
		t.Error("initialized more than once")
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnotherPlanIsNotApplied(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": note})
	w.job.Terraform.Inputs["text"] = json.RawMessage(`"one"`)
	p := w.plan(t)
	w.job.PlanHash = "another"
	if _, err := w.driver.Apply(t.Context(), w.job, w.bundle, p.File, io.Discard); err == nil || !strings.Contains(err.Error(), "not the one that was approved") {
		t.Errorf("error = %v", err)
	}
	if w.backend.state != nil {
		t.Error("something was applied")
	}
}

func TestWhatTerraformRefusesIsToldWithItsPlace(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": "resource \"terraform_data\" \"x\" {\n  input = file(\"missing\")\n}\n"})
	_, err := w.driver.Plan(t.Context(), w.job, w.bundle, io.Discard)
	var f *Failure
	if !errors.As(err, &f) || !strings.Contains(err.Error(), "main.tf line 2") || !strings.Contains(err.Error(), "Invalid function argument") {
		t.Errorf("error = %v", err)
	}
}

func TestChildrenSeeNothingOfOurEnvironment(t *testing.T) {
	t.Setenv("CLOUDOPS_MASTER_KEY", "canary-in-the-environment")
	w := newWorld(t, map[string]string{"x/main.tf": `resource "terraform_data" "x" {
  provisioner "local-exec" { command = "env; echo printed" }
}
`})
	w.job.Env = map[string]string{"AWS_ACCESS_KEY_ID": "given", "PATH_OF_CREDENTIAL": "x"}
	w.apply(t, w.plan(t))
	out := w.log.String()
	if !strings.Contains(out, "printed") || !strings.Contains(out, "AWS_ACCESS_KEY_ID=given") {
		t.Fatalf("log = %s", out)
	}
	for _, word := range []string{"canary", "CLOUDOPS_SANDBOX", "CLOUDOPS_MASTER_KEY"} {
		if strings.Contains(out, word) {
			t.Errorf("a child sees %s", word)
		}
	}
}

func TestTwoSessionsOfOneComponentDoNotShareAFolder(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": note})
	w.job.Terraform.Lock = false
	w.job.Terraform.Inputs["text"] = json.RawMessage(`"one"`)
	var wg sync.WaitGroup
	for range 3 {
		job := w.attempt(t)
		wg.Go(func() {
			if _, err := w.driver.Plan(t.Context(), job, w.bundle, io.Discard); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	slots, _ := filepath.Glob(filepath.Join(w.driver.DataDir, "workspaces", "shop", "terraform.x", "*"))
	if len(slots) < 2 {
		t.Errorf("slots = %v", slots)
	}
}

func TestDestroyTakesEverythingAway(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": note})
	w.job.Terraform.Inputs["text"] = json.RawMessage(`"one"`)
	w.apply(t, w.plan(t))
	w.job.Destroy = true
	p := w.plan(t)
	if len(p.Plan.Changes) != 1 || p.Plan.Changes[0].Action != engine.ActionDelete {
		t.Fatalf("plan = %+v", p.Plan)
	}
	if res := w.apply(t, p); res.Applied.Delete != 1 {
		t.Errorf("applied = %+v", res.Applied)
	}
}

func TestLargePlansAndLongLogsWork(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": `resource "terraform_data" "x" {
  count = 5000
  input = count.index
}
`})
	if p := w.plan(t); len(p.Plan.Changes) != 5000 {
		t.Errorf("%d changes", len(p.Plan.Changes))
	}
	w = newWorld(t, map[string]string{"x/main.tf": `resource "terraform_data" "x" {
  provisioner "local-exec" { command = "seq 200000" }
}
`})
	w.apply(t, w.plan(t))
	if n := strings.Count(w.log.String(), "\n"); n < 200_000 {
		t.Errorf("%d lines", n)
	}
}
