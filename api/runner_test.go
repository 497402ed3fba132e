package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func TestRunnerReadsItsJob(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	runner := client.New(s.url, s.claim(run).Token).Runner()
	job, err := runner.Job(t.Context())
	s.ok(err)
	if job.Step != run.Steps[0].ID || job.Phase != engine.PhasePlan || job.Terraform == nil || job.Terraform.Source != "./greeting" {
		t.Errorf("job %+v", job)
	}
	if want := s.stateURL("hello", "terraform.greeting"); job.Terraform.State.Address != want || job.Terraform.State.Username != job.Step {
		t.Errorf("state %+v", job.Terraform.State)
	}
	sources, err := runner.Sources(t.Context())
	s.ok(err)
	rev, err := s.store.Revision(t.Context(), "hello", 1)
	s.ok(err)
	if !bytes.Equal(sources, rev.Sources) {
		t.Errorf("%d bytes of sources, not %d", len(sources), len(rev.Sources))
	}
}

// loseRunners lets time pass in which no runner is heard of.
func (s *system) loseRunners() {
	s.t.Helper()
	for passed := time.Duration(0); passed < engine.Lease+4*engine.BeatEvery; passed += engine.BeatEvery {
		s.ok(s.runs.Beat(s.t.Context()))
		_, err := s.runs.Sweep(s.t.Context())
		s.ok(err)
		s.clock.add(engine.BeatEvery)
	}
}

func TestRunnerTokenIsGoodForItsAttemptOnly(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	old := s.claim(run)
	s.loseRunners()
	s.claim(s.read(run.ID))
	runner := client.New(s.url, old.Token).Runner()
	calls := map[string]func() error{
		"renew":   func() error { _, err := runner.Renew(t.Context(), time.Second, engine.Signal{}); return err },
		"job":     func() error { _, err := runner.Job(t.Context()); return err },
		"sources": func() error { _, err := runner.Sources(t.Context()); return err },
		"token":   func() error { _, err := runner.Identity(t.Context()); return err },
		"log":     func() error { _, err := runner.AppendLog(t.Context(), 0, []byte("x")); return err },
		"plan":    func() error { return runner.PutArtifact(t.Context(), engine.ArtifactPlan, []byte("x")) },
		"report":  func() error { return runner.Report(t.Context(), engine.Report{Outcome: engine.OutcomeFailed}) },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, engine.ErrUnauthorized) {
			t.Errorf("%s with the token of an attempt that was given up: %v", name, err)
		}
	}
	s.tokens["runner"] = old.Token
	s.must(s.request("GET", "/v1/stacks", "runner", nil), http.StatusUnauthorized)
}

func TestRunnerTokenOpensNothingElse(t *testing.T) {
	s := newSystem(t)
	s.submit()
	claim := s.claim(s.start("apply"))
	s.tokens["runner"], s.tokens["state"] = claim.Token, claim.StateToken
	for _, role := range []engine.Role{"runner", "state"} {
		s.must(s.request("GET", "/v1/stacks", role, nil), http.StatusUnauthorized)
		s.must(s.request("GET", "/v1/state/hello/terraform.greeting", role, nil), http.StatusUnauthorized)
	}
	s.must(s.request("GET", "/v1/runner/job", "state", nil), http.StatusUnauthorized)
}

func TestRenewalIsHeldUntilThereIsASignal(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	runner := client.New(s.url, s.claim(run).Token).Runner()
	renew := func(known engine.Signal) chan engine.Signal {
		got := make(chan engine.Signal, 1)
		go func() {
			sig, err := runner.Renew(t.Context(), 10*time.Second, known)
			if err != nil {
				t.Error(err)
			}
			got <- sig
		}()
		return got
	}
	for _, known := range []engine.Signal{{}, {Stop: true}} {
		answer := renew(known)
		_, err := s.as(engine.RoleOperator).Cancel(t.Context(), run.ID)
		s.ok(err)
		sig := within(t, func(context.Context) engine.Signal { return <-answer })
		if want := (engine.Signal{Stop: true, Kill: known.Stop}); sig != want {
			t.Errorf("knowing %+v it learns %+v", known, sig)
		}
	}
}

