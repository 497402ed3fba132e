package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/runner"
	"github.com/cloudops-manager/cloudops/engine/terraform"
)

// keepOptions say what is kept and for how long, in days; 0 days keep for ever.
type keepOptions struct {
	logRuns, logDays         int
	checks, checkDays        int
	stateVersions, stateDays int
	workspaceDays            int
	eventDays                int
}

// cleanEvery is how often what is kept no longer is removed.
const cleanEvery = 6 * time.Hour

func (o *keepOptions) flags(f *pflag.FlagSet) {
	f.IntVar(&o.logDays, "keep-log-days", 90, "days that logs and plans are kept after a run; 0 keeps them for ever")
	f.IntVar(&o.logRuns, "keep-log-runs", 50, "newest runs of a stack whose logs and plans stay, however old")
	f.IntVar(&o.checkDays, "keep-check-days", 30, "days that drift checks and previews are kept; 0 keeps them for ever")
	f.IntVar(&o.checks, "keep-checks", 20, "newest drift checks and previews of a stack that stay, however old")
	f.IntVar(&o.stateDays, "keep-state-days", 365, "days that state versions are kept; 0 keeps them for ever")
	f.IntVar(&o.stateVersions, "keep-state-versions", 100, "newest state versions of a component that stay, however old")
	f.IntVar(&o.eventDays, "keep-event-days", 0, "days that the audit log is kept, as a whole, with proof of what was removed; 0 keeps it for ever")
	f.IntVar(&o.workspaceDays, "keep-workspace-days", 14, "days that a worker keeps workspaces and unpacked sources after their last use; 0 keeps them for ever")
}

func (o *keepOptions) check() error {
	if o.logDays < 0 || o.checkDays < 0 || o.stateDays < 0 || o.workspaceDays < 0 || o.eventDays < 0 {
		return errors.New("--keep-log-days, --keep-check-days, --keep-state-days, --keep-event-days and --keep-workspace-days are at least 0")
	}
	if o.logRuns < 1 || o.checks < 1 || o.stateVersions < 1 {
		return errors.New("--keep-log-runs, --keep-checks and --keep-state-versions are at least 1")
	}
	return nil
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

func (o *keepOptions) retention(store engine.RetentionStore, now func() time.Time, log *slog.Logger) *engine.Retention {
	return &engine.Retention{
		Store: store, Now: now, Log: log,
		Logs:   engine.Keep{Count: o.logRuns, For: days(o.logDays)},
		Checks: engine.Keep{Count: o.checks, For: days(o.checkDays)},
		States: engine.Keep{Count: o.stateVersions, For: days(o.stateDays)},
	}
}

// tidy removes from this worker's disk what was not used for long, at the start
// and every cleanEvery until ctx ends. Each worker does so, for they share no disk.
func (c *components) tidy(ctx context.Context) {
	if c.options.keep.workspaceDays == 0 {
		return
	}
	spaces := terraform.New(terraform.Options{DataDir: c.options.dataDir, Log: c.log})
	sources := runner.Sources{Root: sourcesDir(c.options.dataDir)}
	ticker := time.NewTicker(cleanEvery)
	defer ticker.Stop()
	for {
		since := time.Now().Add(-days(c.options.keep.workspaceDays))
		if err := errors.Join(spaces.ClearUnused(since), sources.ClearUnused(since)); err != nil {
			c.log.Warn("disk not tidied; it is tried again", "in", cleanEvery, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// sourcesDir is where a worker keeps the unpacked sources of revisions.
func sourcesDir(dataDir string) string { return filepath.Join(dataDir, "sources") }
