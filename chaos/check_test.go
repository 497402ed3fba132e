package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
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
			w.checkRun(ctx, run)
		}
		for id := range d.runs {
			if !known[id] {
				r.lost++
				w.fail("run %s is lost", id)
			}
		}
		w.checkStates(ctx, d, r)
	}
	w.checkLedger(ended, r)
	w.checkCloud(ctx, ended)
	w.checkLeftovers()
	w.panics()
	return r
}

func (w *world) checkRun(ctx context.Context, run client.Run) {
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
		w.checkLog(full, step, log.String())
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

var rows = regexp.MustCompile(`\(local-exec\): row (r\d) (\d+)\.\n`)

// checkLog wants the lines that each resource printed, each once and in order,
// and all of them where the step was applied.
func (w *world) checkLog(run client.Run, step client.Step, log string) {
	last := map[string]int{}
	for _, row := range rows.FindAllStringSubmatch(log, -1) {
		var n int
		_, _ = fmt.Sscan(row[2], &n) // digits, by the expression
		if n != last[row[1]]+1 {
			w.fail("log of %s %s (%s): line %d of %s comes after %d", run.ID, step.Address, step.ID, n, row[1], last[row[1]])
		}
		last[row[1]] = n
	}
	if step.Status != string(engine.StepApplied) {
		return
	}
	for name, n := range last {
		if n != lines {
			w.fail("log of %s %s (%s): %s has %d lines", run.ID, step.Address, step.ID, name, n)
		}
	}
	if n := strings.Count(log, "Apply complete!"); step.Kind == string(engine.KindTerraform) && !step.Destroy && n != 1 {
		w.fail("log of %s %s (%s): it is complete %d times", run.ID, step.Address, step.ID, n)
	}
}

var (
	made      = regexp.MustCompile(`(?m)^(\S+): Creation complete after \S+ \[id=(.*)\]$`)
	destroyed = regexp.MustCompile(`(?m)^(\S+): Destruction complete`)
)

// checkMade wants what Terraform says it made in a state that the run wrote,
// or named by the run.
func (w *world) checkMade(ctx context.Context, run client.Run, step client.Step, log string) {
	var data []byte
	versions, err := w.versions(ctx, run.Stack, step.Address)
	if err != nil {
		w.fail("states of %s/%s: %v", run.Stack, step.Address, err)
		return
	}
	for _, v := range versions { // newest first
		if v.Run != run.ID {
			continue
		}
		if data, err = w.client.DownloadState(ctx, v.ID); err != nil {
			w.fail("state %s: %v", v.ID, err)
		}
		break
	}
	for _, m := range made.FindAllStringSubmatch(log, -1) {
		address, id := m[1], m[2]
		if bytes.Contains(data, fmt.Appendf(nil, "%q", id)) || undone(log, address, id) {
			continue
		}
		if step.Status != string(engine.StepInterrupted) || !w.named(ctx, step.ID, address, id) {
			w.fail("run %s (%s) %s made %s %s, which is in no state of it, nor named", run.ID, run.Status, step.Address, address, id)
		}
	}
}

// named reports whether the run names the resource as made.
func (w *world) named(ctx context.Context, step, address, id string) bool {
	p, err := w.client.Progress(ctx, step)
	if err != nil {
		w.fail("progress of step %s: %v", step, err)
	}
	return slices.ContainsFunc(p.Finished, func(t client.Touched) bool { return t.Address == address && t.ID == id })
}

// undone reports whether the resource was destroyed after it was made.
func undone(log, address, id string) bool {
	_, after, _ := strings.Cut(log, "[id="+id+"]")
	return slices.ContainsFunc(destroyed.FindAllStringSubmatch(after, -1), func(m []string) bool { return m[1] == address })
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

// checkLedger wants everything to have happened once, and in full where the
// run says so.
func (w *world) checkLedger(ended map[string]client.Run, r *result) {
	b, err := os.ReadFile(w.path("ledger"))
	if err != nil {
		w.fail("%v", err)
	}
	count := map[string]int{}
	for line := range strings.Lines(string(b)) {
		count[strings.TrimSpace(line)]++
	}
	for line, n := range count {
		if strings.HasPrefix(line, "begin") {
			r.begins++
		}
		if n > 1 {
			r.doubled++
			w.fail("%q happened %d times", line, n)
		}
		begun, _ := strings.CutPrefix(line, "begin ")
		nonce, _, _ := strings.Cut(begun, " ")
		if run, ok := ended[nonce]; ok && run.Status == string(engine.RunSucceeded) && count["end "+begun] != 1 {
			w.fail("run %s has succeeded, but not %q", run.ID, begun)
		}
	}
}

// checkCloud wants every bucket in a state or in an interrupted run.
func (w *world) checkCloud(ctx context.Context, ended map[string]client.Run) {
	buckets, err := w.moto.Buckets()
	if err != nil {
		w.fail("moto: %v", err)
	}
	held := map[string]bool{}
	for _, d := range w.drivers {
		if d.kind != "aws" {
			continue
		}
		for _, b := range w.bucketsOf(ctx, d.name) {
			held[b] = true
		}
	}
	for nonce, run := range ended {
		if run.Status == string(engine.RunInterrupted) {
			held[strings.ReplaceAll(nonce, ".", "-")] = true
		}
	}
	for _, b := range buckets {
		if !held[b] {
			w.fail("bucket %s is in no state, and no interrupted run made it", b)
		}
	}
}

// bucketsOf lists the buckets in the stack's state.
func (w *world) bucketsOf(ctx context.Context, stack string) (names []string) {
	versions, err := w.client.States(ctx, stack)
	if err != nil {
		w.fail("states of %s: %v", stack, err)
	}
	for _, v := range versions {
		data, err := w.client.DownloadState(ctx, v.ID)
		var state struct {
			Resources []struct {
				Type      string
				Instances []struct{ Attributes struct{ Bucket string } }
			}
		}
		if err == nil {
			err = json.Unmarshal(data, &state)
		}
		if err != nil {
			w.fail("state %s: %v", v.ID, err)
		}
		for _, res := range state.Resources {
			for _, in := range res.Instances {
				names = append(names, in.Attributes.Bucket)
			}
		}
	}
	return names
}

// checkLeftovers wants no process without a run, and nothing in the workers'
// folders for runners.
func (w *world) checkLeftovers() {
	for deadline := time.Now().Add(30 * time.Second); len(w.processes(isAny)) > 0 && time.Now().Before(deadline); {
		time.Sleep(200 * time.Millisecond)
	}
	for _, p := range w.processes(isAny) {
		w.fail("process %d is left: %s", p.pid, p.command)
	}
}
