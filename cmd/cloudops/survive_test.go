package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	if _, err := api.SubmitBundle(t.Context(), "survivor", bundle, nil, ""); err != nil {
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

func TestRunSurvivesTheDeathOfWhoRunsIt(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T, *survivor){
		"the server is killed and started again": func(t *testing.T, v *survivor) {
			v.killServer()
			v.relaunch(t)
			v.open(t)
		},
		"the apply ends while the server is away": func(t *testing.T, v *survivor) {
			v.killServer()
			v.open(t)
			v.playEnds(t)
			v.relaunch(t)
		},
		"the runner is killed": func(t *testing.T, v *survivor) {
			v.killRunner(t)
			v.open(t)
		},
		"the runner is killed twice": func(t *testing.T, v *survivor) {
			first := v.processes("step")
			v.killRunner(t)
			v.until(t, func() bool { now := v.processes("step"); return len(now) > 0 && !slices.Equal(now, first) })
			v.killRunner(t)
			v.open(t)
		},
		"server and runner are killed": func(t *testing.T, v *survivor) {
			v.killServer()
			v.killRunner(t)
			v.relaunch(t)
			v.open(t)
		},
		"server and runner are killed and the apply ends before they are back": func(t *testing.T, v *survivor) {
			v.killServer()
			v.killRunner(t)
			v.open(t)
			v.playEnds(t)
			v.relaunch(t)
		},
	}
	for _, tool := range []string{"terraform", "ansible"} {
		for name, kill := range tests {
			t.Run(tool+": "+name, func(t *testing.T) {
				t.Parallel()
				eachPair(t, func(t *testing.T, start func(...string) *testServer) {
					v := startSurvivor(t, start(), tool)
					kill(t, v)
					v.succeeded(t)
				})
			})
		}
	}
}

func TestServerThatDrainsWaitsForItsSteps(t *testing.T) {
	t.Parallel()
	v := startSurvivor(t, startServer(t, "--drain", "1m"), "terraform")
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	v.open(t)
	if err := v.cmd.Wait(); err != nil {
		t.Errorf("server: %v\n%s", err, tail(v.log.String(), 8000))
	}
	if runners := v.processes("step"); len(runners) > 0 {
		t.Errorf("runners %v outlive the end of the server", runners)
	}
	v.relaunch(t)
	v.succeeded(t)
}

func TestServerThatIsAskedToEndLeavesStepsToTheirRunners(t *testing.T) {
	t.Parallel()
	v := startSurvivor(t, startServer(t), "terraform")
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := v.cmd.Wait(); err != nil || len(v.processes("step")) != 1 {
		t.Errorf("server: %v, runners %v", err, v.processes("step"))
	}
	v.relaunch(t)
	v.open(t)
	v.succeeded(t)
}

func (v *survivor) signalRunner(t *testing.T, sig syscall.Signal) {
	t.Helper()
	runners := v.processes("step")
	if len(runners) != 1 {
		t.Fatalf("runners: %v", runners)
	}
	if err := syscall.Kill(runners[0], sig); err != nil {
		t.Fatal(err)
	}
}

// interrupted waits until the run is.
func (v *survivor) interrupted(t *testing.T) {
	t.Helper()
	v.until(t, func() bool {
		return strings.Contains(v.cli(t, "", "run", "show", v.run, "-o", "json"), `"status": "interrupted"`)
	})
}

func TestRunnerThatWasGivenUpIsFenced(t *testing.T) {
	t.Parallel()
	v := startSurvivor(t, startServer(t), "terraform")
	v.signalRunner(t, syscall.SIGSTOP)
	v.interrupted(t)
	if out := v.cli(t, "", "state", "locks", "survivor"); !strings.Contains(out, v.run) {
		t.Errorf("the lock does not name the run that was interrupted: %s", out)
	}
	v.signalRunner(t, syscall.SIGCONT)
	v.until(t, func() bool { return len(v.processes("step")) == 0 })
	if left := v.processes("apply"); len(left) > 0 {
		t.Errorf("terraform %v outlives the step", left)
	}
	if out := v.cli(t, "", "state", "list", "survivor"); strings.Contains(out, "terraform.x") {
		t.Errorf("a runner that was given up wrote a state: %s", out)
	}
	v.cli(t, "", "state", "recover", "survivor", "terraform.x", "--reason", "its runner handed it in")
	if out := v.cli(t, "", "state", "list", "survivor"); !strings.Contains(out, "terraform.x") || !strings.Contains(out, v.run) {
		t.Errorf("states: %s", out)
	}
	if out := v.cli(t, "", "state", "locks", "survivor"); strings.Contains(out, "terraform.x") {
		t.Errorf("locks: %s", out)
	}
}

func TestApplyWhoseToolIsKilledIsInterrupted(t *testing.T) {
	t.Parallel()
	v := startSurvivor(t, startServer(t), "terraform")
	for _, pid := range v.processes("apply") {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	v.interrupted(t)
	out := v.cli(t, "", "run", "show", v.run)
	for _, want := range []string{"killed in the middle", "there is no state", "finished: terraform_data.first (", "not known: whether terraform_data.slow was created"} {
		if !strings.Contains(out, want) {
			t.Errorf("the run does not say %q: %s", want, out)
		}
	}
	if out := v.cli(t, "", "state", "locks", "survivor"); !strings.Contains(out, "its apply was interrupted") {
		t.Errorf("locks: %s", out)
	}
	v.cli(t, "", "state", "unlock", "survivor", "terraform.x", "--reason", "looked at it")
	v.cli(t, "", "run", "start", "survivor", "--kind", "preview")
	v.until(t, func() bool {
		out = v.cli(t, "", "run", "list", "--kind", "preview")
		return strings.Contains(out, "succeeded")
	})
	preview := out[strings.Index(out, "run-"):][:len("run-")+26]
	if out := v.cli(t, "", "run", "show", preview); !strings.Contains(out, "run "+v.run+" made terraform_data.first (") || !strings.Contains(out, "would make it again") {
		t.Errorf("the plan after it does not say what it found: %s", out)
	}
}
