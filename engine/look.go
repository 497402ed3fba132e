package engine

import (
	"fmt"
	"strings"
)

// stopping reports whether nothing new may start.
func (r *Run) stopping() bool {
	return r.CancelBy != "" || r.any(StepFailed) || r.any(StepInterrupted)
}

// busy reports whether a step is in a queue or in the hands of a runner.
func (r *Run) busy() bool {
	for _, s := range r.Steps {
		if s.Status.Active() || !s.ReadyAt.IsZero() {
			return true
		}
	}
	return false
}

func (r *Run) any(status StepStatus) bool {
	for _, s := range r.Steps {
		if s.Status == status {
			return true
		}
	}
	return false
}

func (r *Run) onlyUnchanged() bool {
	for _, s := range r.Steps {
		if s.Status != StepUnchanged {
			return false
		}
	}
	return true
}

// all reports whether ok holds for each step at the addresses that is part of the run.
func (r *Run) all(addresses []string, ok func(*Step) bool) bool {
	for _, address := range addresses {
		if s := r.Step(address); s != nil && !ok(s) {
			return false
		}
	}
	return true
}

// failures says in one line which steps failed and why.
func (r *Run) failures() string {
	var lines []string
	for _, s := range r.Steps {
		if s.Status == StepFailed || s.Status == StepInterrupted {
			first, _, _ := strings.Cut(s.Reason, "\n")
			lines = append(lines, s.Component.Address+": "+first)
		}
	}
	return strings.Join(lines, "; ")
}

// must states that a move was checked before: an error is a mistake in this file.
func (r *Run) must(err error) {
	if err != nil {
		panic(fmt.Sprintf("run %s: %v", r.ID, err))
	}
}
