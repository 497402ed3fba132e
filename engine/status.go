package engine

import (
	"maps"
	"slices"
)

// RunStatus is where a run is on its way.
type RunStatus string

// The statuses of a run.
const (
	RunPending     RunStatus = "pending"     // waits for its turn on the stack
	RunPlanning    RunStatus = "planning"    // its steps are being planned
	RunPlanned     RunStatus = "planned"     // waits for a person
	RunApproved    RunStatus = "approved"    // may be applied, nothing has started
	RunApplying    RunStatus = "applying"    // infrastructure is being changed
	RunSucceeded   RunStatus = "succeeded"   // all that was asked for is true
	RunFailed      RunStatus = "failed"      // a step failed; Reason says which
	RunDiscarded   RunStatus = "discarded"   // a person, or time, turned the plan down
	RunCancelled   RunStatus = "cancelled"   // stopped on request
	RunBlocked     RunStatus = "blocked"     // a policy forbids the plan
	RunInterrupted RunStatus = "interrupted" // an apply was lost sight of; a person must look
)

// nextRun is the whole state machine of a run: what may follow each status. A
// status with nothing after it is final. docs/run-states.md is drawn from it.
var nextRun = map[RunStatus][]RunStatus{
	RunPending:     {RunPlanning, RunCancelled, RunFailed},
	RunPlanning:    {RunPlanned, RunSucceeded, RunFailed, RunCancelled, RunBlocked}, // Succeeded: nothing to change
	RunPlanned:     {RunApproved, RunDiscarded},
	RunApproved:    {RunApplying, RunPlanned, RunPlanning, RunFailed, RunCancelled},     // Planned, Planning: what was approved no longer is
	RunApplying:    {RunPlanned, RunSucceeded, RunFailed, RunCancelled, RunInterrupted}, // Planned: a late plan needs a person
	RunSucceeded:   nil,
	RunFailed:      nil,
	RunDiscarded:   nil,
	RunCancelled:   nil,
	RunBlocked:     nil,
	RunInterrupted: nil,
}

// Final reports whether nothing can follow s.
func (s RunStatus) Final() bool { return len(nextRun[s]) == 0 }

// CanBecome reports whether a run may move from s to t.
func (s RunStatus) CanBecome(t RunStatus) bool { return slices.Contains(nextRun[s], t) }

// Known reports whether s is a status at all.
func (s RunStatus) Known() bool { _, ok := nextRun[s]; return ok }

// RunStatuses lists all statuses of a run by name.
func RunStatuses() []RunStatus { return slices.Sorted(maps.Keys(nextRun)) }

// StepStatus is where a step is on its way.
type StepStatus string

// The statuses of a step.
const (
	StepWaiting     StepStatus = "waiting"     // for the plans of what it needs
	StepQueued      StepStatus = "queued"      // to be planned
	StepPlanning    StepStatus = "planning"    // a runner plans it
	StepPlanned     StepStatus = "planned"     // has a plan that changes something
	StepUnchanged   StepStatus = "unchanged"   // has a plan that changes nothing
	StepDeferred    StepStatus = "deferred"    // cannot be planned before something else is applied
	StepApproved    StepStatus = "approved"    // its plan may be applied
	StepApplying    StepStatus = "applying"    // a runner applies its plan
	StepApplied     StepStatus = "applied"     // its plan is carried out
	StepFailed      StepStatus = "failed"      // Reason says why
	StepSkipped     StepStatus = "skipped"     // the run ended before its turn
	StepCancelled   StepStatus = "cancelled"   // stopped on request
	StepInterrupted StepStatus = "interrupted" // its runner was lost in the middle of an apply
)

// nextStep is the whole state machine of a step. Planned, unchanged and
// approved steps may be queued again: their plan rests on predicted outputs of
// another component, and those may turn out otherwise.
var nextStep = map[StepStatus][]StepStatus{
	StepWaiting:     {StepQueued, StepDeferred, StepSkipped, StepCancelled},
	StepQueued:      {StepPlanning, StepSkipped, StepCancelled, StepFailed},
	StepPlanning:    {StepPlanned, StepUnchanged, StepQueued, StepFailed, StepCancelled}, // Queued: its runner was lost
	StepPlanned:     {StepApproved, StepQueued, StepSkipped, StepCancelled},
	StepUnchanged:   {StepQueued},
	StepDeferred:    {StepQueued, StepSkipped, StepCancelled},
	StepApproved:    {StepApplying, StepPlanned, StepQueued, StepSkipped, StepCancelled}, // Planned: no longer approved
	StepApplying:    {StepApplied, StepFailed, StepCancelled, StepInterrupted},
	StepApplied:     nil,
	StepFailed:      nil,
	StepSkipped:     nil,
	StepCancelled:   nil,
	StepInterrupted: nil,
}

// Final reports whether nothing can follow s.
func (s StepStatus) Final() bool { return len(nextStep[s]) == 0 }

// CanBecome reports whether a step may move from s to t.
func (s StepStatus) CanBecome(t StepStatus) bool { return slices.Contains(nextStep[s], t) }

// Known reports whether s is a status at all.
func (s StepStatus) Known() bool { _, ok := nextStep[s]; return ok }

// CutShort reports whether a step may have ended in the middle of its apply.
func (s StepStatus) CutShort() bool {
	return s == StepFailed || s == StepCancelled || s == StepInterrupted
}

// Active reports whether a runner has the step in hand.
func (s StepStatus) Active() bool { return s == StepPlanning || s == StepApplying }
