package runner

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

// claims hands out one step and takes its report.
type claims struct{ reports []engine.Report }

func (c *claims) Claim(context.Context, string, string) (engine.Claim, *engine.Step, error) {
	return engine.Claim{}, &engine.Step{ID: "step-1", Attempt: 1}, nil
}

func (c *claims) Report(_ context.Context, _ *engine.Step, rep engine.Report) error {
	c.reports = append(c.reports, rep)
	return nil
}

// launcher starts a program that notes in its folder that it was started.
func launcher(t *testing.T) (*Launcher, *claims) {
	t.Helper()
	runs, self := &claims{}, filepath.Join(t.TempDir(), "runner")
	if err := os.WriteFile(self, []byte("#!/bin/sh\ntouch started\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return &Launcher{Runs: runs, Worker: "w1", Self: self, Root: t.TempDir(), Log: slog.New(slog.DiscardHandler)}, runs
}

func TestStepWhoseOrderCannotBeWrittenFailsWithTheReason(t *testing.T) {
	for _, file := range []string{orderFile + ".new", runnerLog, runnerLock} {
		l, runs := launcher(t)
		dir := filepath.Join(l.Root, "step-1-1")
		if err := os.MkdirAll(filepath.Join(dir, file), 0o700); err != nil { // a folder where the file would be
			t.Fatal(err)
		}
		if err := l.HandleStep(t.Context(), "step-1"); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if len(runs.reports) != 1 || runs.reports[0].Outcome != engine.OutcomeFailed || !strings.HasPrefix(runs.reports[0].Reason, "worker w1 could not begin the step: ") {
			t.Errorf("%s: reports %+v", file, runs.reports)
		}
		if exists(dir) {
			t.Errorf("%s: the folder is left", file)
		}
	}
}

func TestRunnerIsTakenUpAgainWhereItsOrderCannotBeRenewed(t *testing.T) {
	l, _ := launcher(t)
	dir := filepath.Join(l.Root, "step-1-1")
	if err := errors.Join(WriteOrder(dir, Order{}), os.Mkdir(filepath.Join(dir, orderFile+".new"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := l.Adopt(t.Context()); err != nil || !exists(filepath.Join(dir, "started")) {
		t.Errorf("no runner was started, %v", err)
	}
}
