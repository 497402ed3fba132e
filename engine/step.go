package engine

import (
	"maps"
	"time"
)

// Lease is how long a runner may be silent before its step counts as lost.
const Lease = 30 * time.Second

// maxLost is how many runners a plan may lose before it is given up.
const maxLost = 3

// become is the only place that writes s.Status.
func (s *Step) become(to StepStatus, at time.Time) error {
	if !s.Status.CanBecome(to) {
		return &TransitionError{Thing: "step " + s.Component.Address, From: string(s.Status), To: string(to)}
	}
	s.Status = to
	s.ReadyAt, s.LeaseUntil = time.Time{}, time.Time{}
	if s.Status.Final() || s.Status == StepPlanned || s.Status == StepUnchanged {
		s.EndedAt = at
	}
	return nil
}

// claimed moves the step into the hands of a runner.
func (s *Step) claimed(c Claim, at time.Time) (Phase, error) {
	phase, to := PhasePlan, StepPlanning
	if s.Status == StepApproved {
		phase, to = PhaseApply, StepApplying
	}
	if s.ReadyAt.IsZero() {
		return "", Conflict("step %s is %s and waits for no worker", s.Component.Address, s.Status)
	}
	if err := s.become(to, at); err != nil {
		return "", err
	}
	s.Attempt++
	s.Worker, s.LeaseUntil, s.StartedAt, s.EndedAt = c.Worker, at.Add(Lease), at, time.Time{}
	s.TokenHash, s.StateHash = c.Token.Hash(), c.StateToken.Hash()
	return phase, nil
}

// inputEnvironment stands among a step's inputs for the stack's environment.
// The other inputs have a dot in their names.
const inputEnvironment = "environment"

// madeIn keeps the digest of the environment that the step's plan was made in. A
// runner of the version before says nothing of it.
func (s *Step) madeIn(digest string) {
	if digest == "" {
		return
	}
	s.Inputs = maps.Clone(s.Inputs)
	if s.Inputs == nil {
		s.Inputs = map[string]string{}
	}
	s.Inputs[inputEnvironment] = digest
}

// Phase is what the runner that has the step in hand is to do.
func (s *Step) Phase() Phase {
	if s.Status == StepApplying {
		return PhaseApply
	}
	return PhasePlan
}

// held checks that attempt is the one that has the step in hand.
func (s *Step) held(attempt int) error {
	if s.Attempt != attempt || !s.Status.Active() {
		return Conflict("step %s is %s and no longer in the hands of attempt %d", s.Component.Address, s.Status, attempt)
	}
	return nil
}

// done reports whether the step stands for the component as it really is.
func (s *Step) done() bool { return s.Status == StepApplied || s.Status == StepUnchanged }

// readable reports whether a step that needs this one can know what it will be.
func (s *Step) readable() bool {
	return s.done() || s.Status == StepPlanned || s.Status == StepDeferred
}

// output gives the digest of one output as far as it is known now.
func (s *Step) output(name string) OutputDigest {
	switch s.Status {
	case StepUnchanged:
		return OutputDigest{Digest: "unchanged"}
	case StepApplied:
		return known(s.Actual, name)
	default:
		return known(s.Predicted, name)
	}
}

func known(outputs map[string]OutputDigest, name string) OutputDigest {
	if d, ok := outputs[name]; ok {
		return d
	}
	return OutputDigest{Unknown: true}
}
