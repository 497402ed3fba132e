package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// States is the Terraform state of every component: versions and locks.
type States struct {
	Store interface {
		StateStore
		StackStore
		RunStore
		EventStore
		ArtifactStore
	}
	Now func() time.Time
}

// StateWriter is who reads or writes a state: a person, or a step's attempt.
type StateWriter struct {
	By      string
	Run     string // empty for a person
	Step    string // that does so itself; its attempt must have it in hand still
	Attempt int
	// ReadOnly is set for a step that does not apply: planning writes no state,
	// so whoever does so with its token is not Terraform.
	ReadOnly bool
}

// Attempt finds the step whose current attempt the state token belongs to and
// that works on the component. A token of an older attempt is refused, so that
// a runner which was given up cannot write any more.
func (s *States) Attempt(ctx context.Context, step string, token Secret, stack, component string) (StateWriter, error) {
	refused := Unauthorized("this state token is not, or no longer, good for %s/%s", stack, component)
	id, err := s.Store.StepRun(ctx, step)
	if errors.Is(err, ErrNotFound) {
		return StateWriter{}, refused
	}
	if err != nil {
		return StateWriter{}, err
	}
	run, err := s.Store.Run(ctx, id)
	if err != nil {
		return StateWriter{}, err
	}
	st := run.StepByID(step)
	if st == nil || st.StateHash != token.Hash() || !st.Status.Active() || run.Stack != stack || st.Component.Address != component {
		return StateWriter{}, refused
	}
	return StateWriter{By: run.StartedBy, Run: run.ID, Step: step, Attempt: st.Attempt, ReadOnly: st.Status != StepApplying}, nil
}

// Latest reads the newest state of a component, or wraps ErrNotFound.
func (s *States) Latest(ctx context.Context, stack, component string) (*StateVersion, error) {
	return s.Store.LatestState(ctx, stack, component)
}

// Put adds a version of a component's state. lock is the lock that the writer
// says it holds; a state that somebody else has locked is not written.
func (s *States) Put(ctx context.Context, w StateWriter, stack, component, lock string, data []byte) (*StateVersion, error) {
	if w.ReadOnly {
		return nil, Forbidden("a plan does not write the state of %s/%s", stack, component)
	}
	v, err := parseState(data)
	if err != nil {
		return nil, err
	}
	if _, err := s.Store.Stack(ctx, stack); err != nil {
		return nil, err
	}
	now := s.Now()
	v.ID, v.Stack, v.Component, v.Run, v.By, v.CreatedAt = NewID("sv", now), stack, component, w.Run, w.By, now
	e := newEvent(now, w.By, "state.write", stack, component, nil)
	e = replacing(e, func(before *StateVersion) (was, is map[string]any) { return before.told(), v.told() })
	e.Run = w.Run
	return v, s.Store.PutState(ctx, StatePut{Writer: w, Lock: lock, Events: []Event{e}}, v)
}

// stateFile is the part of a Terraform state that the engine reads, version 4.
// Source: https://developer.hashicorp.com/terraform/internals/json-format and
// the files that Terraform 1.11 writes.
type stateFile struct {
	Version   int               `json:"version"`
	Serial    int64             `json:"serial"`
	Lineage   string            `json:"lineage"`
	Outputs   map[string]Output `json:"outputs"`
	Resources []struct {
		Mode      string            `json:"mode"`
		Instances []json.RawMessage `json:"instances"`
	} `json:"resources"`
}

func parseState(data []byte) (*StateVersion, error) {
	var f stateFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, Invalid("the state is not JSON: %v", err)
	}
	if f.Version != 4 || f.Lineage == "" {
		return nil, Invalid("the state has version %d and lineage %q; it must be version 4 with a lineage, as Terraform 0.12 and later write it", f.Version, f.Lineage)
	}
	v := &StateVersion{Serial: f.Serial, Lineage: f.Lineage, Size: len(data), Data: data}
	for _, r := range f.Resources {
		if r.Mode == "managed" {
			v.Resources += len(r.Instances)
		}
	}
	return v, nil
}

// StateOutputs reads the outputs out of a Terraform state.
func StateOutputs(data []byte) (Outputs, error) {
	var f stateFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, Invalid("the state is not JSON: %v", err)
	}
	if f.Outputs == nil {
		return Outputs{}, nil
	}
	return Outputs(f.Outputs), nil
}
