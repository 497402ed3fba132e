package ansible

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// allWalls are those that this machine has.
func allWalls(t *testing.T) sandbox.Policy {
	t.Helper()
	policy := sandbox.Policy{Mode: sandbox.Require, Users: sandbox.Users{First: 60800, Last: 61099}}
	policy, _, err := policy.Survey(os.Args[0])
	if err != nil {
		enginetest.Missing(t, "Landlock", "Linux 6.12 or newer with landlock among the security modules that it starts (lsm=), and bubblewrap")
	}
	return policy
}

// Port 80 is where clouds give a machine credentials.
func TestHostsOfAPlayDoNotOpenTheMetadataPort(t *testing.T) {
	inventory := engine.Inventory{Groups: []engine.Group{{Name: "all", Hosts: []engine.Host{
		{Name: "metadata", Address: "169.254.169.254", Port: 80}, {Name: "web", Address: "2001:db8::1", Port: 2222}, {Name: "db"},
	}}}}
	d := New(Options{Sandbox: sandbox.Policy{Mode: sandbox.Auto}})
	p, err := d.newPlay(&engine.Job{Dir: t.TempDir(), Ansible: &engine.AnsibleJob{Inventory: inventory}, Env: map[string]string{"X": "http://169.254.169.254"}})
	if err != nil {
		t.Fatal(err)
	}
	ports := p.walls().Connect
	if slices.Contains(ports, 80) || !slices.Contains(ports, 2222) || !slices.Contains(ports, 22) {
		t.Errorf("open are %v", ports)
	}
}

func TestInstallationIsNoMoreThanAnsiblesFolder(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{os.MkdirAll(filepath.Join(dir, "venv/bin"), 0o755), os.WriteFile(filepath.Join(dir, "venv/bin/ansible-playbook"), nil, 0o755),
		os.Symlink(filepath.Join(dir, "venv/bin/ansible-playbook"), filepath.Join(dir, "play"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for program, want := range map[string]string{
		"": "", "/opt/ansible-playbook": "/opt", "/ansible/bin/ansible-playbook": "/ansible", "/srv/tools/ansible-playbook": "/srv/tools", "/ansible-playbook": "/ansible-playbook",
		filepath.Join(dir, "play"): filepath.Join(dir, "venv"),
	} {
		if got := installation(program); got != want {
			t.Errorf("%s is installed in %s, want %s", program, got, want)
		}
	}
}

// Without namespaces they are everybody's.
func TestPlayHasNoTerminalsOfOthers(t *testing.T) {
	p, err := New(Options{Sandbox: sandbox.Policy{Mode: sandbox.Auto}}).newPlay(&engine.Job{Dir: t.TempDir(), Ansible: &engine.AnsibleJob{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range p.walls().Write {
		if path == "/dev/ptmx" || filepath.Dir(path) == "/dev/pts" || path == "/dev/pts" {
			t.Errorf("a play may write to %s", path)
		}
	}
}
