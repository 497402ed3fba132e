package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

func TestGitTrustsAndGoesThroughWhatWeDo(t *testing.T) {
	t.Parallel()
	repositories, stack := t.TempDir(), t.TempDir()
	url, ca := enginetest.GitHTTPS(t, repositories)
	commitAll(t, filepath.Join(repositories, "net"), "main.tf", `output "id" { value = 1 }`)
	text := fmt.Sprintf("stack \"s\" {}\nterraform \"net\" { source = \"git::%s/net?ref=main\" }\noutput \"id\" { value = terraform.net.outputs.id }\n", url)
	if err := os.WriteFile(filepath.Join(stack, "stack.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	plain := []string{"SSL_CERT_FILE=", "GIT_SSL_CAINFO=", "GIT_SSL_CAPATH=", "HTTPS_PROXY=", "NO_PROXY="} // whatever it is here
	tests := map[string]struct {
		env  []string
		want string
	}{
		"our certificates":       {[]string{"SSL_CERT_FILE=" + ca}, "Stack s is valid"},
		"git's own certificates": {[]string{"SSL_CERT_FILE=/dev/null", "GIT_SSL_CAINFO=" + ca}, "Stack s is valid"},
		"no certificate":         {nil, "certificate"},
		"a proxy that is down":   {[]string{"SSL_CERT_FILE=" + ca, "HTTPS_PROXY=http://127.0.0.1:1"}, "port 1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if out, _ := cloudopsWith(slices.Concat(plain, tt.env), "stack", "validate", "-f", stack); !strings.Contains(out, tt.want) {
				t.Errorf("it says %s", out)
			}
		})
	}
}

// commitAll makes a repository of one file.
func commitAll(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "one"}} {
		if out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
}
