package workers

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// patience is how long a test waits for what must come. It is never waited
// for in full unless the test fails.
const patience = 20 * time.Second

// eachRedis runs the test on the Redis inside the process and on a real one.
func eachRedis(t *testing.T, test func(t *testing.T, r *Redis)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, open(t, "embedded")) })
	t.Run("redis-server", func(t *testing.T) { test(t, open(t, enginetest.Redis(t))) })
}

func open(t testing.TB, url string) *Redis {
	t.Helper()
	r, err := OpenRedis(t.Context(), url, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func bellOn(t testing.TB, r *Redis) *Bell {
	t.Helper()
	b := NewBell(r, quiet())
	t.Cleanup(b.Close)
	return b
}

// quiet returns a log that goes nowhere.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// within waits for something to arrive.
func within[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not come within %s", what, patience)
		panic("unreachable")
	}
}

// handler is a StepHandler from a function.
type handler func(ctx context.Context, step string) error

func (h handler) HandleStep(ctx context.Context, step string) error { return h(ctx, step) }

// serving starts a server of all queues that is shut down with the test.
func serving(t testing.TB, r *Redis, b *Bell, o Options, h handler) *Server {
	t.Helper()
	s := NewServer(r, b, o, h)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(t, s) })
	return s
}

// shutdown stops a server without waiting for its handlers.
func shutdown(t testing.TB, s *Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// dispatch is the handover of a step's first attempt to AWS.
func dispatch(step string) engine.Dispatch {
	return engine.Dispatch{Step: step, Attempt: 1, Queue: "aws-run"}
}
