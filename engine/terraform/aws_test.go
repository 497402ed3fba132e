package terraform

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// The module has a provider block of its own, which the settings of the cloud
// block are merged into.
const bucket = `terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region            = "us-east-1"
  s3_use_path_style = true
}
resource "aws_s3_bucket" "b" { bucket = "bucket-of-a-test" }
output "tags" { value = aws_s3_bucket.b.tags_all }
`

func TestRealProviderComesFromTheMirrorAndIsNotCopied(t *testing.T) {
	mirror := enginetest.NeedProviderMirror(t)
	moto := enginetest.Moto(t)
	w := newWorld(t, map[string]string{"x/main.tf": bucket})
	w.driver.Mirror, w.job.Env = mirror, map[string]string{}
	w.driver.Sandbox = allWalls(t)
	w.driver.Sandbox.Limits = sandbox.Limits{Memory: 1 << 30, FileSize: 1 << 30, Files: 4096, Processes: 1024}
	for _, kv := range moto.Env() {
		name, value, _ := strings.Cut(kv, "=")
		w.job.Env[name] = value
	}
	w.job.Terraform.Providers = []engine.ProviderSettings{{Name: "aws",
		Settings:    map[string]json.RawMessage{"region": json.RawMessage(`"eu-west-1"`)},
		DefaultTags: map[string]string{"cloudops:stack": "shop"}}}
	p := w.plan(t)
	w.apply(t, p)
	if o := p.Outputs["tags"]; string(o.Value) != `{"cloudops:stack":"shop"}` {
		t.Errorf("tags = %s", o.Value)
	}
	if !strings.Contains(string(w.backend.state), `"eu-west-1"`) {
		t.Errorf("state = %s", w.backend.state)
	}
	if again := w.plan(t); again.Changed || strings.Count(w.log.String(), "Initializing the backend") != 1 {
		t.Errorf("second plan = %+v\n%s", again.Plan, w.log.String())
	}
	if isThere(w.driver.store() + "/registry.terraform.io") {
		t.Error("the provider was copied from the mirror")
	}
}
