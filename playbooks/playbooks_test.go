package playbooks_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/playbooks"
)

func TestCatalog(t *testing.T) {
	if names := playbooks.Names(); !slices.Equal(names, []string{"backup", "baseline", "decommission", "docker", "node-exporter", "postgres", "web"}) {
		t.Errorf("names = %v", names)
	}
	for _, name := range playbooks.Names() {
		fsys, err := playbooks.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fs.Stat(fsys, "site.yml"); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"nothing", "", ".", "../playbooks/web", "web/roles"} {
		if _, err := playbooks.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("open %q: %v", name, err)
		}
	}
}

func TestPlaybooksAreSound(t *testing.T) {
	t.Parallel()
	for _, name := range playbooks.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out, err := play(t, name, nil, "--syntax-check"); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestPlaybooksPassLint(t *testing.T) {
	t.Parallel()
	lint := enginetest.Need(t, "ansible-lint", "apt-get install ansible-lint")
	args := []string{"--profile", "production", "--offline", "--nocolor"}
	for _, name := range playbooks.Names() {
		args = append(args, filepath.Join(name, "site.yml"))
	}
	cmd := exec.CommandContext(t.Context(), lint, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LANG=C.UTF-8"}

	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestWrongVariableIsRefusedByName(t *testing.T) {
	t.Parallel()
	out, err := play(t, "web", []string{"web_port=high"})

	if err == nil || !strings.Contains(out, "web_port") {
		t.Errorf("%v\n%s", err, out)
	}
}

// play runs a playbook on this machine and returns what Ansible says.
func play(t *testing.T, name string, vars []string, args ...string) (string, error) {
	t.Helper()
	program := enginetest.Need(t, "ansible-playbook", "apt-get install ansible-core")
	args = append(args, "--inventory", "web-1,", "--connection", "local", filepath.Join(name, "site.yml"))
	for _, v := range vars {
		args = append(args, "--extra-vars", v)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LANG=C.UTF-8", "ANSIBLE_NOCOLOR=True", "ANSIBLE_PYTHON_INTERPRETER=auto_silent"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}
