package workers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Outbox is where dispatches wait that were written beside their runs.
type Outbox interface {
	// Outbox lists dispatches that were not relayed yet, oldest first.
	Outbox(ctx context.Context, limit int) ([]engine.Dispatch, error)
	// Relayed removes them.
	Relayed(ctx context.Context, ids []int64) error
}

// Relay takes dispatches from the outbox to the queues. Several may run at a
// time: the same dispatch relayed twice has no further effect.
type Relay struct {
	Store Outbox
	Redis *Redis
	Bell  engine.Bell
	Log   *slog.Logger
}

const (
	relayBatch   = 100
	relayBackoff = 100 * time.Millisecond // after the first failure, doubled with each
	maxBackoff   = 5 * time.Second
)

// Run relays until ctx ends, whenever TopicOutbox rings. While Redis or the
// database is away, dispatches stay where they are and it tries again.
func (r *Relay) Run(ctx context.Context) error {
	rings, stop := r.Bell.Listen(engine.TopicOutbox)
	defer stop()
	queues, backoff := queuesOn(r.Redis, r.Bell), relayBackoff
	for {
		more, err := r.pass(ctx, queues)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			r.Log.WarnContext(ctx, "outbox not relayed; trying again", "after", backoff, "err", err)
			pause(ctx, backoff)
			backoff = min(2*backoff, maxBackoff)
			continue
		case more:
			continue
		}
		backoff = relayBackoff
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-rings:
		}
	}
}

// pass relays one batch and reports whether there may be more. What was handed
// over before a failure is removed all the same.
func (r *Relay) pass(ctx context.Context, q *queues) (more bool, err error) {
	dispatches, err := r.Store.Outbox(ctx, relayBatch)
	if err != nil {
		return false, fmt.Errorf("read outbox: %w", err)
	}
	var done []int64
	for _, d := range dispatches {
		if err = q.enqueue(ctx, d); err != nil {
			break
		}
		done = append(done, d.ID)
	}
	if len(done) > 0 {
		err = errors.Join(err, r.Store.Relayed(ctx, done))
	}
	return len(dispatches) == relayBatch, err
}
