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
	if err := s.atRest(ctx, old.Stack, old.Component, ""); err != nil {
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
	return v, s.add(ctx, StateWriter{By: p.User}, old.Stack, old.Component, v, "state.restore", detail)
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
// the step, and no run that changes the stack.
func (s *States) atRest(ctx context.Context, stack, component, step string) error {
	held, err := s.Store.StateLock(ctx, stack, component)
	if err == nil && (step == "" || held.Step != step) {
		return &LockedError{Lock: *held}
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	run, err := s.Store.ActiveRun(ctx, stack)
	if err == nil && run != "" {
		return Conflict("run %s changes stack %s; wait for its end, or cancel it", run, stack)
	}
	return err
}

// add puts a version where it belongs and notes who did so.
func (s *States) add(ctx context.Context, w StateWriter, stack, component string, v *StateVersion, action string, detail map[string]any) error {
	now := s.Now()
	v.ID, v.Stack, v.Component, v.Run, v.By, v.CreatedAt = NewID("sv", now), stack, component, w.Run, w.By, now
	if err := s.Store.PutState(ctx, v); err != nil {
		return err
	}
	detail["version"] = v.ID
	e := newEvent(now, w.By, action, stack, component, detail)
	e.Run = w.Run
	return s.Store.AddEvent(ctx, e)
}

// PutErrored takes a state that Terraform could not write from the runner of a
// step that applies. It wraps ErrConflict where the state has moved on since.
func (s *States) PutErrored(ctx context.Context, run *Run, step *Step, data []byte) (*StateVersion, error) {
	v, err := parseErrored(data)
	if err != nil {
		return nil, err
	}
	held, err := s.Store.StateLock(ctx, run.Stack, step.Component.Address)
	if err == nil && held.Step != step.ID {
		return nil, &LockedError{Lock: *held}
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	w := StateWriter{By: run.StartedBy, Run: run.ID, Step: step.ID}
	return v, s.add(ctx, w, run.Stack, step.Component.Address, v, "state.errored", map[string]any{"serial": v.Serial})
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
	if err := s.atRest(ctx, stack, component, step.ID); err != nil {
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
	w := StateWriter{By: p.User, Run: step.Run}
	if err := s.add(ctx, w, stack, component, v, "state.recover", map[string]any{"serial": v.Serial, "reason": reason}); err != nil {
		return nil, err
	}
	return v, s.release(ctx, p.User, stack, component, step.ID)
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

// release frees the lock that a step left, if it did.
func (s *States) release(ctx context.Context, actor, stack, component, step string) error {
	held, err := s.Store.StateLock(ctx, stack, component)
	if errors.Is(err, ErrNotFound) || err == nil && held.Step != step {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.Store.UnlockState(ctx, stack, component, held.ID); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return s.Store.AddEvent(ctx, newEvent(s.Now(), actor, "state.release-lock", stack, component, map[string]any{"holder": held.Holder, "lock": held.ID}))
}

// SweepLocks frees the locks that steps left which are over. That of an
// interrupted apply stays: a person looks first.
func (s *States) SweepLocks(ctx context.Context) error {
	locks, err := s.Store.OrphanedLocks(ctx, sweepBatch)
	if err != nil {
		return err
	}
	var errs []error
	for _, l := range locks {
		errs = append(errs, s.release(ctx, "engine", l.Stack, l.Component, l.Step))
	}
	return errors.Join(errs...)
}
