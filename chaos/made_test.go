package chaos

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

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
