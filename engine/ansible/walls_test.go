package ansible

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

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
