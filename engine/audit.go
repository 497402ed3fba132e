package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Audit looks after the audit log: it signs checkpoints, gives the log away
// and removes what is kept no longer.
type Audit struct {
	Store AuditStore
	Keep  time.Duration // how long events are kept; 0 for ever
	Now   func() time.Time

	mu     sync.Mutex
	signed Checkpoint // the last that this process has looked at, which the database has to bear out
}

// A checkpoint is signed once there are so many new events, or any at all and
// the last one is that old.
const (
	checkpointEvents = 1000
	checkpointAge    = time.Hour
)

// auditBatch is how many events are read at a time.
const auditBatch = 500

// Start makes the log ready: what an older version wrote is put into the chain
// before anything else is, and the first key is made.
func (a *Audit) Start(ctx context.Context) error {
	if err := a.chain(ctx); err != nil {
		return err
	}
	_, err := a.signer(ctx)
	return err
}

// chain puts what an older version wrote into the chain, in batches that can be
// gone on with.
func (a *Audit) chain(ctx context.Context) error {
	for n := auditBatch; n == auditBatch; {
		var err error
		if n, err = a.Store.ChainEvents(ctx, auditBatch); err != nil {
			return fmt.Errorf("put events into the audit log: %w", err)
		}
	}
	return nil
}

// signer gives the key in use, and makes the first.
func (a *Audit) signer(ctx context.Context) (*AuditSigner, error) {
	s, err := a.Store.AuditSigner(ctx)
	if !errors.Is(err, ErrNotFound) {
		return s, err
	}
	err = a.addKey(ctx, NewAuditSigner(nil, a.Now()), "first start")
	if err != nil && !errors.Is(err, ErrConflict) { // another process was first
		return nil, err
	}
	return a.Store.AuditSigner(ctx)
}

func (a *Audit) addKey(ctx context.Context, s *AuditSigner, actor string) error {
	e := newEvent(s.At, actor, "audit.key", "", s.ID, map[string]any{"public": encode64(s.Public)}).
		changing(map[string]any{"key": s.By}, map[string]any{"key": s.ID})
	return a.Store.AddAuditKey(ctx, s, e)
}

// RotateKey makes a key that signs from now on. The one before vouches for it
// and signs nothing more.
func (a *Audit) RotateKey(ctx context.Context, p Principal) (AuditKey, error) {
	before, err := a.signer(ctx)
	if err != nil {
		return AuditKey{}, err
	}
	next := NewAuditSigner(before, a.Now())
	return next.AuditKey, a.addKey(ctx, next, p.User)
}

// Tend does what has to be done every so often: it takes in what older versions
// still write, signs a checkpoint where one is due, and removes what is kept no
// longer.
func (a *Audit) Tend(ctx context.Context) error {
	if err := a.chain(ctx); err != nil {
		return err
	}
	last, err := a.Store.LastCheckpoint(ctx, a.Now())
	if err != nil {
		return err
	}
	head, err := a.Store.AuditHead(ctx)
	if err != nil {
		return err
	}
	if n := head.Seq - last.Seq; n >= checkpointEvents || n > 0 && a.Now().Sub(last.At) >= checkpointAge {
		if _, err := a.Checkpoint(ctx); err != nil {
			return err
		}
	}
	_, err = a.Clean(ctx)
	return err
}

// Checkpoint signs what the chain has now, unless that is signed already. It
// gives the zero Checkpoint while there are no events.
func (a *Audit) Checkpoint(ctx context.Context) (Checkpoint, error) {
	head, err := a.Store.AuditHead(ctx)
	if err != nil || head.Seq == 0 && a.lastSigned().Seq == 0 {
		return Checkpoint{}, err
	}
	if err := a.follows(ctx, head); err != nil {
		return Checkpoint{}, err
	}
	c, err := a.sign(ctx, head)
	if err != nil {
		return Checkpoint{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.Seq > a.signed.Seq {
		a.signed = c
	}
	return c, nil
}

// sign gives the checkpoint of an end of the chain, and makes it where there is none.
func (a *Audit) sign(ctx context.Context, head AuditHead) (Checkpoint, error) {
	made, err := a.Store.Checkpoints(ctx, head.Seq, head.Seq, 1)
	if err != nil {
		return Checkpoint{}, err
	}
	if len(made) > 0 {
		return made[0], nil
	}
	s, err := a.signer(ctx)
	if err != nil {
		return Checkpoint{}, err
	}
	c := s.Checkpoint(Checkpoint{Installation: head.Installation, Seq: head.Seq, Hash: head.Hash, At: a.Now()})
	return c, a.Store.AddCheckpoint(ctx, c)
}

func (a *Audit) lastSigned() Checkpoint {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.signed
}

// follows makes sure that the end of the chain follows from the last checkpoint:
// nothing is signed that was not written in order.
func (a *Audit) follows(ctx context.Context, head AuditHead) error {
	seq, hash, err := a.sure(ctx)
	if err != nil {
		return err
	}
	if seq > head.Seq {
		return notWhole(head.Seq + 1)
	}
	for seq < head.Seq {
		events, err := a.Store.EventsAfter(ctx, EventFilter{}, seq, auditBatch)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Seq > head.Seq {
				break
			}
			if e.Seq != seq+1 || e.Link(seq+1, hash).Hash != e.Hash {
				return notWhole(e.Seq)
			}
			seq, hash = e.Seq, e.Hash
		}
		if len(events) == 0 {
			return notWhole(seq + 1)
		}
	}
	if hash != head.Hash {
		return notWhole(seq)
	}
	return nil
}

// sure is an event that is known to be part of the chain. It is the last that this
// process has seen signed, unless that was removed in order since: who writes into the
// database cannot have it sign another history by taking checkpoints away.
func (a *Audit) sure(ctx context.Context) (seq int64, hash string, err error) {
	if seq, hash, err = a.beginning(ctx); err != nil {
		return 0, "", err
	}
	if s := a.lastSigned(); s.Seq > seq {
		return s.Seq, s.Hash, nil
	}
	last, err := a.Store.LastCheckpoint(ctx, a.Now().AddDate(1, 0, 0)) // also where a clock was put back
	if last.Seq > seq {
		seq, hash = last.Seq, last.Hash
	}
	return seq, hash, err
}

func notWhole(seq int64) error {
	return Conflict("the audit log is not whole at event %d, so it is not signed; look at it with: cloudops audit verify", seq)
}

// beginning is what the first event stands behind.
func (a *Audit) beginning(ctx context.Context) (seq int64, hash string, err error) {
	drops, err := a.Store.AuditDrops(ctx)
	if err != nil || len(drops) == 0 {
		return 0, ChainStart, err
	}
	last := drops[len(drops)-1]
	return last.To, last.Hash, nil
}
