package chaos

import (
	"fmt"
	"strings"
	"time"
)

// How long a status may be untrue: the lease and a sweep, and the outages that
// may come in between; and without such outages, where a machine stays away.
const (
	truthWithin = 3 * time.Minute
	awayWithin  = time.Minute
)

// truth is how long it took, from a kill, until a step's status was true.
type truth struct {
	took, within time.Duration
}

// watchTruth measures how long it takes, from now, until the step of a runner
// that is killed is in the hands of another one, or over.
func (w *world) watchTruth(p process, within time.Duration) {
	dir, ok := p.folder()
	if !ok {
		return
	}
	step := dir[strings.LastIndex(dir, "/")+1 : strings.LastIndex(dir, "-")]
	began := time.Now()
	w.inFlight.Go(func() {
		for time.Since(began) < within {
			time.Sleep(100 * time.Millisecond)
			if w.toldOf(step, dir, p.pid) {
				w.mu.Lock()
				w.truths = append(w.truths, truth{time.Since(began), within})
				w.mu.Unlock()
				return
			}
		}
		w.fail("step %s had no true status %s after its runner was killed", step, within)
	})
}

// toldOf reports whether the step has another runner, or is not in hand.
func (w *world) toldOf(step, dir string, killed int) bool {
	for _, p := range w.processes(isRunner) {
		if other, _ := p.folder(); other == dir && p.pid != killed {
			return true
		}
	}
	status, attempt, err := w.stepStatus(step)
	return err == nil && (status != "planning" && status != "applying" || !strings.HasSuffix(dir, fmt.Sprintf("-%d", attempt)))
}
