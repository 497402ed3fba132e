package workers

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Sweeper puts right what time has done and returns the steps that have waited
// so long that they are to be handed over again.
type Sweeper interface {
	Sweep(ctx context.Context) ([]engine.Dispatch, error)
}

// Sweep makes good what Redis, a worker or a process has lost. One process is
// enough; several do no harm.
type Sweep struct {
	Sweeper Sweeper
	Redis   *Redis
	Bell    engine.Bell
	Log     *slog.Logger
}

// sweepEvery is how long anything that was lost stays lost.
const sweepEvery = 5 * time.Second

// Run sweeps at once and then every five seconds, until ctx ends.
func (s *Sweep) Run(ctx context.Context) error {
	queues := queuesOn(s.Redis, s.Bell)
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := s.pass(ctx, queues); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "sweep not finished; the next one goes on", "err", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

func (s *Sweep) pass(ctx context.Context, q *queues) error {
	// A process may have ended between writing to the outbox and ringing.
	s.Bell.Ring(engine.TopicOutbox)
	dispatches, err := s.Sweeper.Sweep(ctx)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	for _, d := range dispatches {
		if err := q.enqueueAgain(ctx, d); err != nil {
			return err
		}
	}
	return nil
}
