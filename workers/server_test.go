package workers

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// put hands a step over, as the relay does.
func put(t testing.TB, r *Redis, b *Bell, d engine.Dispatch) {
	t.Helper()
	if err := queuesOn(r, b).enqueue(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func TestServerServesTheQueuesItIsGiven(t *testing.T) {
	eachRedis(t, func(t *testing.T, r *Redis) {
		b := bellOn(t, r)
		steps := make(chan string, 10)
		put(t, r, b, engine.Dispatch{Step: "other", Attempt: 1, Queue: "gcp-run"})
		put(t, r, b, engine.Dispatch{Step: "mine", Attempt: 1, Queue: "local-drift"})

		serving(t, r, b, Options{Clouds: []engine.Cloud{engine.CloudLocal}}, func(_ context.Context, step string) error {
			steps <- step
			return nil
		})

		if got := within(t, "a step", steps); got != "mine" {
			t.Errorf("handled %s", got)
		}
		put(t, r, b, engine.Dispatch{Step: "next", Attempt: 1, Queue: "local-run"})
		if got := within(t, "a step", steps); got != "next" {
			t.Errorf("handled %s", got)
		}
		if got := waiting(t, queuesOn(r, b), "gcp-run"); got != 1 {
			t.Errorf("%d tasks wait in a queue that is not served", got)
		}
	})
}

// However a handler ends, its task is gone and the next step is handled.
func TestServerGoesOnAfterAHandlerThat(t *testing.T) {
	tests := map[string]handler{
		"did its work":                  func(context.Context, string) error { return nil },
		"came too late":                 func(context.Context, string) error { return engine.ErrConflict },
		"found no such step":            func(context.Context, string) error { return engine.ErrNotFound },
		"could not reach the database":  func(context.Context, string) error { return errors.New("database is away") },
		"panicked":                      func(context.Context, string) error { panic("oh no") },
		"panicked with a runtime error": func(context.Context, string) error { var m map[string]int; m["x"] = 1; return nil },
	}
	for name, first := range tests {
		t.Run(name, func(t *testing.T) {
			r := open(t, "embedded")
			b := bellOn(t, r)
			next := make(chan string, 1)
			serving(t, r, b, Options{Concurrency: 1}, func(ctx context.Context, step string) error {
				if step == "first" {
					return first(ctx, step)
				}
				next <- step
				return nil
			})

			put(t, r, b, dispatch("first"))
			put(t, r, b, dispatch("second"))

			within(t, "the second step", next)
			if _, err := queuesOn(r, b).inspector.GetTaskInfo("aws-run", "first:1"); err == nil {
				t.Error("the first task is still there")
			}
		})
	}
}

func TestServerHandlesAsManyAtATimeAsItIsTold(t *testing.T) {
	tests := map[string]struct {
		queue string
		want  int32
	}{
		"steps of runs": {queue: "aws-run", want: 3},
		"drift checks":  {queue: "aws-drift", want: 2},
	}
	eachRedis(t, func(t *testing.T, r *Redis) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				var now, most atomic.Int32
				started, finish := make(chan struct{}, 20), make(chan struct{})
				b := bellOn(t, r)
				serving(t, r, b, Options{Concurrency: 3, DriftConcurrency: 2}, func(context.Context, string) error {
					most.Store(max(most.Load(), now.Add(1)))
					defer now.Add(-1)
					started <- struct{}{}
					<-finish
					return nil
				})
				for i := range 10 {
					put(t, r, b, engine.Dispatch{Step: fmt.Sprintf("%s-%d", tt.queue, i), Attempt: 1, Queue: tt.queue})
				}
				for range tt.want {
					within(t, "a step", started)
				}
				close(finish)
				for range 10 - int(tt.want) {
					within(t, "a step", started)
				}
				if got := most.Load(); got != tt.want {
					t.Errorf("%d at a time, want %d", got, tt.want)
				}
			})
		}
	})
}

