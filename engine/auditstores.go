package engine

import (
	"context"
	"time"
)

// EventFilter narrows a list of events. Empty fields match everything.
type EventFilter struct {
	Actor, Stack, Run, Subject, Address, Request string
	Action                                       string    // whole, or the part before a dot: "run" or "run.approve"
	Project                                      string    // of its stacks, and of itself
	From, To                                     time.Time // from, and before
	Within                                       *Within   // of these projects and stacks only; nil for everything
	Text                                         string    // somewhere in the detail, or in what was changed; any case
}

// EventStore reads the audit log.
type EventStore interface {
	// Events lists newest first; a cursor is an event's ID.
	Events(ctx context.Context, f EventFilter, p Page) ([]*Event, error)
	// AddEvent writes an event that comes with no change.
	AddEvent(ctx context.Context, e Event) error
}

// AuditHead is the end of the chain of events.
type AuditHead struct {
	Installation string // random identifier of the database
	Seq          int64  // of the last event; 0 for none
	Hash         string
}

// AuditStore keeps the audit log: a chain of events, and what is signed of it.
type AuditStore interface {
	EventStore
	ForwarderStore
	AuditHead(ctx context.Context) (AuditHead, error)
	// ChainEvents puts events that an older version wrote behind the end of the
	// chain, the oldest first, and gives how many it were.
	ChainEvents(ctx context.Context, limit int) (int, error)
	// EventsAfter lists the chain in its order, as far as it matches.
	EventsAfter(ctx context.Context, f EventFilter, seq int64, limit int) ([]*Event, error)
	// AuditKeys lists all keys, the first first.
	AuditKeys(ctx context.Context) ([]AuditKey, error)
	// AuditSigner gives the key in use. It wraps ErrNotFound where there is none yet.
	AuditSigner(ctx context.Context) (*AuditSigner, error)
	// AddAuditKey puts a key in the place of the one that vouches for it, whose
	// private half is forgotten. It wraps ErrConflict where another is in use.
	AddAuditKey(ctx context.Context, s *AuditSigner, e Event) error
	// AddCheckpoint keeps c, unless there is one of that event.
	AddCheckpoint(ctx context.Context, c Checkpoint) error
	// Checkpoints lists those of the events from and to, and between, in order.
	Checkpoints(ctx context.Context, from, to int64, limit int) ([]Checkpoint, error)
	// LastCheckpoint gives the last one made until then; the zero one for none.
	LastCheckpoint(ctx context.Context, until time.Time) (Checkpoint, error)
	// AuditDrops lists what was removed in order, the first first.
	AuditDrops(ctx context.Context) ([]AuditDrop, error)
	// FirstHeldEvent gives the first event of a stack under a legal hold; 0 for none.
	FirstHeldEvent(ctx context.Context) (int64, error)
	// DropEvents removes the events that d tells of, and their checkpoints, with
	// d in their place. It wraps ErrConflict where one is under a legal hold.
	DropEvents(ctx context.Context, d AuditDrop, e Event) error
}
