package terraform

import (
	"slices"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestWhatTerraformIsToldCannotBeSetByPeople(t *testing.T) {
	r := &session{Driver: &Driver{}, job: &engine.Job{Terraform: &engine.TerraformJob{}}, space: &workspace{root: t.TempDir()}}
	handedOn := []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "GIT_SSL_CAINFO"}
	for name := range r.environment() {
		if slices.Contains(handedOn, name) != (engine.CheckEnvName(name) == nil) {
			t.Errorf("%s: %v", name, engine.CheckEnvName(name))
		}
	}
}

func TestGitOfModulesTrustsWhomWeTrust(t *testing.T) {
	t.Setenv("SSL_CERT_FILE", "/srv/ca.pem")
	r := &session{Driver: &Driver{}, job: &engine.Job{Terraform: &engine.TerraformJob{}}, space: &workspace{root: t.TempDir()}}
	if got := r.environment()["GIT_SSL_CAINFO"]; got != "/srv/ca.pem" {
		t.Errorf("git trusts %q", got)
	}
	r.job.Env = map[string]string{"GIT_SSL_CAINFO": "/srv/own.pem"}
	if got := r.environment()["GIT_SSL_CAINFO"]; got != "/srv/own.pem" {
		t.Errorf("git trusts %q where the stack says whom", got)
	}
}
