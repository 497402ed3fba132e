package engine

import (
	"errors"
	"fmt"
	"slices"
)

// The kinds of failure a caller can act on. An error that wraps one of them is
// worded for the person who asked; any other error is ours to log and fix.
var (
	ErrNotFound     = errors.New("not found")
	ErrInvalid      = errors.New("invalid")
	ErrConflict     = errors.New("conflict")
	ErrForbidden    = errors.New("forbidden")
	ErrUnauthorized = errors.New("not signed in")
)

// ErrHidden is an ErrNotFound of what may be there, and is kept from whoever
// asks: the answer does not tell, the audit log does.
var ErrHidden = fmt.Errorf("hidden: %w", ErrNotFound)

// ErrInterrupted is the reason of an apply whose tool was killed, so that
// nobody can tell from its end what it did.
var ErrInterrupted = errors.New("what it did last may stand in no state")

// kindError is a message for a person with the kind kept behind it.
type kindError struct {
	kind    error
	message string
}

func (e *kindError) Error() string { return e.message }

func (e *kindError) Unwrap() error { return e.kind }

// Refused reports whether err is of a kind: the same request would be refused
// again as long as things are as they are.
func Refused(err error) bool {
	return slices.ContainsFunc([]error{ErrNotFound, ErrInvalid, ErrConflict, ErrForbidden, ErrUnauthorized},
		func(kind error) bool { return errors.Is(err, kind) })
}

// Invalid returns an ErrInvalid that reads as the message alone.
func Invalid(format string, args ...any) error {
	return &kindError{ErrInvalid, fmt.Sprintf(format, args...)}
}

// Conflict returns an ErrConflict that reads as the message alone.
func Conflict(format string, args ...any) error {
	return &kindError{ErrConflict, fmt.Sprintf(format, args...)}
}

// NotFound returns an ErrNotFound that reads as the message alone.
func NotFound(format string, args ...any) error {
	return &kindError{ErrNotFound, fmt.Sprintf(format, args...)}
}

// Hidden returns an ErrHidden that reads as the message alone.
func Hidden(format string, args ...any) error {
	return &kindError{ErrHidden, fmt.Sprintf(format, args...)}
}

// Forbidden returns an ErrForbidden that reads as the message alone.
func Forbidden(format string, args ...any) error {
	return &kindError{ErrForbidden, fmt.Sprintf(format, args...)}
}

// Unauthorized returns an ErrUnauthorized that reads as the message alone.
func Unauthorized(format string, args ...any) error {
	return &kindError{ErrUnauthorized, fmt.Sprintf(format, args...)}
}

// TransitionError reports a move a state machine forbids.
type TransitionError struct {
	Thing    string // "run run-7", "step step-9"
	From, To string
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("%s is %s and cannot become %s", e.Thing, e.From, e.To)
}

// Is lets callers treat every forbidden move as a conflict.
func (e *TransitionError) Is(target error) bool { return target == ErrConflict }

// LockedError reports a lock that somebody else holds.
type LockedError struct{ Lock StateLock }

func (e *LockedError) Error() string {
	return fmt.Sprintf("%s/%s is locked by %s since %s", e.Lock.Stack, e.Lock.Component, e.Lock.Holder, e.Lock.Why())
}

// Why tells since when and why a state is locked and, of the lock of a run,
// how it is broken.
func (l *StateLock) Why() string {
	why := l.CreatedAt.UTC().Format("2006-01-02 15:04:05 MST") + ": " + l.Reason
	if l.Step == "" {
		return why
	}
	return why + fmt.Sprintf("; once nothing of it runs any more: cloudops state unlock %s %s --reason '...'", l.Stack, l.Component)
}

// Is lets callers treat a lock as a conflict.
func (e *LockedError) Is(target error) bool { return target == ErrConflict }
