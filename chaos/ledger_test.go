package chaos

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

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
