package ansible

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCancelEndsThePlayAndAllItStarted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		command string
		grace   time.Duration
		hurry   bool
	}{
		"a command that an interrupt ends": {"sleep 600", 10 * time.Second, false},
		"a command that hears nothing":     {"trap '' INT TERM; while :; do sleep 600; done", 300 * time.Millisecond, false},
		"somebody asked twice":             {"trap '' INT TERM; while :; do sleep 600; done", time.Hour, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, job := newDriver(t), newJob(t, map[string]string{"command": tt.command})
			job.Grace, job.Hurry = tt.grace, make(chan struct{})
			dir := bundle(t, `
- hosts: all
  gather_facts: false
  tasks:
    - {name: Begin, ansible.builtin.debug: {msg: ready}}
    - {name: Wait, ansible.builtin.shell: "{{ command }}"}`)
			artifact, hash := mustFreeze(t, job, dir)
			job.PlanHash = hash
			ctx, cancel := context.WithCancelCause(t.Context())
			stopped := errors.New("stopped by ada")
			log := &trigger{on: "TASK [Wait]", do: func() {
				cancel(stopped)
				if tt.hurry {
					close(job.Hurry)
				}
			}}

			done, err := d.Apply(ctx, job, dir, artifact, log)
			recap := done.Recap

			if !errors.Is(err, stopped) {
				t.Errorf("error = %v, want the cause of the cancel", err)
			}
			if len(recap.Tasks) == 0 || recap.Tasks[0].Task != "Begin" {
				t.Errorf("recap = %+v, want what was done until then", recap)
			}
			for _, p := range allMarked(t, job.Dir) {
				t.Errorf("left behind: %s", p)
			}
		})
	}
}

// allMarked lists the processes of any play below workDir.
func allMarked(t *testing.T, workDir string) []string {
	t.Helper()
	var found []string
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, f := range environs {
		env, _ := os.ReadFile(f)
		if bytes.Contains(env, []byte(playMarker+"="+workDir)) {
			found = append(found, f)
		}
	}
	return found
}

// trigger is a log that does something once, when a text comes by.
type trigger struct {
	seen bytes.Buffer
	on   string
	do   func()
	done bool
}

func (l *trigger) Write(p []byte) (int, error) {
	n, err := l.seen.Write(p)
	if !l.done && strings.Contains(l.seen.String(), l.on) {
		l.done = true
		l.do()
	}
	return n, err
}
