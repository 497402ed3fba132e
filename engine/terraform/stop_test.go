package terraform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCancelledApplyKeepsWhatWasMadeAndLeavesNothingRunning(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, map[string]string{"x/main.tf": fmt.Sprintf(`resource "terraform_data" "first" { input = "made" }
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "echo $$ > %s/pid; echo started; exec sleep 300" }
}
`, dir)})
	p := w.plan(t)
	w.job.PlanHash = p.Hash
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("somebody cancelled")
	_, err := w.driver.Apply(ctx, w.job, w.bundle, p.File, writerFunc(func(b []byte) {
		if bytes.Contains(b, []byte("(local-exec): started")) {
			cancel(stop)
		}
	}))
	if !errors.Is(err, stop) {
		t.Errorf("error = %v", err)
	}
	if !bytes.Contains(w.backend.state, []byte(`"made"`)) || w.backend.lock != nil {
		t.Errorf("state %s, lock %s", w.backend.state, w.backend.lock)
	}
	if pid, err := os.ReadFile(filepath.Join(dir, "pid")); err != nil || processExists(strings.TrimSpace(string(pid))) {
		t.Errorf("process %s is still there, %v", pid, err)
	}
}

func processExists(pid string) bool {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// stubborn is a resource whose provisioner does not mind being interrupted.
const stubborn = `resource "terraform_data" "slow" {
  provisioner "local-exec" { command = "trap '' INT; echo $$ > %s/pid; echo started; while true; do sleep 0.1; done" }
}
`

func TestWhatDoesNotStopIsKilled(t *testing.T) {
	tests := map[string]struct {
		grace time.Duration
		hurry bool
	}{
		"after the grace":               {grace: 100 * time.Millisecond},
		"at once when there is a hurry": {grace: time.Hour, hurry: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w := newWorld(t, map[string]string{"x/main.tf": fmt.Sprintf(stubborn, dir)})
			w.job.Grace = tt.grace
			p := w.plan(t)
			w.job.PlanHash = p.Hash
			ctx, cancel := context.WithCancelCause(t.Context())
			stop := errors.New("somebody cancelled")
			_, err := w.driver.Apply(ctx, w.job, w.bundle, p.File, writerFunc(func(b []byte) {
				if bytes.Contains(b, []byte("(local-exec): started")) {
					cancel(stop)
					if tt.hurry {
						close(w.job.Hurry)
					}
				}
			}))
			if !errors.Is(err, stop) {
				t.Errorf("error = %v", err)
			}
			if pid, err := os.ReadFile(filepath.Join(dir, "pid")); err != nil || processExists(strings.TrimSpace(string(pid))) {
				t.Errorf("process %s is still there, %v", pid, err)
			}
		})
	}
}

func TestNothingStartsOnceCancelled(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": note})
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("somebody cancelled")
	cancel(stop)
	if _, err := w.driver.Plan(ctx, w.job, w.bundle, &w.log); !errors.Is(err, stop) || w.log.Len() > 0 {
		t.Errorf("error = %v, log = %s", err, w.log.String())
	}
}
