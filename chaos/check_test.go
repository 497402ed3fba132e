package chaos

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// result is what came of it all.
type result struct {
	pair           string
	faults         []fault
	runs           map[string]int // by status
	doubled, lost  int
	states, begins int
}

// check looks for what must not be, in the API's eyes, in the ledger of what
// really happened and in the fake cloud.
func (w *world) check() *result {
	r := &result{runs: map[string]int{}}
	ctx, stop := context.WithTimeout(w.t.Context(), 3*time.Minute)
	defer stop()
	ended := map[string]client.Run{} // by nonce
	for _, d := range w.drivers {
		runs, err := client.All(ctx, func(ctx context.Context, p client.Page) (client.List[client.Run], error) {
			return w.client.Runs(ctx, client.RunFilter{Stack: d.name}, p)
		})
		if err != nil {
			w.fail("runs of %s: %v", d.name, err)
			continue
		}
		known := map[string]bool{}
		for _, run := range runs {
			known[run.ID], ended[run.Message] = true, run
			r.runs[run.Status]++
			w.checkRun(ctx, d, run)
		}
		for id := range d.runs {
			if !known[id] {
				r.lost++
				w.fail("run %s is lost", id)
			}
		}
		w.checkStates(ctx, d, r)
		w.checkFollowed(ctx, d)
		w.checkSchedule(runs)
	}
	w.checkLedger(ended, r)
	w.checkCloud(ctx, ended)
	w.checkLeftovers()
	w.panics()
	return r
}

func (w *world) checkRun(ctx context.Context, d *driver, run client.Run) {
	if s := engine.RunStatus(run.Status); !s.Final() {
		w.fail("run %s of %s is %s: %s", run.ID, run.Stack, run.Status, run.Reason)
	}
	full, err := w.client.Run(ctx, run.ID)
	if err != nil {
		w.fail("run %s: %v", run.ID, err)
		return
	}
	if run.Status == string(engine.RunFailed) && !excusable(full) {
		w.fail("run %s of %s failed: %s", run.ID, run.Stack, run.Reason)
	}
	for _, step := range full.Steps {
		if !slices.Contains([]string{"applied", "failed", "cancelled", "interrupted"}, step.Status) || step.Worker == "" {
			continue
		}
		var log bytes.Buffer
		if err := w.client.Log(ctx, step.ID, &log); err != nil {
			w.fail("log of %s %s: %v", run.ID, step.Address, err)
			continue
		}
		w.keep(step.ID+".txt", log.Bytes())
		for _, wrong := range wrongInLog(d.prints(), step, log.String()) {
			w.fail("log of %s %s (%s): %s", run.ID, step.Address, step.ID, wrong)
		}
		if step.Kind == string(engine.KindTerraform) {
			w.checkMade(ctx, full, step, log.String())
		}
	}
}

// keep keeps what was checked beside the logs of the nodes.
func (w *world) keep(name string, data []byte) {
	if err := os.WriteFile(w.path(name), data, 0o600); err != nil {
		w.fail("%v", err)
	}
}

// excusable reports whether a run failed for what was done to it.
func excusable(run client.Run) bool {
	for _, why := range []string{"was killed", "lost its runner", "was lost", "3 runners", "signal: killed"} {
		if strings.Contains(run.Reason, why) {
			return true
		}
	}
	return false
}

// checkSchedule wants the runs of a schedule that fires every minute to be that
// far apart, but for one that an outage held up, and no more of them than minutes.
func (w *world) checkSchedule(runs []client.Run) {
	var at []time.Time
	for _, run := range runs { // newest first
		if run.Trigger == string(engine.TriggerSchedule) {
			at = append(at, run.CreatedAt)
		}
	}
	if minutes := int(time.Since(w.began).Minutes()) + 1; len(at) > minutes {
		w.fail("a schedule fired %d times in %d minutes", len(at), minutes)
	}
	for i := 1; i < len(at); i++ {
		if at[i-1].Sub(at[i]) < time.Second {
			w.fail("a schedule fired twice at %s", at[i])
		}
	}
}

func (w *world) versions(ctx context.Context, stack, component string) ([]client.StateVersion, error) {
	return client.All(ctx, func(ctx context.Context, p client.Page) (client.List[client.StateVersion], error) {
		return w.client.StateVersions(ctx, stack, component, p)
	})
}

// checkStates wants one line of versions without gaps, and no lock whose owner
// is gone.
func (w *world) checkStates(ctx context.Context, d *driver, r *result) {
	for _, component := range d.components() {
		versions, err := w.versions(ctx, d.name, component)
		if err != nil {
			w.fail("states of %s/%s: %v", d.name, component, err)
		}
		slices.Reverse(versions)
		r.states += len(versions)
		for i, v := range versions {
			if i > 0 && (v.Serial != versions[i-1].Serial+1 || v.Lineage != versions[0].Lineage) {
				w.fail("state %s of %s/%s has serial %d after %d, lineage %s after %s", v.ID, d.name, component, v.Serial, versions[i-1].Serial, v.Lineage, versions[0].Lineage)
			}
			if v.Run == "" && v.By == "" {
				w.fail("state %s of %s/%s names nobody", v.ID, d.name, component)
			}
		}
	}
	locks, err := w.client.Locks(ctx, d.name)
	if err != nil {
		w.fail("locks of %s: %v", d.name, err)
	}
	for _, l := range locks {
		w.fail("%s/%s is locked by %s: %s", d.name, l.Component, l.Holder, l.Reason)
	}
}
