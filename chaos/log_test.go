package chaos

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// printed is what the log of an apply has to tell: rows, which are numbered, and
// resources that are made.
type printed struct{ rows, resources []string }

// row is a numbered line of a local-exec, or of what a play shows of its output.
var row = regexp.MustCompile(`(?m)(?:\(local-exec\): |^\s+- )row (r\d) (\d+)\.$`)

// wrongInLog says what is wrong with the log of a step that has ended: the rows
// of each resource have to be there once and in order, and where the step was
// applied all of them, and each resource once.
func wrongInLog(want printed, step client.Step, log string) (wrong []string) {
	last := map[string]int{}
	for _, m := range row.FindAllStringSubmatch(log, -1) {
		name := m[1]
		n, _ := strconv.Atoi(m[2]) // digits, by the expression
		if n != last[name]+1 {
			wrong = append(wrong, fmt.Sprintf("row %d of %s comes after %d", n, name, last[name]))
		}
		last[name] = n
	}
	if step.Status != string(engine.StepApplied) {
		return wrong
	}
	if step.Kind == string(engine.KindTerraform) {
		wrong = append(wrong, wrongInSum(log)...)
	}
	if step.Destroy {
		return wrong
	}
	for _, name := range want.rows {
		if last[name] != lines {
			wrong = append(wrong, fmt.Sprintf("%s has %d rows", name, last[name]))
		}
	}
	for _, address := range want.resources {
		if n := len(regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(address)+`: Creation complete`).FindAllString(log, -1)); n != 1 {
			wrong = append(wrong, fmt.Sprintf("%s is made %d times", address, n))
		}
	}
	return wrong
}

var sum = regexp.MustCompile(`(?m)^Apply complete! Resources: (\d+) added, \d+ changed, (\d+) destroyed\.$`)

// wrongInSum holds what Terraform counts in the end against what it said before.
func wrongInSum(log string) (wrong []string) {
	sums := sum.FindAllStringSubmatch(log, -1)
	if len(sums) != 1 {
		return []string{fmt.Sprintf("it is complete %d times", len(sums))}
	}
	for i, what := range []string{": Creation complete after ", ": Destruction complete after "} {
		if n := strconv.Itoa(strings.Count(log, what)); n != sums[0][i+1] {
			wrong = append(wrong, fmt.Sprintf("it has %s lines of %q, and counts %s", n, what, sums[0][i+1]))
		}
	}
	return wrong
}

// checkFollowed wants those who followed a log to have seen what is kept of it.
func (w *world) checkFollowed(ctx context.Context, d *driver) {
	for _, f := range d.told {
		run, err := w.client.Run(ctx, f.run)
		if err != nil {
			w.fail("run %s: %v", f.run, err)
			continue
		}
		var log bytes.Buffer
		if err := w.client.Log(ctx, f.step, &log); err != nil {
			w.fail("log of step %s: %v", f.step, err)
			continue
		}
		i := slices.IndexFunc(run.Steps, func(s client.Step) bool { return s.ID == f.step })
		if i < 0 || !f.saw(run.Steps[i].Status, log.Bytes()) {
			w.fail("who followed step %s of %s (%s) has seen %d bytes of %d, or others", f.step, f.run, run.Status, f.text.Len(), log.Len())
		}
	}
}

// saw reports whether who followed a step to its end has seen its log: all of it,
// where the runner itself said how it ended. One that was taken for lost may have
// sent a last chunk in the same moment.
func (f *followed) saw(status string, log []byte) bool {
	if status == string(engine.StepInterrupted) {
		return bytes.HasPrefix(log, f.text.Bytes()) && (f.text.Len() > 0 || len(log) == 0)
	}
	return bytes.Equal(log, f.text.Bytes())
}
