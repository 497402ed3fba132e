package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
)

// settle decides what follows from where the steps are: which become ready,
// and what becomes of the run. Every move of a run ends with it. It looks at
// nothing but the run.
func (r *Run) settle(at time.Time) {
	switch r.Status {
	case RunPlanning:
		r.settlePlanning(at)
	case RunApproved, RunApplying:
		r.settleApplying(at)
	}
}

func (r *Run) settlePlanning(at time.Time) {
	if r.stopping() {
		r.drop(at)
	} else {
		r.planReady(at)
	}
	if !r.busy() {
		r.endPlanning(at)
	}
}

// planReady queues, or defers, each waiting step whose needs are planned. The
// steps are in the order of the graph, so one pass is enough. Drift checks and
// destroys read their inputs from the state and wait for nobody.
func (r *Run) planReady(at time.Time) {
	for _, s := range r.Steps {
		if s.Status != StepWaiting {
			continue
		}
		if r.Kind == RunDrift || s.Destroy {
			r.queue(s, at)
			continue
		}
		if !r.all(s.Needs, (*Step).readable) {
			continue
		}
		if waits := r.unknown(s); len(waits) > 0 {
			s.Notes = waits
			r.must(s.become(StepDeferred, at))
			continue
		}
		r.queue(s, at)
	}
}

// unknown lists the inputs of s that rest on something not known before an
// apply, each as a sentence.
func (r *Run) unknown(s *Step) []string {
	var waits []string
	for _, ref := range s.Component.Refs {
		up := r.Step(ref.Upstream)
		if up == nil || up.Destroy || !up.output(ref.Output).Unknown {
			continue
		}
		from := ""
		if names := up.output(ref.Output).From; len(names) > 0 {
			from = "is made from " + strings.Join(names, ", ") + " and "
		}
		waits = append(waits, fmt.Sprintf("%s waits for output %s of %s, which %sis known once that is applied", ref.Input, ref.Output, ref.Upstream, from))
	}
	return waits
}

func (r *Run) endPlanning(at time.Time) {
	switch {
	case r.CancelBy != "":
		r.finish(RunCancelled, "cancelled by "+r.CancelBy, at)
	case r.any(StepFailed):
		r.finish(RunFailed, r.failures(), at)
	case !r.Kind.Changing():
		r.finish(RunSucceeded, "", at)
	case r.onlyUnchanged() && r.InForce().AutoApprove != AutoNever:
		r.finish(RunSucceeded, "nothing to change", at)
	default:
		r.awaitApproval(at)
	}
}

func (r *Run) settleApplying(at time.Time) {
	if r.stopping() {
		r.drop(at)
	} else {
		r.applyReady(at)
	}
	if !r.busy() {
		r.endApplying(at)
	}
}

// applyReady hands out each step whose needs are as they are meant to be. A
// plan that was made with predictions that did not come true is made again. The
// steps are in an order in which each follows its needs, so one pass is enough.
func (r *Run) applyReady(at time.Time) {
	settled := map[string]bool{}
	for _, s := range r.Steps {
		if !r.needsSettled(s, settled) {
			continue
		}
		switch s.Status {
		case StepDeferred:
			r.queue(s, at)
		case StepPlanned, StepApproved, StepUnchanged:
			r.applyOne(s, at)
		}
		settled[s.Component.Address] = s.done()
	}
}

// needsSettled reports whether all that s needs is done. What is not part of
// the run is as it is.
func (r *Run) needsSettled(s *Step, settled map[string]bool) bool {
	for _, address := range s.Needs {
		if r.Step(address) != nil && !settled[address] {
			return false
		}
	}
	return true
}

func (r *Run) applyOne(s *Step, at time.Time) {
	switch {
	case !s.Destroy && !maps.Equal(s.Inputs, r.inputs(s)):
		r.queue(s, at)
	case s.Status == StepPlanned && r.mayApplyLate(s):
		r.approveStep(s, at)
		r.dispatch(s, at)
	case s.Status == StepApproved && s.ReadyAt.IsZero():
		r.dispatch(s, at)
	}
}

func (r *Run) endApplying(at time.Time) {
	if r.Status == RunApproved && !r.stopping() { // nothing had to be applied
		r.must(r.become(RunApplying, at))
	}
	switch {
	case r.any(StepInterrupted):
		r.finish(RunInterrupted, r.failures(), at)
	case r.any(StepFailed):
		r.finish(RunFailed, r.failures(), at)
	case r.CancelBy != "":
		r.finish(RunCancelled, "cancelled by "+r.CancelBy, at)
	case r.any(StepPlanned):
		r.awaitApproval(at)
	default:
		r.endApplied(at)
	}
}

// endApplied ends a run in which nobody has anything left to do. It succeeded
// where every step is done, and never with one that waits for what does not come.
func (r *Run) endApplied(at time.Time) {
	if left := r.addresses(func(s *Step) bool { return !s.done() }); len(left) > 0 {
		r.finish(RunFailed, "not done: "+strings.Join(left, ", ")+"; what that waits for never came to be done", at)
	} else {
		r.finish(RunSucceeded, "", at)
	}
}

// jointDigest is the SHA-256, in hex, of all that an approval is for: each
// step with the digests of its plan and of what that was made with, in order.
func (r *Run) jointDigest() string {
	type part struct {
		Address, Status, Plan string
		Inputs                map[string]string
		Revision              int
		Destroy               bool
	}
	parts := make([]part, len(r.Steps))
	for i, s := range r.Steps {
		parts[i] = part{s.Component.Address, string(s.Status), s.PlanHash, s.Inputs, s.Revision, s.Destroy}
	}
	b, err := json.Marshal(parts)
	r.must(err)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// queue hands the step out to be planned with what is known now.
func (r *Run) queue(s *Step, at time.Time) {
	r.must(s.become(StepQueued, at))
	s.Inputs, s.Notes = r.inputs(s), nil
	r.dispatch(s, at)
}

// inputs gives the digest of every output that s is made with.
func (r *Run) inputs(s *Step) map[string]string {
	in := map[string]string{}
	if made, ok := s.Inputs[inputEnvironment]; ok {
		in[inputEnvironment] = made
	}
	for _, ref := range s.Component.Refs {
		if up := r.Step(ref.Upstream); up != nil && !s.Destroy {
			in[ref.Upstream+"."+ref.Output] = up.output(ref.Output).Digest
		}
	}
	return in
}

// dispatch hands the step to its queue.
func (r *Run) dispatch(s *Step, at time.Time) {
	s.ReadyAt, s.QueuedAt = at, at
	r.changes.Dispatches = append(r.changes.Dispatches, Dispatch{
		Step: s.ID, Attempt: s.Attempt + 1, Queue: QueueName(s.Component.Cloud, r.Kind.Class()),
	})
}

// QueueName names the queue of a cloud and class.
func QueueName(c Cloud, class string) string { return string(c) + "-" + class }

// finish ends the run and gives the steps whose turn never came their end. The
// plans of a run that changes nothing stay for reading.
func (r *Run) finish(to RunStatus, reason string, at time.Time) {
	if r.Kind.Changing() || to != RunSucceeded {
		r.drop(at)
	}
	r.Reason = reason
	r.must(r.become(to, at))
}

// drop ends each step that no runner has in hand.
func (r *Run) drop(at time.Time) {
	to := StepSkipped
	if r.CancelBy != "" {
		to = StepCancelled
	}
	for _, s := range r.Steps {
		if s.Status.CanBecome(to) && !s.Status.Active() {
			r.must(s.become(to, at))
		}
	}
}
