package enginetest_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

func TestMotoAnswersAsSoonAsItIsReturned(t *testing.T) {
	moto := enginetest.Moto(t)

	res, err := http.Get(moto.URL + "/moto-api/")

	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("status = %d", res.StatusCode)
	}
	if !strings.HasPrefix(moto.URL, "http://127.0.0.1:") {
		t.Errorf("moto listens at %s, which others can reach", moto.URL)
	}
}

func TestTerraformCLIConfigNamesTheMirrorInUse(t *testing.T) {
	mirror := t.TempDir()
	t.Setenv("CLOUDOPS_PROVIDER_MIRROR", mirror)

	config, err := os.ReadFile(enginetest.TerraformCLIConfig(t))

	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(config), mirror) {
		t.Errorf("config does not name %s:\n%s", mirror, config)
	}
}

func TestProviderMirrorHoldsTheProvider(t *testing.T) {
	dir := enginetest.NeedProviderMirror(t)

	versions, err := filepath.Glob(filepath.Join(dir, "registry.terraform.io/hashicorp/aws/*"))

	if err != nil || len(versions) == 0 {
		t.Errorf("no provider in %s: %v", dir, err)
	}
}
