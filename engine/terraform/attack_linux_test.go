package terraform

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// hostile is a provider that attacks, by itself and from a program that it
// starts, as those behind `external` data sources are.
const hostile = `#!/bin/sh
export CLOUDOPS_TEST_ATTACK="$(cat %[1]s/targets)"
%[2]s > %[1]s/provider 2>&1
sh -c '%[2]s > %[1]s/external 2>&1'
`

func TestNoAttackOfAStackGetsThroughTheWalls(t *testing.T) {
	targets := enginetest.Victims(t)
	report := t.TempDir()
	w := newWorld(t, map[string]string{
		"x/main.tf": fmt.Sprintf(`resource "terraform_data" "x" {
  provisioner "local-exec" {
    command     = %q
    environment = { CLOUDOPS_TEST_ATTACK = file("%s/targets") }
  }
}
`, os.Args[0]+" > "+report+"/local-exec 2>&1", report),
		"y/main.tf": `terraform {
  required_providers {
    hostile = { source = "acme/hostile" }
  }
}
resource "hostile_thing" "x" {}
`,
	})
	w.driver.Mirror, w.driver.Sandbox = t.TempDir(), allWalls(t)
	w.driver.Sandbox.Read, w.driver.Sandbox.Write = []string{os.Args[0]}, []string{report}
	w.driver.Sandbox.Limits = sandbox.Limits{FileSize: 64 << 20, Memory: 4 << 30}
	targets.FileSize, targets.Memory = 65<<20, 5<<30
	targets.Files["another stack's sources"] = filepath.Join(w.bundle, "x", "main.tf")
	targets.Files["the order"] = filepath.Join(w.job.Dir, "kept", "order.json")
	targets.Write["the provider store"], targets.Write["the mirror"] = w.driver.store(), w.driver.Mirror
	if targets.Apart = w.driver.Sandbox.Bubblewrap != ""; targets.Apart {
		w.driver.Sandbox.Limits.Processes, targets.Forks = 200, 250
	}
	provider := filepath.Join(w.driver.Mirror, "registry.terraform.io/acme/hostile/1.0.0/linux_amd64/terraform-provider-hostile_v1.0.0")
	for path, text := range map[string]string{targets.Files["the order"]: "", filepath.Join(report, "targets"): targets.JSON(), provider: fmt.Sprintf(hostile, report, os.Args[0])} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{report, w.driver.Mirror} {
		if err := os.Chmod(dir, 0o777); err != nil { // which another user is to find
			t.Fatal(err)
		}
	}

	w.apply(t, w.plan(t))
	w.job.Terraform.Source = "./y"
	if _, err := w.driver.Plan(t.Context(), w.job, w.bundle, &w.log); err == nil {
		t.Error("a provider that is none makes a plan")
	}

	for _, from := range []string{"local-exec", "provider", "external"} {
		said, _ := os.ReadFile(filepath.Join(report, from)) // "" tells as well
		enginetest.Refused(t, from, string(said))
	}
}
