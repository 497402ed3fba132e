package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// server is an API in memory. Its errors are answers to the calls they name.
type server struct {
	logAPI
	job       engine.Job
	mu        sync.Mutex
	errors    map[string]error
	signal    engine.Signal
	artifacts map[string]string
	reports   []engine.Report
	tokens    int // made
}

func (s *server) fails(call string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.errors[call]
}

func (s *server) Job(context.Context) (*engine.Job, error) {
	job := s.job
	job.LogOffset = int64(s.log.Len())
	return &job, s.fails("job")
}

func (s *server) Sources(context.Context) ([]byte, error) { return nil, s.fails("sources") }

func (s *server) PlanFile(context.Context) ([]byte, error) {
	return []byte("the plan"), s.fails("plan file")
}

func (s *server) Renew(ctx context.Context, wait time.Duration, known engine.Signal) (engine.Signal, error) {
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return known, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signal, s.errors["renew"]
}

func (s *server) PutArtifact(_ context.Context, name string, data []byte) error {
	if err := s.fails(name); err != nil {
		return err
	}
	s.artifacts[name] = string(data)
	return nil
}

func (s *server) Report(_ context.Context, rep engine.Report) error {
	if err := s.fails("report"); err != nil {
		return err
	}
	s.reports = append(s.reports, rep)
	return nil
}

// tool is a tool that does what a test says.
type tool struct {
	apply     func(ctx context.Context, log io.Writer) (Applied, error)
	calls     int
	abandoned int
	errored   []byte
}

func (w *tool) Plan(ctx context.Context, _ *engine.Job, _ string, log io.Writer) (Planned, error) {
	w.calls++
	_, err := w.apply(ctx, log)
	return Planned{Report: engine.Report{Outcome: engine.OutcomePlanned}, Plan: []byte("a plan")}, err
}

func (w *tool) Apply(ctx context.Context, _ *engine.Job, _ string, _ []byte, log io.Writer) (Applied, error) {
	w.calls++
	return w.apply(ctx, log)
}

func (w *tool) Abandon(context.Context, *engine.Job) ([]byte, error) {
	w.abandoned++
	return w.errored, nil
}

// scene is a runner with its server and tool.
type scene struct {
	api    *server
	tool   *tool
	runner *Runner
}

func newScene(t *testing.T, phase engine.Phase, apply func(context.Context, io.Writer) (Applied, error)) *scene {
	api := &server{
		job:       engine.Job{Step: "step-1", Kind: engine.KindTerraform, Phase: phase, Grace: time.Minute, Sources: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		errors:    map[string]error{},
		artifacts: map[string]string{},
	}
	work := &tool{apply: apply}
	return &scene{api: api, tool: work, runner: &Runner{
		API: api, Tools: map[engine.Kind]Tool{engine.KindTerraform: work}, Dir: t.TempDir(), Walls: "files", Log: slog.New(slog.DiscardHandler),
		Sources: Sources{Root: t.TempDir(), Extract: func(_ []byte, dir string) error { return writeWhole(dir, nil) }},
	}}
}

func says(text string) func(context.Context, io.Writer) (Applied, error) {
	return func(_ context.Context, log io.Writer) (Applied, error) {
		_, err := io.WriteString(log, text)
		return Applied{Summary: engine.Summary{Create: 1}}, err
	}
}

func (s *scene) run(t *testing.T) error {
	t.Helper()
	var err error
	synctest.Test(t, func(t *testing.T) { err = s.runner.Run(t.Context()) })
	return err
}

func TestPhaseIsCarriedOutAndHandedIn(t *testing.T) {
	down := errors.New("connection refused")
	tests := map[string]struct {
		phase     engine.Phase
		apply     func(context.Context, io.Writer) (Applied, error)
		errors    map[string]error
		outcome   engine.Outcome
		artifacts []string
	}{
		"a plan":                   {phase: engine.PhasePlan, apply: says("planning\n"), outcome: engine.OutcomePlanned, artifacts: []string{"plan"}},
		"an apply":                 {phase: engine.PhaseApply, apply: says("applying\n"), outcome: engine.OutcomeApplied},
		"an apply that fails":      {phase: engine.PhaseApply, apply: ends(errors.New("no such region")), outcome: engine.OutcomeFailed},
		"an apply that was killed": {phase: engine.PhaseApply, apply: ends(fmt.Errorf("killed: %w", engine.ErrInterrupted)), outcome: engine.OutcomeInterrupted},
		"an apply whose state could not be written": {phase: engine.PhaseApply, outcome: engine.OutcomeFailed, artifacts: []string{"errored"},
			apply: func(context.Context, io.Writer) (Applied, error) {
				return Applied{Errored: []byte("a state")}, errors.New("failed to save state")
			}},
		"a plan that the server refuses": {phase: engine.PhasePlan, apply: says("planning\n"), outcome: engine.OutcomeFailed,
			errors: map[string]error{engine.ArtifactPlan: engine.Invalid("it is too large")}},
		"a job with an input that does not fit": {phase: engine.PhasePlan, outcome: engine.OutcomeFailed, errors: map[string]error{"job": engine.Invalid("no such output")}},
		"sources that cannot be had":            {phase: engine.PhasePlan, outcome: engine.OutcomeFailed, errors: map[string]error{"sources": engine.NotFound("gone")}},
		"a server that is away for an hour":     {phase: engine.PhaseApply, apply: says("applying\n"), outcome: engine.OutcomeApplied, errors: map[string]error{"report": down, "job": down}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, tt.phase, tt.apply)
			maps.Copy(s.api.errors, tt.errors)
			synctest.Test(t, func(t *testing.T) {
				back := time.AfterFunc(time.Hour, func() { s.api.come(down) })
				defer back.Stop()
				if err := s.runner.Run(t.Context()); err != nil {
					t.Error(err)
				}
			})
			if len(s.api.reports) != 1 || s.api.reports[0].Outcome != tt.outcome || s.api.reports[0].Walls != "files" {
				t.Errorf("reports = %+v", s.api.reports)
			}
			if got := slices.Sorted(maps.Keys(s.api.artifacts)); !slices.Equal(got, tt.artifacts) {
				t.Errorf("artifacts = %v, want %v", got, tt.artifacts)
			}
		})
	}
}

