package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// workspace is a folder in which somebody uses Terraform with our backend.
type workspace struct {
	t    testing.TB
	dir  string
	exec string
	env  []string
}

// newWorkspace uses the state of a component with somebody's token.
func (s *system) newWorkspace(component string, role engine.Role) workspace {
	s.t.Helper()
	w := workspace{t: s.t, dir: s.t.TempDir(), exec: enginetest.Need(s.t, "terraform", "install terraform: https://developer.hashicorp.com/terraform/install")}
	address := s.stateURL("hello", component)
	w.env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(w.dir, "none.tfrc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
		"TF_HTTP_ADDRESS="+address, "TF_HTTP_LOCK_ADDRESS="+address, "TF_HTTP_UNLOCK_ADDRESS="+address,
		"TF_HTTP_LOCK_METHOD=LOCK", "TF_HTTP_UNLOCK_METHOD=UNLOCK", "TF_HTTP_RETRY_MAX=0",
		"TF_HTTP_USERNAME="+string(role), "TF_HTTP_PASSWORD="+s.tokens[role].Reveal())
	w.write("none.tfrc", "")
	w.write("main.tf", "terraform {\n  backend \"http\" {}\n}\n\nresource \"terraform_data\" \"a\" {\n  input = \"hi\"\n}\n\noutput \"text\" {\n  value = terraform_data.a.output\n}\n")
	return w
}

func (w workspace) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// terraform runs the CLI and gives what it prints, and whether it went well.
func (w workspace) terraform(args ...string) (string, bool) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), w.exec, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	return string(out), err == nil
}

func (w workspace) must(args ...string) string {
	w.t.Helper()
	out, ok := w.terraform(args...)
	if !ok {
		w.t.Fatalf("terraform %s:\n%s", strings.Join(args, " "), out)
	}
	return out
}

func TestPeopleUseTheBackendWithTerraform(t *testing.T) {
	s := newSystem(t)
	s.submit()
	w := s.newWorkspace("terraform.greeting", engine.RoleOperator)
	w.must("init", "-no-color")
	w.must("apply", "-no-color", "-auto-approve")
	var pulled struct {
		Serial  int64
		Outputs map[string]struct{ Value string }
	}
	s.ok(json.Unmarshal([]byte(w.must("state", "pull")), &pulled))
	states, err := s.as(engine.RoleViewer).States(t.Context(), "hello")
	s.ok(err)
	if pulled.Outputs["text"].Value != "hi" || len(states) != 1 || states[0].Serial != pulled.Serial || states[0].Resources != 1 || states[0].By != "operator" {
		t.Errorf("pulled %+v, kept %+v", pulled, states)
	}
	if locks, err := s.as(engine.RoleViewer).Locks(t.Context(), "hello"); err != nil || len(locks) != 0 {
		t.Errorf("left locked: %+v, %v", locks, err)
	}
}

func TestTerraformIsToldWhoHoldsTheLock(t *testing.T) {
	s := newSystem(t)
	s.submit()
	w := s.newWorkspace("terraform.greeting", engine.RoleOperator)
	w.must("init", "-no-color")
	lock := `{"ID":"7f3a","Operation":"OperationTypeApply","Who":"ada@laptop","Version":"1.11.4","Created":"2026-01-02T03:04:05Z"}`
	s.must(s.send("LOCK", backend, engine.RoleAdmin, strings.NewReader(lock)), http.StatusOK)
	out, ok := w.terraform("apply", "-no-color", "-auto-approve")
	for _, want := range []string{"Error acquiring the state lock", "already locked: ID=7f3a (held by admin since 2026-01-02 03:04", "UTC: OperationTypeApply)"} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if ok || t.Failed() {
		t.Fatalf("terraform went on, or said too little:\n%s", out)
	}
	w.must("force-unlock", "-force", "7f3a")
	w.must("apply", "-no-color", "-auto-approve")
}

func TestTerraformDoesNotForceTheLockOfARun(t *testing.T) {
	s := newSystem(t)
	s.submit()
	w := s.newWorkspace("terraform.greeting", engine.RoleOperator)
	w.must("init", "-no-color")
	s.interrupted(stateText(1, "a"))
	if out, ok := w.terraform("force-unlock", "-no-color", "-force", "one"); ok || !strings.Contains(out, "423") {
		t.Errorf("it is not refused:\n%s", out)
	}
	s.locked(true)
	out, ok := w.terraform("plan", "-no-color")
	if ok || !strings.Contains(strings.Join(strings.Fields(out), " "), "cloudops state unlock hello terraform.greeting --reason") {
		t.Errorf("it does not say how the lock is broken:\n%s", out)
	}
}

func TestTerraformOfSomebodyWhoMayOnlyLook(t *testing.T) {
	s := newSystem(t)
	s.submit()
	w := s.newWorkspace("terraform.greeting", engine.RoleViewer)
	out, ok := w.terraform("init", "-no-color")
	if ok {
		out, ok = w.terraform("plan", "-no-color")
	}
	if ok || !strings.Contains(out, "403") && !strings.Contains(out, "invalid auth") {
		t.Errorf("terraform went on:\n%s", out)
	}
}
