package main

import (
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
)

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

// drains asks the server to end, lets the step end, and looks that it was waited for.
func (v *survivor) drains(t *testing.T) {
	t.Helper()
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

func TestServerThatDrainsWaitsForItsSteps(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, start func(...string) *testServer) {
		v := startSurvivor(t, start("--drain", "1m"), "terraform")
		v.drains(t)
	})
}

func TestServerThatDrainsWaitsForTheStepsOfTheOneBefore(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, start func(...string) *testServer) {
		v := startSurvivor(t, start("--drain", "1m"), "terraform")
		v.killServer()
		v.relaunch(t)
		v.drains(t)
	})
}

func TestServerThatIsAskedToEndLeavesStepsToTheirRunners(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, start func(...string) *testServer) {
		v := startSurvivor(t, start(), "terraform")
		if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := v.cmd.Wait(); err != nil || len(v.processes("step")) != 1 {
			t.Errorf("server: %v, runners %v", err, v.processes("step"))
		}
		v.relaunch(t)
		v.open(t)
		v.succeeded(t)
	})
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
	eachPair(t, func(t *testing.T, start func(...string) *testServer) {
		v := startSurvivor(t, start(), "terraform")
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
	})
}

func TestApplyWhoseToolIsKilledIsInterrupted(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, start func(...string) *testServer) {
		v := startSurvivor(t, start(), "terraform")
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
		if out := v.cli(t, "", "run", "show", v.another(t, "preview", "succeeded")); !strings.Contains(out, "run "+v.run+" made terraform_data.first (") || !strings.Contains(out, "would make it again") {
			t.Errorf("the plan after it does not say what it found: %s", out)
		}
	})
}

func TestPlayThatIsKilledKeepsTheNextRunOut(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, start func(...string) *testServer) {
		v := startSurvivor(t, start(), "ansible")
		for _, pid := range v.processes("--diff") {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		v.interrupted(t)
		out := v.cli(t, "", "run", "show", v.run)
		for _, want := range []string{"killed in the middle", "finished on here: 1 task, with changes by First", `not known: whether task "Slow" ended on here`} {
			if !strings.Contains(out, want) {
				t.Errorf("the run does not say %q: %s", want, out)
			}
		}
		next := v.another(t, "apply", "failed")
		if out := v.cli(t, "", "run", "show", next); !strings.Contains(out, "is locked by run "+v.run) || !strings.Contains(out, "cloudops state unlock survivor ansible.x") {
			t.Errorf("the run after it does not say what keeps it out: %s", out)
		}
		if out := v.cli(t, "", "run", "show", v.another(t, "preview", "succeeded")); !strings.Contains(out, "run "+v.run+` was at task "Slow" on here`) {
			t.Errorf("the plan after it does not say where it was: %s", out)
		}
		v.cli(t, "", "state", "unlock", "survivor", "ansible.x", "--reason", "looked at it")
		v.openForWhatIsLeft(t)
		v.another(t, "apply", "planned")
	})
}

// another starts a run and waits until it has the status.
func (v *survivor) another(t *testing.T, kind, status string) string {
	t.Helper()
	api := v.client(t)
	run, err := api.StartRun(t.Context(), "survivor", client.StartRun{Kind: kind})
	if err != nil {
		t.Fatal(err)
	}
	v.until(t, func() bool {
		now, err := api.Run(t.Context(), run.ID)
		return err == nil && now.Status == status
	})
	return run.ID
}
