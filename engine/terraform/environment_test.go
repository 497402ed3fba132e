package terraform

import (
	"slices"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestWhatTerraformIsToldCannotBeSetByPeople(t *testing.T) {
	r := &session{Driver: &Driver{}, job: &engine.Job{Terraform: &engine.TerraformJob{}}, space: &workspace{root: t.TempDir()}}
	handedOn := []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"}
	for name := range r.environment() {
		if slices.Contains(handedOn, name) != (engine.CheckEnvName(name) == nil) {
			t.Errorf("%s: %v", name, engine.CheckEnvName(name))
		}
	}
}
