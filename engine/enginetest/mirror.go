package enginetest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// awsProvider is the provider that tests use beside Terraform's own.
const awsProvider = "registry.terraform.io/hashicorp/aws"

// ProviderMirror returns a folder in the layout of terraform providers mirror
// that holds the AWS provider, or "" where this machine has none and it comes
// from the registry. CLOUDOPS_PROVIDER_MIRROR names one; without it the usual
// places are searched.
func ProviderMirror(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("CLOUDOPS_PROVIDER_MIRROR"); dir != "" {
		return dir
	}
	for _, pattern := range mirrorPlaces() {
		found, err := filepath.Glob(filepath.Join(pattern, awsProvider))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			return filepath.Dir(filepath.Dir(filepath.Dir(found[0])))
		}
	}
	return ""
}

// NeedProviderMirror returns a folder as ProviderMirror does and ends the test
// as Missing does where there is none: from the registry, every test would
// fetch 700 MB of its own.
func NeedProviderMirror(t testing.TB) string {
	t.Helper()
	dir := ProviderMirror(t)
	if dir == "" {
		Missing(t, "a mirror of the AWS provider",
			"terraform -chdir=modules/aws/network providers mirror /usr/local/share/terraform/plugins")
	}
	return dir
}

// mirrorPlaces lists patterns of folders: Terraform's own implied mirrors and
// those where images of CI tend to keep one.
func mirrorPlaces() []string {
	places := []string{
		"/usr/local/share/terraform/*", "/usr/share/terraform/*",
		"/opt/*", "/opt/*/*",
	}
	if home, err := os.UserHomeDir(); err == nil {
		places = append(places, filepath.Join(home, ".terraform.d", "*"))
	}
	return places
}

// TerraformCLIConfig writes a CLI configuration for TF_CLI_CONFIG_FILE and
// returns its path. With it the AWS provider comes from the machine's mirror,
// if it has one, and Terraform asks nobody whether there is a newer version.
func TerraformCLIConfig(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "terraform.tfrc")
	if err := os.WriteFile(path, []byte(cliConfig(ProviderMirror(t))), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func cliConfig(mirror string) string {
	const quiet = "disable_checkpoint = true\n"
	if mirror == "" {
		return quiet
	}
	return quiet + fmt.Sprintf(`provider_installation {
  filesystem_mirror {
    path    = %q
    include = [%[2]q]
  }
  direct {
    exclude = [%[2]q]
  }
}
`, mirror, awsProvider)
}
