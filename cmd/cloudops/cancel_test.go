package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// A check that has to run even while the play is planned waits at the gate.
const gatedPlan = `
- hosts: all
  gather_facts: false
  tasks:
    - name: Look
      ansible.builtin.shell: "touch %[1]s/begun; read go < %[1]s/gate"
      check_mode: false
`

// What does not heed an interrupt has to be killed.
const stubbornModule = `resource "terraform_data" "first" { input = "made" }

resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "trap '' INT TERM; touch %[1]s/begun; sleep 1000 & read go < %[1]s/gate; wait"
  }
}
`

const stubbornPlay = `
- hosts: all
  gather_facts: false
  tasks:
    - name: Slow
      ansible.builtin.shell: "trap '' INT TERM; touch %[1]s/begun; sleep 1000 & read go < %[1]s/gate; wait"
`

// ended waits for the run's end and checks that nothing is left behind: no
// process, and no lock but that of an interrupted apply.
func (v *survivor) ended(t *testing.T, want ...string) {
	t.Helper()
	api, status := v.client(t), ""
	v.until(t, func() bool {
		run, err := api.Run(t.Context(), v.run)
		status = run.Status
		return err == nil && run.FinishedAt != nil
	})
	if !slices.Contains(want, status) {
		t.Errorf("the run is %s", status)
	}
	v.until(t, func() bool { return len(v.processes("step")) == 0 })
	if left := v.descendants(); len(left) > 0 {
		t.Errorf("these processes are left: %q", left)
	}
	if locks, err := api.Locks(t.Context(), "survivor"); err != nil || status != "interrupted" && len(locks) > 0 {
		t.Errorf("locks: %v, %v", locks, err)
	}
}

// descendants lists processes that name the test's folder, which all that a
// run starts in these tests does.
func (v *survivor) descendants() (left []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), v.dir+"/") {
			left = append(left, strings.ReplaceAll(string(b), "\x00", " "))
		}
	}
	return left
}

func TestCancelledRunLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	stubborn := map[string]string{"stack.hcl": survivorTerraform, "x/main.tf": stubbornModule}
	tests := map[string]struct {
		files    map[string]string
		planning bool
		cancel   func(*testing.T, *survivor)
		grace    string
		status   []string // a tool that had to be killed may have been cut short
		says     string   // of what was done
	}{
		"Terraform applies":                    {survivorFiles("terraform"), false, once, "10m", []string{"cancelled"}, "finished: terraform_data.first"},
		"a play runs":                          {survivorFiles("ansible"), false, once, "10m", []string{"cancelled"}, "cancelled"},
		"a play is planned":                    {map[string]string{"stack.hcl": survivorAnsible, "site.yml": gatedPlan}, true, once, "10m", []string{"cancelled"}, "cancelled"},
		"a command of Terraform's is stubborn": {stubborn, false, once, "2s", []string{"cancelled", "interrupted"}, "finished: terraform_data.first"},
		"it is killed, and so is Terraform":    {stubborn, false, twice, "10m", []string{"cancelled", "interrupted"}, "finished: terraform_data.first"},
		"it is killed, and so is the play":     {map[string]string{"stack.hcl": survivorAnsible, "site.yml": stubbornPlay}, false, twice, "10m", []string{"cancelled", "interrupted"}, "Slow"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachPair(t, func(t *testing.T, start func(...string) *testServer) {
				v := beginSurvivor(t, start("--grace", test.grace), test.files, !test.planning)
				test.cancel(t, v)
				v.ended(t, test.status...)
				if out := v.cli(t, "", "run", "show", v.run); !strings.Contains(out, test.says) {
					t.Errorf("the run does not say %q: %s", test.says, out)
				}
			})
		})
	}
}

func once(t *testing.T, v *survivor) { v.cli(t, "", "run", "cancel", v.run) }

func twice(t *testing.T, v *survivor) {
	once(t, v)
	once(t, v)
}

func TestRunIsCancelledWhileItsWorkerIsAway(t *testing.T) {
	t.Parallel()
	database, redis := enginetest.Postgres(t), enginetest.Redis(t)
	s := startServer(t, "--clouds", "gcp", "--database-url", database, "--redis-url", redis)
	worker := exec.Command("cloudops", "worker", "--url", s.url, "--data-dir", filepath.Join(s.dir, "data", "other"), "--clouds", "local", "--sandbox-write", os.TempDir(),
		"--master-key-file", filepath.Join(s.dir, "data", "master.key"), "--database-url", database, "--redis-url", redis)
	worker.Stderr = s.log
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	v := beginSurvivor(t, s, survivorFiles("terraform"), true)
	_ = worker.Process.Kill()
	_ = worker.Wait()
	v.cli(t, "", "run", "cancel", v.run)
	v.ended(t, "cancelled")
	if out := v.cli(t, "", "state", "list", "survivor"); !strings.Contains(out, v.run) {
		t.Errorf("the state of what was made before is missing: %s", out)
	}
}

func TestRunThatNoWorkerTakesIsCancelledAtOnce(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, start func(...string) *testServer) {
		s := start("--clouds", "gcp")
		v := &survivor{testServer: s, dir: t.TempDir()}
		api := s.client(t)
		bundle := v.bundle(t, survivorFiles("terraform"))
		queued, pending := submitAndStart(t, api, bundle), submitAndStart(t, api, bundle) // the second waits for the first
		for id, before := range map[string]string{pending: "pending", queued: "planning"} {
			run, err := api.Run(t.Context(), id)
			if err != nil || run.Status != before {
				t.Errorf("run is %s before: %v", run.Status, err)
			}
		}
		for _, id := range []string{pending, queued} {
			if run, err := api.Cancel(t.Context(), id); err != nil || run.Status != "cancelled" {
				t.Errorf("run is %s after: %v", run.Status, err)
			}
		}
	})
}
