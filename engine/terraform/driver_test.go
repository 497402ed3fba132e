package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

func TestMain(m *testing.M) {
	if sandbox.Requested() {
		sandbox.Exec()
	}
	os.Exit(m.Run())
}

// backend is a state backend in memory.
type backend struct {
	mu    sync.Mutex
	state []byte
	lock  []byte
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	switch r.Method {
	case http.MethodGet:
		if b.state == nil {
			w.WriteHeader(http.StatusNoContent)
		}
		w.Write(b.state)
	case http.MethodPost:
		b.state = body
	case "LOCK":
		if b.lock != nil {
			w.WriteHeader(http.StatusLocked)
			w.Write(b.lock)
			return
		}
		b.lock = body
	case "UNLOCK":
		b.lock = nil
	}
}

// world is a driver with a component's sources and its state.
type world struct {
	driver  *Driver
	backend *backend
	bundle  string
	job     *engine.Job
	log     bytes.Buffer
}

func newWorld(t *testing.T, files map[string]string) *world {
	t.Helper()
	enginetest.Need(t, "terraform", "install terraform: https://developer.hashicorp.com/terraform/install")
	w := &world{backend: &backend{}, bundle: t.TempDir()}
	srv := httptest.NewServer(w.backend)
	t.Cleanup(srv.Close)
	for name, text := range files {
		path := filepath.Join(w.bundle, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w.driver = New(Options{DataDir: t.TempDir(), Self: self, Log: slog.New(slog.DiscardHandler)})
	w.job = &engine.Job{Step: "step-1", Stack: "shop", Component: "terraform.x", RunKind: engine.RunApply, Grace: 10 * time.Second,
		Hurry:     make(chan struct{}),
		Terraform: &engine.TerraformJob{Source: "./x", Inputs: map[string]json.RawMessage{}, Lock: true, State: engine.StateAccess{Address: srv.URL, Username: "u", Password: "p"}}}
	return w
}

func (w *world) plan(t *testing.T) Plan {
	t.Helper()
	p, err := w.driver.Plan(t.Context(), w.job, w.bundle, &w.log)
	if err != nil {
		t.Fatalf("plan: %v\n%s", err, w.log.String())
	}
	return p
}

func (w *world) apply(t *testing.T, p Plan) Result {
	t.Helper()
	w.job.PlanHash = p.Hash
	res, err := w.driver.Apply(t.Context(), w.job, w.bundle, p.File, &w.log)
	if err != nil {
		t.Fatalf("apply: %v\n%s", err, w.log.String())
	}
	return res
}

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

func TestCancelledApplyKeepsWhatWasMadeAndLeavesNothingRunning(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, map[string]string{"x/main.tf": fmt.Sprintf(`resource "terraform_data" "first" { input = "made" }
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "echo $$ > %s/pid; echo started; exec sleep 300" }
}
`, dir)})
	p := w.plan(t)
	w.job.PlanHash = p.Hash
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("somebody cancelled")
	_, err := w.driver.Apply(ctx, w.job, w.bundle, p.File, writerFunc(func(b []byte) {
		if bytes.Contains(b, []byte("(local-exec): started")) {
			cancel(stop)
		}
	}))
	if !errors.Is(err, stop) {
		t.Errorf("error = %v", err)
	}
	if !bytes.Contains(w.backend.state, []byte(`"made"`)) || w.backend.lock != nil {
		t.Errorf("state %s, lock %s", w.backend.state, w.backend.lock)
	}
	if pid, err := os.ReadFile(filepath.Join(dir, "pid")); err != nil || processExists(strings.TrimSpace(string(pid))) {
		t.Errorf("process %s is still there, %v", pid, err)
	}
}

func processExists(pid string) bool {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(b), ") Z ")
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

func TestTwoSessionsOfOneComponentDoNotShareAFolder(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": note})
	w.job.Terraform.Lock = false
	w.job.Terraform.Inputs["text"] = json.RawMessage(`"one"`)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := w.driver.Plan(t.Context(), w.job, w.bundle, io.Discard); err != nil {
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
