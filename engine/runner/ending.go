package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cloudops-manager/cloudops/engine"
)

// ending is all that there is to hand in once a phase is over.
type ending struct {
	Report    engine.Report
	artifacts map[string][]byte // by name; empty ones are none
}

// The files of an ending in the runner's folder. The first is written last.
const (
	endingFile     = "ending.json"
	artifactPrefix = "artifact-"
)

// keepEnding writes the ending down, so that it outlives the runner where the
// server is away. One that cannot be written down may still be handed in.
func (r *Runner) keepEnding(e ending) {
	b, err := json.Marshal(e)
	for name, data := range e.artifacts {
		if err == nil && len(data) > 0 {
			err = os.WriteFile(r.artifactFile(name), data, 0o600)
		}
	}
	if err == nil {
		err = writeWhole(filepath.Join(r.Dir, endingFile), b)
	}
	if err != nil {
		r.Log.Warn("the end of the phase is in memory only", "err", err)
	}
}

// readEnding reads what a runner kept that was killed before it was handed in.
func (r *Runner) readEnding() (ending, error) {
	e := ending{artifacts: map[string][]byte{}}
	b, err := os.ReadFile(filepath.Join(r.Dir, endingFile))
	if err != nil {
		return e, err
	}
	for _, name := range []string{engine.ArtifactPlan, engine.ArtifactPlanJSON, engine.ArtifactErrored} {
		if e.artifacts[name], err = os.ReadFile(r.artifactFile(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return e, err
		}
	}
	return e, json.Unmarshal(b, &e)
}

func (r *Runner) artifactFile(name string) string { return filepath.Join(r.Dir, artifactPrefix+name) }

// handIn sends the ending: the report last, for it moves the step on. A runner
// whose step was given away hands in nothing but a state that stands nowhere.
func (r *Runner) handIn(ctx context.Context, e ending, log *logWriter, fenced bool) error {
	for name, data := range e.artifacts {
		if len(data) == 0 || fenced && name != engine.ArtifactErrored {
			continue
		}
		err := r.put(ctx, name, data)
		if errors.Is(err, engine.ErrInvalid) || errors.Is(err, engine.ErrForbidden) {
			e.Report = engine.Report{Outcome: engine.OutcomeFailed, Reason: err.Error()}
		} else if err != nil {
			return err
		}
	}
	log.Close(ctx)
	if fenced {
		r.Log.Warn("the step is in other hands")
		return nil
	}
	return r.report(ctx, e.Report)
}

// put sends an artifact. That the step has moved on means that an earlier
// delivery arrived, but for a state that stands nowhere else.
func (r *Runner) put(ctx context.Context, name string, data []byte) error {
	_, err := retry(ctx, func() (struct{}, error) { return struct{}{}, r.API.PutArtifact(ctx, name, data) })
	if err != nil && (!gone(err) || name == engine.ArtifactErrored) {
		return fmt.Errorf("send %s: %w", name, err)
	}
	return nil
}

// report says how the phase ended. That the step has moved on means that an
// earlier delivery arrived.
func (r *Runner) report(ctx context.Context, rep engine.Report) error {
	rep.Walls = r.Walls
	_, err := retry(ctx, func() (struct{}, error) { return struct{}{}, r.API.Report(ctx, rep) })
	if gone(err) {
		r.Log.Info("report not wanted any more", "err", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// writeWhole writes a file that only we can read and that appears whole.
func writeWhole(path string, data []byte) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
