package engine

import (
	"context"
	"errors"
	"io"
)

// Export writes the whole log, a line each: the keys, what was removed in
// order, the events with the checkpoints behind them, and a checkpoint that was
// just signed at the end. Verifier reads it.
func (a *Audit) Export(ctx context.Context, w io.Writer) error {
	end, err := a.end(ctx)
	if err != nil {
		return err
	}
	return a.lines(ctx, end, func(line []byte) error {
		_, err := w.Write(append(line, '\n'))
		return err
	})
}

// end is the last event that an export has: the one of a checkpoint of now or,
// where that is not signed, all that the chain should have.
func (a *Audit) end(ctx context.Context) (int64, error) {
	c, err := a.Checkpoint(ctx)
	if !errors.Is(err, ErrConflict) {
		return c.Seq, err
	}
	last, err := a.Store.LastCheckpoint(ctx, a.Now())
	if err != nil {
		return 0, err
	}
	head, err := a.Store.AuditHead(ctx)
	return max(last.Seq, head.Seq), err
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
	end, err := a.end(ctx)
	if err != nil {
		return AuditReport{}, err
	}
	v := NewVerifier()
	err = a.lines(ctx, end, func(line []byte) error { v.Line(line); return nil })
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
