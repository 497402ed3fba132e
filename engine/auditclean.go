package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// dropBatch is how many events are removed at a time, unless their checkpoints
// are further apart.
const dropBatch = 10_000

// Clean removes the events that are kept no longer: from the first on up to a
// checkpoint, after looking whether they are whole, and never one of a stack
// under a legal hold or behind it, or that is yet to be sent on. A signed statement stays in their place.
func (a *Audit) Clean(ctx context.Context) (removed int64, err error) {
	if a.Keep == 0 {
		return 0, nil
	}
	old, err := a.Store.LastCheckpoint(ctx, a.Now().Add(-a.Keep))
	if err != nil {
		return 0, err
	}
	held, err := a.Store.FirstHeldEvent(ctx)
	if err != nil {
		return 0, err
	}
	to := old.Seq
	if held > 0 {
		to = min(to, held-1)
	}
	forwarders, err := a.Store.Forwarders(ctx)
	if err != nil {
		return 0, err
	}
	for _, f := range forwarders {
		if !f.Paused { // which has to get them first
			to = min(to, f.Seq)
		}
	}
	for {
		n, err := a.drop(ctx, to)
		removed += n
		if err != nil || n == 0 {
			return removed, err
		}
	}
}

// drop removes a batch of events, none behind to.
func (a *Audit) drop(ctx context.Context, to int64) (int64, error) {
	drops, err := a.Store.AuditDrops(ctx)
	if err != nil {
		return 0, err
	}
	d := AuditDrop{From: 1, Previous: ChainStart, At: a.Now()}
	if len(drops) > 0 {
		last := drops[len(drops)-1]
		d.From, d.Previous = last.To+1, last.Hash
	}
	checkpoints, err := a.Store.Checkpoints(ctx, d.From, to, dropBatch)
	if err != nil || len(checkpoints) == 0 {
		return 0, err
	}
	end := checkpoints[0]
	for _, c := range checkpoints {
		if c.Seq < d.From+dropBatch {
			end = c
		}
	}
	d.Installation, d.To, d.Hash = end.Installation, end.Seq, end.Hash
	if d.Digest, err = a.whole(ctx, d); err != nil {
		return 0, err
	}
	s, err := a.signer(ctx)
	if err != nil {
		return 0, err
	}
	d = s.Drop(d)
	e := newEvent(d.At, ActorEngine, "audit.drop", "", "audit log", map[string]any{"from": d.From, "to": d.To, "hash": d.Hash, "digest": d.Digest}).
		changing(map[string]any{"from": d.From, "to": d.To}, nil)
	return d.To - d.From + 1, a.Store.DropEvents(ctx, d, e)
}

// whole makes sure that what is to be removed is as it was written, and gives
// the digest of its hashes.
func (a *Audit) whole(ctx context.Context, d AuditDrop) (string, error) {
	v, sum := NewVerifier(), sha256.New()
	err := a.lines(ctx, d.To, func(line []byte) error {
		v.Line(line)
		if e, err := ParseRecord(line); err == nil && e.Seq > 0 {
			_, err = io.WriteString(sum, e.Hash+"\n")
			return err
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if r := v.Finish(); !r.Whole() {
		return "", Conflict("the audit log is not whole, so nothing of it is removed: %s", r.Breaches[0])
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
