package terraform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// making is a Terraform that makes files while it plans, as providers do that
// pack the code of a function.
func making(t *testing.T, w *world, commands string) {
	t.Helper()
	real, err := exec.LookPath("terraform")
	if err != nil {
		t.Fatal(err)
	}
	w.driver.Binary = filepath.Join(t.TempDir(), "terraform")
	script := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = plan ]; then\n%s\nfi\nexec %s \"$@\"\n", commands, real)
	if err := os.WriteFile(w.driver.Binary, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
}

// readsCode is a module whose apply needs what planning made.
const readsCode = `resource "terraform_data" "x" {
  provisioner "local-exec" { command = "cat made/code.zip made/link ../shared.txt; test -x made/code.zip && echo executable" }
}
`

const makesCode = "mkdir -p made && echo code-of-the-plan > made/code.zip && chmod 755 made/code.zip && ln -sf code.zip made/link && echo shared-by-the-plan > ../shared.txt"

func TestApplyHasTheFilesThatPlanningMade(t *testing.T) {
	tests := map[string]func(*testing.T, *world){
		"on another worker": func(t *testing.T, w *world) { w.driver.DataDir = t.TempDir() },
		"in another slot":   func(t *testing.T, w *world) { w.driver.LockTimeout = 1; w.occupy(t) },
		"where a check has made others since": func(t *testing.T, w *world) {
			making(t, w, "mkdir -p made && echo code-of-a-check > made/code.zip")
			w.plan(t)
		},
	}
	for name, meanwhile := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"x/main.tf": readsCode, "shared.txt": "of the sources\n"})
			making(t, w, makesCode)
			p := w.plan(t)
			meanwhile(t, w)
			w.apply(t, p)
			for _, want := range []string{"shared-by-the-plan", "executable"} {
				if !strings.Contains(w.log.String(), "(local-exec): "+want) {
					t.Errorf("no %q in the log: %s", want, w.log.String())
				}
			}
			if n := strings.Count(w.log.String(), "(local-exec): code-of-the-plan"); n != 2 {
				t.Errorf("read %d times: %s", n, w.log.String())
			}
		})
	}
}

// occupy has another session use the slot that comes first.
func (w *world) occupy(t *testing.T) (release func()) {
	t.Helper()
	other := &session{Driver: w.driver, job: w.attempt(t), log: &w.log}
	space, err := other.workspace(t.Context(), w.bundle, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(space.release)
	return space.release
}

func TestOnlyWhatIsAppliedIsKeptWithItsFiles(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": readsCode})
	making(t, w, makesCode)
	w.job.RunKind = "drift"
	s, err := decodeSaved(w.plan(t).File)
	if err != nil || len(s.Files) > 0 {
		t.Errorf("%d files, %v", len(s.Files), err)
	}
}

func TestPlanThatMakesMoreThanCanBeKeptFails(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": readsCode})
	making(t, w, "truncate -s 65M big.zip")
	_, err := w.driver.Plan(t.Context(), w.job, w.bundle, &w.log)
	if err == nil || !strings.Contains(err.Error(), "more than 64 MB") || !strings.Contains(err.Error(), "x/big.zip") {
		t.Errorf("error = %v", err)
	}
}

// TestApplyWaitsForTheWorkspaceOfItsPlan is about absolute paths: they are
// in the plan, and Terraform refuses a plan whose values have changed.
func TestApplyWaitsForTheWorkspaceOfItsPlan(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": `resource "terraform_data" "x" { input = abspath(path.module) }`})
	p := w.plan(t)
	release := w.occupy(t)
	w.job.PlanHash = p.Hash
	_, err := w.driver.Apply(t.Context(), w.job, w.bundle, p.File, writerFunc(func(b []byte) {
		if bytes.Contains(b, []byte("Waiting for the workspace")) {
			release()
		}
		w.log.Write(b)
	}))
	if err != nil {
		t.Errorf("error = %v\n%s", err, w.log.String())
	}
	if again := w.plan(t); again.Changed {
		t.Errorf("plan = %+v", again.Plan)
	}
}

func TestCancelReachesAnApplyThatWaitsForItsWorkspace(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": readsCode})
	p := w.plan(t)
	w.occupy(t)
	w.job.PlanHash = p.Hash
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("somebody cancelled")
	_, err := w.driver.Apply(ctx, w.job, w.bundle, p.File, writerFunc(func(b []byte) {
		if bytes.Contains(b, []byte("Waiting for the workspace")) {
			cancel(stop)
		}
	}))
	if !errors.Is(err, stop) || w.backend.state != nil {
		t.Errorf("error = %v, state %s", err, w.backend.state)
	}
}

func TestPlanOfOtherFilesIsNotApplied(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": readsCode})
	p := w.plan(t)
	if err := os.WriteFile(filepath.Join(w.bundle, "x", "main.tf"), []byte(note), 0o600); err != nil {
		t.Fatal(err)
	}
	w.job.PlanHash = p.Hash
	_, err := w.driver.Apply(t.Context(), w.job, w.bundle, p.File, &w.log)
	if err == nil || !strings.Contains(err.Error(), "not those that were planned") || w.backend.state != nil {
		t.Errorf("error = %v, state %s", err, w.backend.state)
	}
}

func TestFilesOfAPlanStayInItsWorkspace(t *testing.T) {
	w := &workspace{dir: t.TempDir()}
	if err := os.Mkdir(w.sources(), 0o700); err != nil {
		t.Fatal(err)
	}
	outside := made{Path: "../outside", Data: []byte("x")}
	through := []made{{Path: "link", Mode: fs.ModeSymlink, Data: []byte("..")}, {Path: "link/outside", Data: []byte("x")}}
	for name, files := range map[string][]made{"a path that leads out": {outside}, "a link that leads out": through} {
		if err := w.restore(files); err == nil || exists(filepath.Join(w.dir, "outside")) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}
