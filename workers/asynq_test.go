package workers

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/hibiken/asynq"
)

// Asynq gives up a task whose lease it could not renew, and sends the next one
// while the handler goes on.
func TestServerCountsStepsThatAsynqHasGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started, finish := make(chan string, 2), make(chan struct{})
		d := &desk{ctx: t.Context(), slots: make(chan struct{}, 1), log: quiet(), handler: handler(func(_ context.Context, step string) error {
			started <- step
			<-finish
			return nil
		})}
		deliver := func(step string) {
			_ = d.ProcessTask(t.Context(), asynq.NewTask(TypeStep, []byte(`{"step":"`+step+`"}`)))
		}
		go deliver("first")
		synctest.Wait()
		go deliver("second")
		synctest.Wait()
		if len(started) != 1 {
			t.Errorf("%d steps are handled at a time, want 1", len(started))
		}
		close(finish)
		synctest.Wait()
		if len(started) != 2 {
			t.Errorf("%d steps were handled, want 2", len(started))
		}
	})
}

// A task made by something else is dropped, and others are handled.
func TestServerDropsATaskItCannotRead(t *testing.T) {
	d := &desk{ctx: t.Context(), slots: make(chan struct{}, 1), log: quiet(), handler: handler(func(context.Context, string) error {
		t.Error("handled")
		return nil
	})}
	if err := d.ProcessTask(t.Context(), asynq.NewTask(TypeStep, []byte("{"))); err != nil {
		t.Error(err)
	}
}

// asynq ends a handler's context on a timeout, on shutdown, and after half a
// minute without Redis; a step must not hear of it.
func TestServerKeepsWhatAsynqSaysFromSteps(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	payload, err := json.Marshal(stepPayload{Step: "step-1"})
	if err != nil {
		t.Fatal(err)
	}
	handled := false
	d := &desk{ctx: t.Context(), slots: make(chan struct{}, 1), log: slog.New(slog.DiscardHandler), handler: handler(func(ctx context.Context, step string) error {
		handled = true
		return ctx.Err()
	})}

	err = d.ProcessTask(ended, asynq.NewTask(TypeStep, payload))

	if err != nil || !handled {
		t.Errorf("handled %v, error = %v: the context of asynq reached the step", handled, err)
	}
}
