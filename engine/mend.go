package engine

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Restore makes an old version of a component's state the newest: a new version
// with its content and the next serial. Nothing is overwritten. It wraps
// ErrConflict while somebody has the state locked or a run changes the stack.
func (s *States) Restore(ctx context.Context, p Principal, version, reason string) (*StateVersion, error) {
	old, err := s.Store.State(ctx, version)
	if err != nil {
		return nil, err
	}
	if _, err := s.atRest(ctx, old.Stack, old.Component, ""); err != nil {
		return nil, err
	}
	last, err := s.Store.LatestState(ctx, old.Stack, old.Component)
	if err != nil {
		return nil, err
	}
	if last.ID == old.ID {
		return nil, Conflict("version %s is the newest state of %s/%s already", old.ID, old.Stack, old.Component)
	}
	v, err := renumbered(old.Data, last.Serial+1, last.Lineage)
	if err != nil {
		return nil, err
	}
	detail := map[string]any{"from": old.ID, "from_serial": old.Serial, "serial": v.Serial, "reason": reason}
	return v, s.add(ctx, StatePut{Writer: StateWriter{By: p.User}}, old.Stack, old.Component, v, "state.restore", detail)
}

// renumbered is a state with another serial and lineage. All else stays as it is.
func renumbered(data []byte, serial int64, lineage string) (*StateVersion, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	fields["serial"] = strconv.AppendInt(nil, serial, 10)
	fields["lineage"] = strconv.AppendQuote(nil, lineage)
	changed, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	return parseState(changed)
}

// atRest checks that nobody changes the component's state: no lock but that of
// the step, which it returns, and no run that changes the stack.
func (s *States) atRest(ctx context.Context, stack, component, step string) (*StateLock, error) {
	held, err := s.lockOf(ctx, stack, component, step)
	if err != nil {
		return nil, err
	}
	run, err := s.Store.ActiveRun(ctx, stack)
	if err == nil && run != "" {
		return nil, Conflict("run %s changes stack %s; wait for its end, or cancel it", run, stack)
	}
	return held, err
}

// lockOf reads the lock of the step, nil where the state is free. It returns a
// *LockedError where somebody else holds it.
func (s *States) lockOf(ctx context.Context, stack, component, step string) (*StateLock, error) {
	held, err := s.Store.StateLock(ctx, stack, component)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err == nil && (step == "" || held.Step != step) {
		return nil, &LockedError{Lock: *held}
	}
	return held, err
}

// holding is a write under a lock that was read, nil for none.
func holding(w StateWriter, held *StateLock) StatePut {
	if held == nil {
		return StatePut{Writer: w}
	}
	return StatePut{Writer: w, Lock: held.ID}
}

// add puts a version where it belongs and notes who did so.
func (s *States) add(ctx context.Context, put StatePut, stack, component string, v *StateVersion, action string, detail map[string]any) error {
	now, w := s.Now(), put.Writer
	v.ID, v.Stack, v.Component, v.Run, v.By, v.CreatedAt = NewID("sv", now), stack, component, w.Run, w.By, now
	detail["version"] = v.ID
	e := newEvent(now, w.By, action, stack, component, detail)
	e = replacing(e, func(before *StateVersion) (was, is map[string]any) { return before.told(), v.told() })
	e.Run = w.Run
	put.Events = append([]Event{e}, put.Events...)
	return s.Store.PutState(ctx, put, v)
}

// PutErrored takes a state that Terraform could not write from the runner of a
// step that applies. It wraps ErrConflict where the state has moved on since.
func (s *States) PutErrored(ctx context.Context, run *Run, step *Step, data []byte) (*StateVersion, error) {
	v, err := parseErrored(data)
	if err != nil {
		return nil, err
	}
	held, err := s.lockOf(ctx, run.Stack, step.Component.Address, step.ID)
	if err != nil {
		return nil, err
	}
	put := holding(StateWriter{By: run.StartedBy, Run: run.ID, Step: step.ID, Attempt: step.Attempt}, held)
	return v, s.add(ctx, put, run.Stack, step.Component.Address, v, "state.errored", map[string]any{"serial": v.Serial})
}

// parseErrored reads a state that Terraform could not write. The first of a
// component has no lineage then: Terraform gives it one when it writes it.
func parseErrored(data []byte) (*StateVersion, error) {
	var f stateFile
	if json.Unmarshal(data, &f) != nil || f.Lineage != "" || f.Version != 4 {
		return parseState(data)
	}
	return renumbered(data, max(f.Serial, 1), newLineage())
}

// newLineage is a random UUID, version 4. Source: RFC 9562, section 5.4.
func newLineage() string {
	var b [16]byte
	rand.Read(b[:]) // which does not fail
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Recover makes the state that the newest interrupted or failed apply of the
// component could not write its newest version, and frees the lock which that
// apply left. It wraps ErrNotFound where there is no such state, and ErrConflict
// where the state has moved on since. With dryRun it only says what it would do.
func (s *States) Recover(ctx context.Context, p Principal, stack, component, reason string, dryRun bool) (*StateVersion, error) {
	step, err := s.Store.ErroredStep(ctx, stack, component)
	if err != nil {
		return nil, err
	}
	held, err := s.atRest(ctx, stack, component, step.ID)
	if err != nil {
		return nil, err
	}
	data, err := s.Store.Artifact(ctx, step.ID, ArtifactErrored)
	if err != nil {
		return nil, err
	}
	v, err := parseErrored(data)
	if err != nil {
		return nil, err
	}
	if err := s.mayFollow(ctx, v, step, stack, component); err != nil {
		return nil, err
	}
	v.Stack, v.Component, v.Run, v.By = stack, component, step.Run, p.User
	if dryRun {
		return v, nil
	}
	put := holding(StateWriter{By: p.User, Run: step.Run}, held)
	if held != nil {
		put.Free, put.Events = true, []Event{s.released(p.User, held)}
	}
	return v, s.add(ctx, put, stack, component, v, "state.recover", map[string]any{"serial": v.Serial, "reason": reason})
}

// mayFollow checks that a state that was not written in its time still comes
// after the newest.
func (s *States) mayFollow(ctx context.Context, v *StateVersion, step *Step, stack, component string) error {
	last, err := s.Store.LatestState(ctx, stack, component)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case last.Run == step.Run && last.Serial == v.Serial && last.Lineage == v.Lineage:
		return NotFound("the state that run %s could not write to %s/%s is recovered already, as version %s", step.Run, stack, component, last.ID)
	case last.Serial >= v.Serial || last.Lineage != v.Lineage:
		by := last.By
		if last.Run != "" {
			by = "run " + last.Run
		}
		return Conflict("%s/%s is at serial %d since %s, written by %s, and the state that run %s could not write has serial %d; compare them with: cloudops state pull %s",
			stack, component, last.Serial, last.CreatedAt.UTC().Format("2006-01-02 15:04:05 MST"), by, step.Run, v.Serial, last.ID)
	}
	return nil
}
