package terraform

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

func TestNoSecretStandsInTheArgumentsOfAnyProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc")
	}
	w := newWorld(t, map[string]string{"x/main.tf": note + `resource "terraform_data" "look" {
  provisioner "local-exec" { command = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; echo looked" }
}
`})
	w.job.Env = map[string]string{"AWS_SECRET_ACCESS_KEY": "canary-of-the-cloud"}
	w.job.Terraform.State.Password = "canary-of-the-state"
	w.job.Terraform.Inputs = map[string]json.RawMessage{"text": json.RawMessage(`"canary-of-an-input"`), "secret": json.RawMessage(`"canary-of-a-secret"`)}
	p := w.plan(t)
	w.log.Reset()
	w.apply(t, p)
	if out := w.log.String(); !strings.Contains(out, "looked") || strings.Contains(out, "canary-") {
		t.Errorf("log = %s", out)
	}
}

func TestWallsKeepTerraformInItsFolders(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("behind the wall"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, map[string]string{"x/main.tf": fmt.Sprintf(`resource "terraform_data" "x" {
  provisioner "local-exec" { command = "cat %s; echo tried" }
}
`, secret)})
	w.driver.Sandbox = allWalls(t)
	w.apply(t, w.plan(t))
	if out := w.log.String(); !strings.Contains(out, "(local-exec): tried") || strings.Contains(out, "behind the wall") {
		t.Errorf("log = %s", out)
	}
}

func TestFailureSaysWhichWallTerraformMet(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": `resource "terraform_data" "x" {
  provisioner "local-exec" { command = "cat /srv/artifacts/web.tar" }
}
`})
	w.driver.Sandbox = allWalls(t)
	p := w.plan(t)
	w.job.PlanHash = p.Hash
	_, err := w.driver.Apply(t.Context(), w.job, w.bundle, p.File, &w.log)
	if err == nil || !strings.Contains(err.Error(), "Sandbox: /srv/artifacts/web.tar lies outside what a step sees") {
		t.Errorf("error = %v", err)
	}
	if !strings.Contains(w.log.String(), "Walls around this step: files, TCP to 53 443 ") {
		t.Errorf("log = %s", w.log.String())
	}
}

// allWalls are those that this machine has.
func allWalls(t testing.TB) sandbox.Policy {
	t.Helper()
	policy := sandbox.Policy{Mode: sandbox.Require, Users: sandbox.Users{First: 60800, Last: 61099}}
	policy, _, err := policy.Survey(os.Args[0])
	if err != nil {
		enginetest.Missing(t, "Landlock", "Linux 6.12 or newer with landlock among the security modules that it starts (lsm=), and bubblewrap")
	}
	return policy
}

func TestModuleThatWeShip(t *testing.T) {
	w := newWorld(t, nil)
	w.driver.Modules = func(name string) (fs.FS, error) {
		if name != "local/note" {
			return nil, fmt.Errorf("module %s: %w", name, engine.ErrNotFound)
		}
		return fstest.MapFS{"main.tf": {Data: []byte(note), Mode: 0o444}}, nil
	}
	w.job.Terraform.Source = "modules/local/note"
	w.job.Terraform.Inputs["text"] = json.RawMessage(`"one"`)
	if p := w.plan(t); len(p.Plan.Changes) != 1 {
		t.Errorf("plan = %+v", p.Plan)
	}
}

func TestModulesBesideTheRootAreFound(t *testing.T) {
	w := newWorld(t, map[string]string{
		"shared/main.tf": `output "name" { value = "shared" }`,
		"x/main.tf": `module "shared" { source = "../shared" }
output "name" { value = module.shared.name }
`})
	if p := w.plan(t); string(p.Outputs["name"].Value) != `"shared"` {
		t.Errorf("outputs = %+v", p.Outputs)
	}
}

func TestSourcesThatChangeGetAWorkspaceOfTheirOwn(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": `output "a" { value = 1 }`, "stack.hcl": ""})
	w.plan(t)
	change := func(name, text string) {
		if err := os.WriteFile(filepath.Join(w.bundle, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	change("stack.hcl", "# only for us")
	w.plan(t)
	change("x/main.tf", `output "b" { value = 2 }`)
	if p := w.plan(t); string(p.Outputs["b"].Value) != "2" || len(p.Outputs) != 1 {
		t.Errorf("outputs = %+v", p.Outputs)
	}
	if n := strings.Count(w.log.String(), "Initializing the backend"); n != 2 {
		t.Errorf("initialized %d times", n)
	}
}