func ends(err error) func(context.Context, io.Writer) (Applied, error) {
	return func(context.Context, io.Writer) (Applied, error) { return Applied{}, err }
}

// come ends an outage.
func (s *server) come(down error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.errors, func(_ string, err error) bool { return err == down })
}

func TestNextRunnerHandsInWhatAKilledOneLeft(t *testing.T) {
	s := newScene(t, engine.PhaseApply, says("never\n"))
	s.api.log.WriteString("from the plan\nhalf\n")
	for name, text := range map[string]string{logFile: "half\nand half\n", baseFile: "14"} {
		if err := writeWhole(s.runner.Dir+"/"+name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	s.runner.keepEnding(ending{engine.Report{Outcome: engine.OutcomeApplied}, map[string][]byte{engine.ArtifactErrored: []byte("a state")}})
	if err := s.run(t); err != nil {
		t.Fatal(err)
	}
	if s.tool.calls > 0 || len(s.api.reports) != 1 || s.api.artifacts[engine.ArtifactErrored] != "a state" {
		t.Errorf("%d calls, reports %+v, artifacts %v", s.tool.calls, s.api.reports, s.api.artifacts)
	}
	if got := s.api.log.String(); got != "from the plan\nhalf\nand half\n" {
		t.Errorf("log = %q", got)
	}
}

func TestOutputThatIsRepeatedStandsInTheLogOnce(t *testing.T) {
	s := newScene(t, engine.PhaseApply, func(_ context.Context, log io.Writer) (Applied, error) {
		engine.ResumeLog(log, "apply")
		return says("one\ntwo\nthree\n")(nil, log)
	})
	s.api.log.WriteString("before\none\n")
	for name, text := range map[string]string{logFile: "before\none\ntwo\n", baseFile: "0", logFile + "-apply": "7"} {
		if err := writeWhole(s.runner.Dir+"/"+name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.run(t); err != nil {
		t.Fatal(err)
	}
	if got := s.api.log.String(); got != "before\none\ntwo\nthree\n" {
		t.Errorf("log = %q", got)
	}
}

func TestRunnerWhoseStepIsGoneEndsWhatGoesOn(t *testing.T) {
	for name, err := range map[string]error{"another attempt has it": engine.Unauthorized("not this token"), "it is over": engine.Conflict("it is interrupted")} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, engine.PhaseApply, says("never\n"))
			s.tool.errored, s.api.errors["job"] = []byte("a state"), err
			if err := s.run(t); err != nil {
				t.Fatal(err)
			}
			if s.tool.calls > 0 || s.tool.abandoned != 1 || s.api.artifacts[engine.ArtifactErrored] != "a state" || len(s.api.reports) > 0 {
				t.Errorf("%d calls, abandoned %d times, artifacts %v, reports %+v", s.tool.calls, s.tool.abandoned, s.api.artifacts, s.api.reports)
			}
		})
	}
}

func TestRunnerWithoutAJobEndsWhatGoesOnAndSaysWhy(t *testing.T) {
	s := newScene(t, engine.PhaseApply, says("never\n"))
	s.tool.errored, s.api.errors["job"] = []byte("a state"), engine.Invalid("the credentials are gone")
	if err := s.run(t); err != nil {
		t.Fatal(err)
	}
	if s.tool.calls > 0 || s.tool.abandoned != 1 || s.api.artifacts[engine.ArtifactErrored] != "a state" {
		t.Errorf("%d calls, abandoned %d times, artifacts %v", s.tool.calls, s.tool.abandoned, s.api.artifacts)
	}
	if len(s.api.reports) != 1 || s.api.reports[0].Outcome != engine.OutcomeFailed || s.api.reports[0].Reason != "the credentials are gone" {
		t.Errorf("reports %+v", s.api.reports)
	}
}

func TestRunnerThatIsFencedStopsItsToolAndKeepsTheState(t *testing.T) {
	s := newScene(t, engine.PhaseApply, func(ctx context.Context, _ io.Writer) (Applied, error) {
		<-ctx.Done()
		return Applied{Errored: []byte("a state")}, context.Cause(ctx)
	})
	s.api.errors["renew"] = engine.Conflict("the step is interrupted")
	if err := s.run(t); err != nil {
		t.Fatal(err)
	}
	if s.api.artifacts[engine.ArtifactErrored] != "a state" || len(s.api.reports) > 0 {
		t.Errorf("artifacts %v, reports %+v", s.api.artifacts, s.api.reports)
	}
}

func TestCancelStopsTheTool(t *testing.T) {
	s := newScene(t, engine.PhaseApply, func(ctx context.Context, _ io.Writer) (Applied, error) {
		<-ctx.Done()
		return Applied{}, context.Cause(ctx)
	})
	s.api.signal.Stop = true
	if err := s.run(t); err != nil {
		t.Fatal(err)
	}
	if len(s.api.reports) != 1 || s.api.reports[0].Outcome != engine.OutcomeCancelled {
		t.Errorf("reports %+v", s.api.reports)
	}
}
