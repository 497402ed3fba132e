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

func TestPlaybooksAreChangedOnceAndCheckedBefore(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		playbook string
		vars     func(root string) []string
		want     map[string]string // a text in a file
	}{
		"a host's baseline below a folder": {
			playbook: "baseline",
			vars: func(root string) []string {
				return []string{"baseline_root=" + root, "baseline_become=false", `{"baseline_ssh_allow_groups": ["admin", "ops"]}`}
			},
			want: map[string]string{
				"etc/motd":                               "managed by CloudOps",
				"etc/ssh/sshd_config.d/10-cloudops.conf": "AllowGroups admin ops\n",
				"etc/sysctl.d/60-cloudops.conf":          "kernel.kptr_restrict = 2",
			},
		},
		"a site without its package": {
			playbook: "web",
			vars: func(root string) []string {
				return []string{"web_package=''", "web_become=false", "web_root=" + root + "/www", "web_config_dir=" + root + "/nginx",
					"web_title='<Hello>'", "web_port=8080"}
			},
			want: map[string]string{
				"www/index.html":             "<h1>&lt;Hello&gt;</h1>",
				"nginx/conf.d/cloudops.conf": "listen 8080 default_server;",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			vars := tt.vars(root)

			checked, err := play(t, tt.playbook, vars, "--check", "--diff")
			if err != nil || !strings.Contains(checked, "changed=") || strings.Contains(checked, "changed=0") {
				t.Errorf("check: %v\n%s", err, checked)
			}
			if left, _ := os.ReadDir(root); len(left) > 0 {
				t.Errorf("the check wrote %v", left)
			}
			if out, err := play(t, tt.playbook, vars); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for file, text := range tt.want {
				if b, err := os.ReadFile(filepath.Join(root, file)); err != nil || !strings.Contains(string(b), text) {
					t.Errorf("%s = %q, %v; want %q", file, b, err, text)
				}
			}
			if again, err := play(t, tt.playbook, vars); err != nil || !strings.Contains(again, "changed=0") {
				t.Errorf("second run: %v\n%s", err, again)
			}
		})
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