func TestRenewalComesBackAfterTheWait(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	runner := client.New(s.url, s.claim(run).Token).Runner()
	sig, err := runner.Renew(t.Context(), time.Millisecond, engine.Signal{})
	s.ok(err)
	if sig != (engine.Signal{}) {
		t.Errorf("signal %+v", sig)
	}
}

func TestLeaseThatWasExtendedJustNowIsNotWrittenAgain(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	step := run.Steps[0].ID
	runner := client.New(s.url, s.claim(run).Token).Runner()
	lease := func() time.Time {
		r, err := s.store.Run(t.Context(), run.ID)
		s.ok(err)
		return r.StepByID(step).LeaseUntil
	}
	claimed := lease()
	for _, c := range []struct {
		name    string
		passes  time.Duration
		written bool
	}{
		{"moments after the claim", 0, false},
		{"later", 2 * time.Second, true},
		{"by a clock that is behind", -time.Minute, true},
	} {
		s.clock.add(c.passes)
		_, err := runner.Renew(t.Context(), time.Nanosecond, engine.Signal{})
		s.ok(err)
		now := lease()
		if now.Equal(claimed) == c.written || c.written && now.Before(claimed) != (c.passes < 0) {
			t.Errorf("%s it lasts %s longer", c.name, now.Sub(claimed))
		}
		claimed = now
	}
	_, err := s.store.UpdateRun(t.Context(), run.ID, func(r *engine.Run) error { r.CancelBy = "me"; return nil })
	s.ok(err)
	if sig, err := runner.Renew(t.Context(), time.Minute, engine.Signal{}); err != nil || !sig.Stop {
		t.Errorf("a renewal that writes nothing tells %+v, %v", sig, err)
	}
}

func TestWhatARunnerMayNotSend(t *testing.T) {
	tests := map[string]struct {
		call func(*client.Runner) error
		kind error
	}{
		"a log with a hole":               {func(r *client.Runner) error { _, err := r.AppendLog(t.Context(), 5, []byte("x")); return err }, engine.ErrConflict},
		"an artifact of the engine's own": {func(r *client.Runner) error { return r.PutArtifact(t.Context(), engine.ArtifactChanges, nil) }, engine.ErrInvalid},
		"a report of no known outcome":    {func(r *client.Runner) error { return r.Report(t.Context(), engine.Report{Outcome: "fine"}) }, engine.ErrInvalid},
		"a plan that was not sent": {func(r *client.Runner) error {
			return r.Report(t.Context(), engine.Report{Outcome: engine.OutcomePlanned, PlanHash: "0"})
		}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			s.submit()
			run := s.start("apply")
			err := tt.call(client.New(s.url, s.claim(run).Token).Runner())
			if err == nil || tt.kind != nil && !errors.Is(err, tt.kind) {
				t.Errorf("it says %v", err)
			}
			if got := s.read(run.ID).Steps[0].Status; got != "planning" {
				t.Errorf("the step is %s", got)
			}
		})
	}
}

func TestReportIsTakenOnce(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	runner := client.New(s.url, s.claim(run).Token).Runner()
	rep := engine.Report{Outcome: engine.OutcomeFailed, Reason: "no such bucket"}
	s.ok(runner.Report(t.Context(), rep))
	if err := runner.Report(t.Context(), rep); !errors.Is(err, engine.ErrUnauthorized) && !errors.Is(err, engine.ErrConflict) {
		t.Errorf("twice: %v", err)
	}
	if got := s.read(run.ID); got.Status != "failed" || got.Steps[0].Reason != "no such bucket" {
		t.Errorf("run %+v", got)
	}
}