// A queue whose steps take long does not hold up another.
func TestServerKeepsQueuesApart(t *testing.T) {
	r := open(t, "embedded")
	b := bellOn(t, r)
	steps, finish := make(chan string, 10), make(chan struct{})
	defer close(finish)
	serving(t, r, b, Options{Concurrency: 1}, func(_ context.Context, step string) error {
		steps <- step
		if step == "slow" {
			<-finish
		}
		return nil
	})
	put(t, r, b, engine.Dispatch{Step: "slow", Attempt: 1, Queue: "aws-run"})
	within(t, "the slow step", steps)

	put(t, r, b, engine.Dispatch{Step: "quick", Attempt: 1, Queue: "gcp-run"})

	if got := within(t, "the quick step", steps); got != "quick" {
		t.Errorf("handled %s", got)
	}
}

func TestServerIsShutDownAtOnceWhileIdle(t *testing.T) {
	eachRedis(t, func(t *testing.T, r *Redis) {
		s := NewServer(r, bellOn(t, r), Options{}, handler(nil))
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		shutdown(t, s)
		if took := time.Since(before); took > 2*time.Second {
			t.Errorf("it took %s", took)
		}
		shutdown(t, s) // a second time does no harm
	})
}

// Handlers are told to leave their runners; their steps are not lost.
func TestServerLeavesStepsInHandToTheirRunners(t *testing.T) {
	eachRedis(t, func(t *testing.T, r *Redis) {
		b := bellOn(t, r)
		started, cause := make(chan struct{}), make(chan error, 1)
		s := serving(t, r, b, Options{}, func(ctx context.Context, _ string) error {
			close(started)
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return ctx.Err()
		})
		put(t, r, b, dispatch("step-1"))
		within(t, "the step", started)

		before := time.Now()
		shutdown(t, s)

		if err := within(t, "the end of the handler", cause); !errors.Is(err, ErrStopping) {
			t.Errorf("it ended because of %v", err)
		}
		if took := time.Since(before); took > 2*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestServerDrainsWhenGivenTime(t *testing.T) {
	r := open(t, "embedded")
	b := bellOn(t, r)
	started, finish, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	s := serving(t, r, b, Options{Concurrency: 1}, func(ctx context.Context, step string) error {
		if step == "late" {
			t.Error("a step was taken after the end had begun")
			return nil
		}
		close(started)
		<-finish
		ended <- ctx.Err()
		return nil
	})
	put(t, r, b, dispatch("step-1"))
	within(t, "the step", started)
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	put(t, r, b, dispatch("late"))

	close(finish)

	if err := within(t, "the end of the handler", ended); err != nil {
		t.Errorf("it was told to end: %v", err)
	}
	if err := within(t, "the end of the server", down); err != nil {
		t.Error(err)
	}
	if got := waiting(t, queuesOn(r, b), "aws-run"); got != 1 {
		t.Errorf("%d tasks wait, want the late one", got)
	}
}

// A handler that does not end has its task put back by asynq, retries or no
// retries. The second delivery meets the claim of the first.
func TestServerSecondDeliveryMeetsTheClaim(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for asynq to lose its patience")
	}
	r := open(t, "embedded")
	db, b := &database{}, bellOn(t, r)
	db.want(dispatch("step-1"), false)
	started, finish := make(chan struct{}), make(chan struct{})
	defer close(finish)
	first := serving(t, r, b, Options{}, func(_ context.Context, step string) error {
		err := db.claim(step)
		close(started)
		<-finish // whatever its context says
		return err
	})
	put(t, r, b, dispatch("step-1"))
	within(t, "the first delivery", started)
	shutdown(t, first)

	met := make(chan error, 1)
	serving(t, r, b, Options{}, func(_ context.Context, step string) error {
		err := db.claim(step)
		met <- err
		return err
	})

	if err := within(t, "the second delivery", met); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("the second delivery got %v", err)
	}
	if db.claimed["step-1"] != 1 {
		t.Errorf("claimed %d times", db.claimed["step-1"])
	}
}
