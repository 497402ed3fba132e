package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Audit looks after the audit log: it signs checkpoints, gives the log away
// and removes what is kept no longer.
type Audit struct {
	Store AuditStore
	Keep  time.Duration // how long events are kept; 0 for ever
	Now   func() time.Time
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
	if err != nil || head.Seq == 0 {
		return Checkpoint{}, err
	}
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

// Export writes the whole log, a line each: the keys, what was removed in
// order, the events with the checkpoints behind them, and a checkpoint that was
// just signed at the end. Verifier reads it.
func (a *Audit) Export(ctx context.Context, w io.Writer) error {
	last, err := a.Checkpoint(ctx)
	if err != nil {
		return err
	}
	return a.lines(ctx, last.Seq, func(line []byte) error {
		_, err := w.Write(append(line, '\n'))
		return err
	})
}

// EventWriter writes events one after the other, in some format.
type EventWriter interface {
	Write(e *Event) error
	Close() error // writes what stands behind the last
}

// EventFormat is one in which events are given away.
type EventFormat struct {
	Type string // content type
	New  func(w io.Writer, installation string) EventWriter
}

// ExportAs writes the events that match, oldest first.
func (a *Audit) ExportAs(ctx context.Context, w io.Writer, format EventFormat, f EventFilter) error {
	head, err := a.Store.AuditHead(ctx)
	if err != nil {
		return err
	}
	out := format.New(w, head.Installation)
	for after := int64(0); after < head.Seq; {
		events, err := a.Store.EventsAfter(ctx, f, after, auditBatch)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := out.Write(e); err != nil {
				return err
			}
			after = e.Seq
		}
		if len(events) < auditBatch {
			break
		}
	}
	return out.Close()
}

// Verify looks through the log as the database has it.
func (a *Audit) Verify(ctx context.Context) (AuditReport, error) {
	last, err := a.Checkpoint(ctx)
	if err != nil {
		return AuditReport{}, err
	}
	v := NewVerifier()
	err = a.lines(ctx, last.Seq, func(line []byte) error { v.Line(line); return nil })
	return v.Finish(), err
}

// lines gives the lines of an export of the events up to one.
func (a *Audit) lines(ctx context.Context, to int64, take func([]byte) error) error {
	after, err := a.heads(ctx, take)
	if err != nil {
		return err
	}
	for after < to {
		events, err := a.Store.EventsAfter(ctx, EventFilter{}, after, auditBatch)
		if err != nil {
			return err
		}
		end := to // what is missing at the end shows by the checkpoint
		if len(events) > 0 {
			end = min(to, events[len(events)-1].Seq)
			if err := a.removedSince(ctx, after, events[0].Seq); err != nil {
				return err
			}
		}
		if err := a.batch(ctx, events, after+1, end, take); err != nil {
			return err
		}
		after = end
	}
	return nil
}

// removedSince refuses to go on where events were removed in order while the
// log was read: it would look as if somebody had taken them.
func (a *Audit) removedSince(ctx context.Context, after, first int64) error {
	if first == after+1 {
		return nil
	}
	drops, err := a.Store.AuditDrops(ctx)
	if err == nil && len(drops) > 0 && drops[len(drops)-1].To > after {
		err = Conflict("events up to %d were removed in the meantime, as they were old enough; read the log again", drops[len(drops)-1].To)
	}
	return err
}

// heads gives the lines that stand before all events, and the last event that
// was removed in order.
func (a *Audit) heads(ctx context.Context, take func([]byte) error) (after int64, err error) {
	keys, err := a.Store.AuditKeys(ctx)
	if err != nil {
		return 0, err
	}
	drops, err := a.Store.AuditDrops(ctx)
	if err != nil {
		return 0, err
	}
	var lines [][]byte
	for _, k := range keys {
		lines = append(lines, k.Line())
	}
	for _, d := range drops {
		lines, after = append(lines, d.Line()), d.To
	}
	for _, line := range lines {
		if err := take(line); err != nil {
			return 0, err
		}
	}
	return after, nil
}

// batch gives events, up to one, and the checkpoints behind each.
func (a *Audit) batch(ctx context.Context, events []*Event, from, to int64, take func([]byte) error) error {
	checkpoints, err := a.Store.Checkpoints(ctx, from, to, int(to-from)+1)
	if err != nil {
		return err
	}
	signed := func(before int64) error {
		for len(checkpoints) > 0 && checkpoints[0].Seq < before {
			if err := take(checkpoints[0].Line()); err != nil {
				return err
			}
			checkpoints = checkpoints[1:]
		}
		return nil
	}
	for _, e := range events {
		if e.Seq > to {
			break
		}
		if err := signed(e.Seq); err != nil {
			return err
		}
		if err := take(e.Record()); err != nil {
			return err
		}
	}
	return signed(to + 1)
}
