package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// hostileStack is one whose first component looks around on the server's machine,
// and asks for the state of the second with the token of its own.
const hostileStack = `stack "hostile" {
  approval { auto_approve = "always" }
}
terraform "a" { source = "./a" }
terraform "b" { source = "./b" }
`

const hostileModule = `resource "terraform_data" "x" {
  provisioner "local-exec" {
    command = <<-EOT
      ask() { curl -s -o "$TMPDIR/answer" -w "$1 %%%%{http_code}" -u "$TF_HTTP_USERNAME:$TF_HTTP_PASSWORD" "$2"; echo; }
      ask own "$TF_HTTP_ADDRESS"
      ask other "$${TF_HTTP_ADDRESS%%terraform.a}terraform.b"
      for file in master.key cloudops.db cloudops.db-wal; do cat %[1]s/$file > /dev/null 2>&1 && echo "READ $file"; done
      grep -l CLOUDOPS_ADMIN_PASSWORD /proc/[0-9]*/environ 2> /dev/null | sed 's/^/READ /'
      echo looked
    EOT
  }
}
`

// TestStackFindsNothingOfTheServer runs a stack on a server with all the walls
// that the machine has.
func TestStackFindsNothingOfTheServer(t *testing.T) {
	t.Parallel()
	enginetest.Need(t, "curl", "apt-get install curl")
	if _, _, err := (sandbox.Policy{Mode: sandbox.Require}).Survey(os.Args[0]); err != nil {
		enginetest.Missing(t, "Landlock", "Linux 6.12 or newer with landlock among the security modules that it starts (lsm=), and bubblewrap")
	}
	s := startServer(t, "--sandbox", "require", "--sandbox-read", filepath.Dir(t.TempDir())) // which the data folder is in
	dir := t.TempDir()
	for name, text := range map[string]string{"stack.hcl": hostileStack, "a/main.tf": fmt.Sprintf(hostileModule, filepath.Join(s.dir, "data")), "b/main.tf": ""} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := s.cli(t, "", "stack", "apply", "-f", dir, "--yes")
	run := strings.Fields(out[strings.Index(out, "run run-"):])[1]
	log := s.cli(t, "", "run", "logs", run, "--component", "terraform.a")
	for _, want := range []string{"Walls around this step: files, TCP to ", "(local-exec): own 204", "(local-exec): other 401", "(local-exec): looked"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %q:\n%s", want, log)
		}
	}
	if shown := s.cli(t, "", "run", "show", run); !strings.Contains(shown, "walls around terraform.a, terraform.b: files, TCP to 53 443 and the step's endpoints, ") {
		t.Errorf("the run is shown as:\n%s", shown)
	}
	if strings.Contains(log, "(local-exec): READ") {
		t.Errorf("log:\n%s", log)
	}
}

func TestServersSecretsAreClosedAndNothingElse(t *testing.T) {
	t.Setenv("CLOUDOPS_OIDC_CLIENT_SECRET_FILE", "/srv/oidc")
	t.Setenv("CLOUDOPS_WEBHOOK_FILE", "")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/opt/gcp.json")
	t.Setenv("HOME", "/opt/cloudops")
	o := serverOptions{dataDir: "/srv/data", masterKey: "file:///srv/master%20key", databaseURL: "sqlite:///srv/c.db"}
	o.secretsOf.vault.TokenFile = "/srv/vault-token"
	want := []string{"/srv/data", "/srv/vault-token", "/srv/master key", "/srv/c.db", "/srv/c.db-wal", "/srv/c.db-shm", "/srv/oidc", "/opt/gcp.json", "/opt/cloudops/.aws"}
	for _, path := range want {
		if !slices.Contains(o.secretPlaces(), path) {
			t.Errorf("%s is open", path)
		}
	}
	here, err := os.Getwd()
	if err != nil || slices.Contains(o.secretPlaces(), here) {
		t.Errorf("closed are %q, %v", o.secretPlaces(), err)
	}
}
