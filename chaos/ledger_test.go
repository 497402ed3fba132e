package chaos

import (
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
