package terraform

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// doomedVariable holds the file of what a test's own runner is to apply.
const doomedVariable = "CLOUDOPS_TEST_DOOMED"

// doomed is a runner that a test kills.
type doomed struct {
	DataDir, Dir, Bundle string
	Sandbox              sandbox.Policy
	Job                  *engine.Job
	Plan                 []byte
}

func TestMain(m *testing.M) {
	enginetest.Attack()
	if path, ok := os.LookupEnv(doomedVariable); ok {
		if err := applyDoomed(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func applyDoomed(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var d doomed
	if err := json.Unmarshal(b, &d); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	d.Job.Dir, d.Job.Hurry = d.Dir, make(chan struct{})
	_, err = New(Options{DataDir: d.DataDir, Self: self, Sandbox: d.Sandbox, Log: slog.New(slog.DiscardHandler)}).Apply(context.Background(), d.Job, d.Bundle, d.Plan, os.Stdout)
	return err
}

// killedRunner starts the apply in a process of its own and kills that once the
// provisioner says that it has begun.
func (w *world) killedRunner(t *testing.T, p Plan, said string) {
	t.Helper()
	w.job.PlanHash = p.Hash
	path := filepath.Join(t.TempDir(), "doomed.json")
	if err := writeJSON(path, doomed{DataDir: w.driver.DataDir, Sandbox: w.driver.Sandbox, Dir: w.job.Dir, Bundle: w.bundle, Job: w.job, Plan: p.File}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), doomedVariable+"="+path)
	log, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if strings.Contains(lines.Text(), said) {
			cmd.Process.Kill()
			cmd.Wait()
			return
		}
	}
	t.Fatal("the runner ended before its time")
}

// waiting is a module whose provisioner waits for a pipe to be written to.
func waiting(t *testing.T) (files map[string]string, gate string) {
	dir := t.TempDir()
	gate = filepath.Join(dir, "gate")
	if err := errors.Join(syscall.Mkfifo(gate, 0o600), os.Chmod(gate, 0o666), os.Chmod(dir, 0o755)); err != nil { // for the step's user
		t.Fatal(err)
	}
	return map[string]string{"x/main.tf": fmt.Sprintf(`resource "terraform_data" "first" { input = "made" }
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "echo has'_'begun; read line < %s; echo \"$line\"; test \"$line\" = good" }
}
`, gate)}, gate
}

// wallKinds are a driver without walls, and one with all that this machine has,
// in which a step sees the folder of the gate as well.
func wallKinds(t *testing.T) map[string]func(w *world, gate string) {
	return map[string]func(w *world, gate string){
		"without walls": func(*world, string) {},
		"within walls": func(w *world, gate string) {
			w.driver.Sandbox = allWalls(t)
			w.driver.Sandbox.Write = []string{filepath.Dir(gate)}
		},
	}
}

func TestApplyIsTakenOverFromAKilledRunner(t *testing.T) {
	for kind, build := range wallKinds(t) {
		t.Run(kind, func(t *testing.T) { testTakeOver(t, build) })
	}
}

func testTakeOver(t *testing.T, build func(w *world, gate string)) {
	tests := map[string]struct {
		line  string
		ended bool // before the next runner comes
		fails string
	}{
		"one that still runs":            {line: "good"},
		"one that still runs and fails":  {line: "bad", fails: "local-exec provisioner error"},
		"one that has ended by then":     {line: "good", ended: true},
		"one that has failed until then": {line: "bad", ended: true, fails: "local-exec provisioner error"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			files, gate := waiting(t)
			w := newWorld(t, files)
			build(w, gate)
			p := w.plan(t)
			w.killedRunner(t, p, "(local-exec): has_begun")
			if tt.ended {
				process := w.leftProcess(t)
				openGate(t, gate, tt.line)
				<-process.Ended()
			}
			w.log.Reset()
			w.job.PlannedIn, w.job.Environment = "red", "blue" // somebody set a variable beside it, which is too late to refuse the apply
			_, err := w.driver.Apply(t.Context(), w.job, w.bundle, p.File, writerFunc(func(b []byte) {
				if !tt.ended && bytes.Contains(b, []byte("(local-exec): has_begun")) {
					openGate(t, gate, tt.line)
				}
				w.log.Write(b)
			}))
			if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("error = %v", err)
			}
			if text := w.log.String(); strings.Count(text, "terraform_data.first: Creating...") != 1 || strings.Count(text, "(local-exec): has_begun") != 1 {
				t.Errorf("log = %s", text)
			}
			if w.backend.lock != nil || !bytes.Contains(w.backend.state, []byte(`"made"`)) {
				t.Errorf("state %s, lock %s", w.backend.state, w.backend.lock)
			}
			if left, _ := os.ReadDir(w.job.Dir); len(left) > 0 {
				t.Errorf("%v is left", left)
			}
		})
	}
}

func TestApplyThatWasKilledWithItsRunnerIsInterrupted(t *testing.T) {
	for kind, build := range wallKinds(t) {
		t.Run(kind, func(t *testing.T) {
			files, gate := waiting(t)
			w := newWorld(t, files)
			build(w, gate)
			p := w.plan(t)
			w.killedRunner(t, p, "(local-exec): has_begun")
			process := w.leftProcess(t)
			syscall.Kill(-process.Pid, syscall.SIGKILL)
			<-process.Ended()
			res, err := w.driver.Apply(t.Context(), w.job, w.bundle, p.File, &w.log)
			if !errors.Is(err, engine.ErrInterrupted) || res.Applied.Create != 1 {
				t.Errorf("did %+v, error %v", res.Applied, err)
			}
		})
	}
}

func TestCancelReachesAnApplyThatWasTakenOver(t *testing.T) {
	for kind, build := range wallKinds(t) {
		t.Run(kind, func(t *testing.T) {
			files, gate := waiting(t)
			w := newWorld(t, files)
			build(w, gate)
			p := w.plan(t)
			w.killedRunner(t, p, "(local-exec): has_begun")
			process := w.leftProcess(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			stop := errors.New("somebody cancelled")
			cancel(stop)
			if _, err := w.driver.Apply(ctx, w.job, w.bundle, p.File, &w.log); !errors.Is(err, stop) || errors.Is(err, engine.ErrInterrupted) {
				t.Errorf("error = %v", err)
			}
			if process.Alive() || w.backend.lock != nil {
				t.Errorf("alive %t, lock %s", process.Alive(), w.backend.lock)
			}
		})
	}
}

func TestPlanStartsAnewAndEndsWhatAKilledRunnerLeft(t *testing.T) {
	for kind, build := range wallKinds(t) {
		t.Run(kind, func(t *testing.T) {
			files, gate := waiting(t)
			w := newWorld(t, files)
			build(w, gate)
			p := w.plan(t)
			w.killedRunner(t, p, "(local-exec): has_begun")
			process := w.leftProcess(t)
			w.job.Terraform.Lock = false
			w.plan(t)
			if process.Alive() {
				t.Error("what the killed runner started is still there")
			}
			if left, _ := os.ReadDir(w.job.Dir); len(left) > 0 {
				t.Errorf("%v is left", left)
			}
		})
	}
}

func (w *world) leftProcess(t *testing.T) sandbox.Process {
	t.Helper()
	p, err := sandbox.ReadProcess(filepath.Join(w.job.Dir, folder, "apply.out.pid"))
	if err != nil || !p.Alive() {
		t.Fatalf("%v does not run, %v", p, err)
	}
	return p
}

func openGate(t *testing.T, gate, line string) {
	if err := os.WriteFile(gate, []byte(line+"\n"), 0o600); err != nil {
		t.Error(err)
	}
}
