package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
)

// progress tells on stderr how a run goes: a line for each step that moves,
// and on a terminal a spinner beneath them while something is under way.
type progress struct {
	w    io.Writer
	mu   sync.Mutex
	seen map[string]string // status by step
	line string            // the spinner's text; empty for none
	done chan struct{}
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, seen: map[string]string{}, done: make(chan struct{})}
	if terminal(w) {
		go p.spin()
	}
	return p
}

// update prints the steps that moved since the last time.
func (p *progress) update(run client.Run) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	for _, s := range run.Steps {
		if p.seen[s.Address] == s.Status {
			continue
		}
		p.seen[s.Address] = s.Status
		if s.Status == "waiting" || s.Status == "queued" {
			continue
		}
		fmt.Fprintf(p.w, "  %-32s %s%s\n", s.Address, paint(p.w, statusColour(s.Status), s.Status), stepNote(s))
	}
	if p.seen[""] != run.Status {
		p.seen[""] = run.Status
		fmt.Fprintf(p.w, "run %s%s\n", paint(p.w, statusColour(run.Status), became(run.Status)), because(run.Reason))
	}
	p.line = "run " + became(run.Status)
}

// stepNote says the one thing about a step that matters at its status.
func stepNote(s client.Step) string {
	switch s.Status {
	case "planned":
		return "  " + s.Summary.Engine().String()
	case "failed", "interrupted":
		return "\n" + s.Reason
	case "deferred":
		if len(s.Notes) > 0 {
			return "  " + s.Notes[0]
		}
	}
	return ""
}

// became is the status of a run or step as the end of a sentence.
func became(status string) string {
	switch status {
	case "succeeded", "failed":
		return "has " + status
	case "cancelled", "discarded", "interrupted":
		return "was " + status
	default:
		return "is " + status
	}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// spin turns the spinner until stop.
func (p *progress) spin() {
	tick := time.NewTicker(120 * time.Millisecond)
	defer tick.Stop()
	frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	for i := 0; ; i++ {
		select {
		case <-p.done:
			return
		case <-tick.C:
			p.mu.Lock()
			if p.line != "" {
				fmt.Fprintf(p.w, "\r\x1b[K%c %s", frames[i%len(frames)], p.line)
			}
			p.mu.Unlock()
		}
	}
}

// clear takes the spinner off the screen.
func (p *progress) clear() {
	if terminal(p.w) {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

func (p *progress) stop() {
	close(p.done)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = ""
	p.clear()
}
