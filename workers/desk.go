package workers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/cloudops-manager/cloudops/engine"
)

// desk is where the tasks of one queue are handled. It implements
// asynq.Handler, but takes from asynq the task alone: neither its context,
// which ends after 30 s without Redis, nor its count of tasks in hand, which
// leaves out those that it has given up, nor its verdict on errors.
type desk struct {
	ctx     context.Context // of the handlers
	server  *asynq.Server
	slots   chan struct{} // one for each step in hand
	log     *slog.Logger
	handler StepHandler
}

func newDesk(ctx context.Context, client redis.UniversalClient, config asynq.Config, queue string, log *slog.Logger, h StepHandler) *desk {
	return &desk{
		ctx:     ctx,
		server:  asynq.NewServerFromRedisClient(client, config),
		slots:   make(chan struct{}, config.Concurrency),
		log:     log.With("queue", queue),
		handler: h,
	}
}

// ProcessTask implements asynq.Handler. It returns no error: how the step
// ended stands in the database, and a task that ends without one leaves
// nothing behind. A step that nobody claimed is handed over by the next sweep.
func (d *desk) ProcessTask(_ context.Context, t *asynq.Task) error {
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-d.ctx.Done():
		return nil
	}
	var p stepPayload
	if err := json.Unmarshal(t.Payload(), &p); err != nil {
		d.log.Error("task dropped", "payload", string(t.Payload()), "err", err)
		return nil
	}
	d.note(p.Step, d.handle(p.Step))
	return nil
}

// handle turns a panic into an error, so that other steps are not harmed.
func (d *desk) handle(step string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return d.handler.HandleStep(d.ctx, step)
}

func (d *desk) note(step string, err error) {
	switch {
	case err == nil:
	case errors.Is(err, engine.ErrConflict), errors.Is(err, engine.ErrNotFound):
		d.log.Debug("step has moved on", "step", step, "err", err)
	case d.ctx.Err() != nil:
		d.log.Debug("step left to its runner", "step", step, "err", err)
	default:
		d.log.Error("step not handled; the sweep will look after it", "step", step, "err", err)
	}
}

// drain waits until no step is in hand, or until ctx ends. From then on none
// is taken in hand.
func (d *desk) drain(ctx context.Context) {
	for range cap(d.slots) {
		select {
		case d.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
}
