package workers

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cloudops-manager/cloudops/engine"
)

// spy reports the queues that are looked into.
type spy struct {
	doorbell
	looks chan string
}

func (s spy) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if key := dequeues(cmd); key != "" {
			select {
			case s.looks <- key:
			default:
			}
		}
		return next(ctx, cmd)
	}
}

// The doorbell rests on how asynq asks for a task. Should that change with a
// new version, it would poll without pause, and this test fails.
func TestDoorbellKnowsHowAsynqAsks(t *testing.T) {
	eachRedis(t, func(t *testing.T, r *Redis) {
		looks := make(chan string, 1)
		plain := r.open
		r.open = func() redis.UniversalClient {
			client := plain()
			client.AddHook(spy{looks: looks})
			return client
		}
		serving(t, r, &Bell{}, Options{Clouds: []engine.Cloud{engine.CloudAWS}, Classes: []string{"run"}}, nil)

		if got := within(t, "a look into the queue", looks); got != pendingKey("aws-run") {
			t.Errorf("looked into %s", got)
		}
	})
}

func TestDoorbellHoldsBackTheAnswer(t *testing.T) {
	reply := func(err error) func(chan struct{}) error { return func(chan struct{}) error { return err } }
	refused := errors.New("connection refused")
	tests := map[string]struct {
		before func(rings chan struct{}, stop func()) // asynq asks
		answer func(rings chan struct{}) error        // Redis gives
		after  func(rings chan struct{}, stop func()) // a second later
		want   error
		took   time.Duration
	}{
		"not when there is a task": {
			answer: reply(nil), want: nil,
		},
		"until the bell rings": {
			answer: reply(redis.Nil), after: func(rings chan struct{}, _ func()) { wake(rings) },
			want: redis.Nil, took: time.Second,
		},
		"not past a ring that comes while Redis answers": {
			answer: func(rings chan struct{}) error { wake(rings); return redis.Nil },
			want:   redis.Nil,
		},
		"past a ring from before, whose task Redis had to see": {
			before: func(rings chan struct{}, _ func()) { wake(rings) },
			answer: reply(redis.Nil), want: redis.Nil, took: lookAnyway,
		},
		"no longer than lookAnyway without a ring": {
			answer: reply(redis.Nil), want: redis.Nil, took: lookAnyway,
		},
		"not past the end of the server": {
			answer: reply(redis.Nil), after: func(_ chan struct{}, stop func()) { stop() },
			want: redis.Nil, took: time.Second,
		},
		"not, nor asks Redis, after the end of the server": {
			before: func(_ chan struct{}, stop func()) { stop() },
			answer: reply(nil), want: redis.Nil,
		},
		"a second when Redis is away, whatever rings": {
			answer: reply(refused), before: func(rings chan struct{}, _ func()) { wake(rings) },
			want: refused, took: afterTrouble,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rings, stopping := make(chan struct{}, 1), make(chan struct{})
				stop := func() { close(stopping) }
				bells := doorbell{rings: map[string]<-chan struct{}{pendingKey("aws-run"): rings}, stopping: stopping}
				ask := bells.ProcessHook(func(context.Context, redis.Cmder) error { return tt.answer(rings) })
				if tt.before != nil {
					tt.before(rings, stop)
				}
				if tt.after != nil {
					time.AfterFunc(time.Second, func() { tt.after(rings, stop) })
				}
				start := time.Now()

				err := ask(t.Context(), dequeueCmd("aws-run"))

				if !errors.Is(err, tt.want) {
					t.Errorf("answer = %v, want %v", err, tt.want)
				}
				if took := time.Since(start); took != tt.took {
					t.Errorf("it took %s, want %s", took, tt.took)
				}
			})
		})
	}
}

func TestDoorbellLetsOtherCommandsPass(t *testing.T) {
	tests := map[string]redis.Cmder{
		"of a queue it does not know": dequeueCmd("gcp-run"),
		"another script":              redis.NewCmd(t.Context(), "evalsha", "sha", 2, pendingKey("aws-run"), "asynq:{aws-run}:archived", "x"),
		"a plain command":             redis.NewCmd(t.Context(), "llen", pendingKey("aws-run")),
		"a command without arguments": redis.NewCmd(t.Context(), "ping"),
	}
	for name, cmd := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bells := doorbell{rings: map[string]<-chan struct{}{pendingKey("aws-run"): nil}}
				start := time.Now()
				err := bells.ProcessHook(func(context.Context, redis.Cmder) error { return redis.Nil })(t.Context(), cmd)
				if took := time.Since(start); !errors.Is(err, redis.Nil) || took != 0 {
					t.Errorf("answer = %v after %s", err, took)
				}
			})
		})
	}
}

// dequeueCmd is what asynq sends to take a task from the queue.
func dequeueCmd(queue string) redis.Cmder {
	prefix := "asynq:{" + queue + "}:"
	return redis.NewCmd(context.Background(), "evalsha", "sha", 4,
		prefix+"pending", prefix+"paused", prefix+"active", prefix+"lease", 1, prefix+"t:")
}
