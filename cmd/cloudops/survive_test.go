package main

import (
	"slices"
	"strings"
	"syscall"
	"testing"
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

func TestServerThatDrainsWaitsForTheStepsOfTheOneBefore(t *testing.T) {
	t.Parallel()
	v := startSurvivor(t, startServer(t, "--drain", "1m"), "terraform")
	v.killServer()
	v.relaunch(t)
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
