package engine

import (
	"context"
	"encoding/json"
	"errors"
)

// Lock takes the lock that info describes. It returns a *LockedError where
// somebody else holds it.
func (s *States) Lock(ctx context.Context, w StateWriter, stack, component string, info []byte) error {
	var l struct{ ID, Operation, Who string }
	if err := json.Unmarshal(info, &l); err != nil || l.ID == "" {
		return Invalid("a state lock is a JSON object with an ID, as Terraform sends it")
	}
	if _, err := s.Store.Stack(ctx, stack); err != nil {
		return err
	}
	holder := w.By
	if w.Run != "" {
		holder = holderOf(w.Run)
	}
	lock := &StateLock{
		ID: l.ID, Stack: stack, Component: component, Holder: holder, Step: w.Step,
		Reason: l.Operation, CreatedAt: s.Now(), Info: info,
	}
	e := newEvent(s.Now(), w.By, "state.lock", stack, component, nil).changing(nil, lock.told())
	e.Run = w.Run
	return s.Store.LockState(ctx, w, lock, e)
}

// holderOf names a run as the holder of a lock.
func holderOf(run string) string { return "run " + run }

// Unlock frees the lock with the identifier. Terraform's force-unlock sends
// none, and then a person's lock is broken, whoever holds it. That of a run
// needs a reason, see Break. A step frees its own.
func (s *States) Unlock(ctx context.Context, w StateWriter, stack, component, id string) error {
	if w.Step != "" {
		return s.giveBack(ctx, w, stack, component, id)
	}
	held, err := s.Store.StateLock(ctx, stack, component)
	if err != nil {
		return err
	}
	action, detail, err := held.unlockedBy(w.By, id)
	if err != nil {
		return err
	}
	return s.Store.UnlockState(ctx, w, stack, component, held.ID, newEvent(s.Now(), w.By, action, stack, component, detail).changing(held.told(), nil))
}

// giveBack frees the lock of a step. Terraform asks again where the answer was
// lost, and fails what it has applied when it is refused: so a lock that the
// step no longer has is as good as given back.
func (s *States) giveBack(ctx context.Context, w StateWriter, stack, component, id string) error {
	if id == "" {
		return Forbidden("a run frees only the lock that it holds")
	}
	e := newEvent(s.Now(), w.By, "state.unlock", stack, component, nil).changing(map[string]any{"lock": id}, nil)
	e.Run = w.Run
	err := s.Store.UnlockState(ctx, w, stack, component, id, e)
	var held *LockedError
	if errors.Is(err, ErrNotFound) || errors.As(err, &held) && held.Lock.Step != w.Step {
		return nil
	}
	return err
}

// forced is the reason of who breaks a lock with Terraform, which has no place
// for another.
const forced = "terraform force-unlock"

// unlockedBy decides whether a person may free the lock with Terraform, and
// what the audit log says of it.
func (l *StateLock) unlockedBy(user, id string) (action string, detail map[string]any, err error) {
	detail = map[string]any{"holder": l.Holder, "lock": l.ID}
	switch {
	case l.Step != "" || id != "" && id != l.ID:
		return "", nil, &LockedError{Lock: *l}
	case id == "" || l.Holder != user:
		detail["reason"] = forced
		return "state.break-lock", detail, nil
	}
	return "state.unlock", detail, nil
}

// Break frees a state that somebody else has locked, and notes who did so and why.
func (s *States) Break(ctx context.Context, p Principal, stack, component, reason string) error {
	held, err := s.Store.StateLock(ctx, stack, component)
	if err != nil {
		return err
	}
	detail := map[string]any{"holder": held.Holder, "lock": held.ID, "reason": reason}
	e := newEvent(s.Now(), p.User, "state.break-lock", stack, component, detail).changing(held.told(), nil)
	return s.Store.UnlockState(ctx, StateWriter{By: p.User}, stack, component, held.ID, e)
}

// released notes that a lock which a step left was freed.
func (s *States) released(actor string, l *StateLock) Event {
	return newEvent(s.Now(), actor, "state.release-lock", l.Stack, l.Component, map[string]any{"holder": l.Holder, "lock": l.ID}).changing(l.told(), nil)
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
		err := s.Store.UnlockState(ctx, StateWriter{}, l.Stack, l.Component, l.ID, s.released(ActorEngine, l))
		if !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrConflict) { // it was freed, or taken over, meanwhile
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// lockOfPlay keeps the component of a play that was interrupted, which has no
// state that Terraform would have locked. It may still run where it was begun.
func (r *Run) lockOfPlay(s *Step) StateLock {
	return StateLock{
		ID: s.ID, Stack: r.Stack, Component: s.Component.Address, Holder: holderOf(r.ID), Step: s.ID, CreatedAt: s.EndedAt,
		Reason: "its play was interrupted and may still run: look at the run and its hosts, then break the lock",
	}
}

// open checks that no apply which was interrupted keeps the component from a
// run that changes it. For other locks Terraform waits.
func (s *Runs) open(ctx context.Context, run *Run, step *Step) error {
	if !run.Kind.Changing() {
		return nil
	}
	held, err := s.Store.StateLock(ctx, run.Stack, step.Component.Address)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case held.Interrupted && held.Step != step.ID:
		return Invalid("%v", &LockedError{Lock: *held})
	}
	return nil
}
