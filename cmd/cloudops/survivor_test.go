package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine/blueprint"
)

// The stacks of these tests print numbered lines, wait in the middle of an
// apply until a pipe is written to, and print as many again.
const survivorTerraform = `stack "survivor" {}

terraform "x" { source = "./x" }
`

const survivorModule = `resource "terraform_data" "first" { input = "made" }

resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "for i in $(seq 1 20); do echo \"line $i.\"; done; touch %[1]s/begun; read go < %[1]s/gate; for i in $(seq 21 40); do echo \"line $i.\"; done"
  }
}
`

const survivorAnsible = `stack "survivor" {}

ansible "x" {
  playbook = "./site.yml"
  inventory {
    group "all_hosts" {
      hosts = [{ name = "here", address = "127.0.0.1", vars = { ansible_connection = "local" } }]
    }
  }
}
`

const survivorPlay = `
- hosts: all
  gather_facts: false
  tasks:
    - name: First
      ansible.builtin.command: echo first
    - name: Slow
      ansible.builtin.shell: "touch %[1]s/begun; read go < %[1]s/gate; seq 1 20"
    - name: Last
      ansible.builtin.command: echo last
`

// survivor is a run in the middle of its apply.
type survivor struct {
	*testServer
	tool, dir, run string
}

func startSurvivor(t *testing.T, s *testServer, tool string) *survivor {
	t.Helper()
	v := beginSurvivor(t, s, survivorFiles(tool), true)
	v.tool = tool
	return v
}

// survivorFiles are the stack with a component of the tool. In the files, %[1]s
// stands for the test's folder.
func survivorFiles(tool string) map[string]string {
	if tool == "ansible" {
		return map[string]string{"stack.hcl": survivorAnsible, "site.yml": survivorPlay}
	}
	return map[string]string{"stack.hcl": survivorTerraform, "x/main.tf": survivorModule}
}

// beginSurvivor starts a run of the files and waits until it is at the gate: in
// its apply, which it approves, or else in its plan.
func beginSurvivor(t *testing.T, s *testServer, files map[string]string, apply bool) *survivor {
	t.Helper()
	v := &survivor{testServer: s, dir: t.TempDir()}
	if err := syscall.Mkfifo(filepath.Join(v.dir, "gate"), 0o600); err != nil {
		t.Fatal(err)
	}
	api := s.client(t)
	v.run = submitAndStart(t, api, v.bundle(t, files))
	if apply {
		s.cli(t, "", "run", "watch", v.run)
		s.cli(t, "", "run", "approve", v.run)
	}
	v.until(t, func() bool { _, err := os.Stat(filepath.Join(v.dir, "begun")); return err == nil })
	return v
}

func (v *survivor) bundle(t *testing.T, files map[string]string) []byte {
	t.Helper()
	filled := map[string][]byte{}
	for name, text := range files {
		filled[name] = []byte(strings.ReplaceAll(text, "%[1]s", v.dir))
	}
	b, err := blueprint.PackFiles(filled)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func submitAndStart(t *testing.T, api *client.Client, bundle []byte) string {
	t.Helper()
	if _, err := api.SubmitBundle(t.Context(), "survivor", bundle, nil, "", false); err != nil {
		t.Fatal(err)
	}
	run, err := api.StartRun(t.Context(), "survivor", client.StartRun{Kind: "apply"})
	if err != nil {
		t.Fatal(err)
	}
	return run.ID
}

// until waits for what has no event to wait for.
func (v *survivor) until(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come about\n%s", tail(v.log.String(), 8000))
		}
	}
}

func (v *survivor) open(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(v.dir, "gate"), []byte("go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// openForWhatIsLeft opens the gate for processes of a play that was killed:
// within namespaces none is left.
func (v *survivor) openForWhatIsLeft(t *testing.T) {
	t.Helper()
	gate, err := os.OpenFile(filepath.Join(v.dir, "gate"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENXIO) {
		return
	}
	if err == nil {
		_, err = gate.WriteString("go\n")
	}
	if err := errors.Join(err, gate.Close()); err != nil {
		t.Fatal(err)
	}
}

// killServer kills the server and all that is in it.
func (v *survivor) killServer() {
	_ = v.cmd.Process.Kill()
	_ = v.cmd.Wait()
}

func (v *survivor) relaunch(t *testing.T) {
	t.Helper()
	v.launch(t, strings.TrimPrefix(v.url, "http://"))
}

func (v *survivor) killRunner(t *testing.T) {
	t.Helper()
	runners := v.processes("step")
	if len(runners) == 0 {
		t.Fatal("there is no runner")
	}
	for _, pid := range runners {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// playEnds waits for the end of a play. Terraform does not end before it has
// written its state.
func (v *survivor) playEnds(t *testing.T) {
	t.Helper()
	v.until(t, func() bool { return v.tool != "ansible" || len(v.processes("--diff")) == 0 })
}

// succeeded checks the end of the run: nothing of its log is missing or there
// twice, and nothing is left behind.
func (v *survivor) succeeded(t *testing.T) {
	t.Helper()
	v.cli(t, "", "run", "watch", v.run)
	log := v.cli(t, "", "run", "logs", v.run)
	once := map[string][]string{
		"ansible":   {"TASK [First]", "TASK [Slow]", "TASK [Last]", "PLAY RECAP"},
		"terraform": {"terraform_data.first: Creating...", "terraform_data.slow: Creation complete", "Apply complete!"},
	}[v.tool]
	for i := range 40 {
		if v.tool == "terraform" {
			once = append(once, fmt.Sprintf("line %d.\n", i+1))
		}
	}
	at := 0
	applied := log[strings.LastIndex(log, once[0]):]
	for _, line := range once {
		if n := strings.Count(applied, line); n != 1 {
			t.Errorf("%q stands %d times in the log:\n%s", line, n, log)
		}
	}
	for _, line := range once[len(once)-min(40, len(once)):] {
		i := strings.Index(applied, line)
		if i < at {
			t.Errorf("%q is out of order", line)
		}
		at = max(at, i)
	}
	if v.tool == "terraform" {
		if out := v.cli(t, "", "state", "list", "survivor"); !strings.Contains(out, "terraform.x") {
			t.Errorf("states: %s", out)
		}
		if out := v.cli(t, "", "state", "locks", "survivor"); strings.Contains(out, "terraform.x") {
			t.Errorf("locks: %s", out)
		}
	}
	v.until(t, func() bool {
		left, _ := filepath.Glob(filepath.Join(v.testServer.dir, "data", "runners", "*"))
		return len(left) == 0 && len(v.processes("step")) == 0
	})
}
