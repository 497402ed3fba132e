package workers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// database is what the loops need of one, in memory: the outbox, and steps
// that wait until somebody claims them.
type database struct {
	mu      sync.Mutex
	outbox  []engine.Dispatch
	last    int64
	waiting map[string]engine.Dispatch
	claimed map[string]int
}

// want writes a step that waits, with its dispatch if it is to have one.
func (db *database) want(d engine.Dispatch, outbox bool) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.waiting == nil {
		db.waiting, db.claimed = map[string]engine.Dispatch{}, map[string]int{}
	}
	db.waiting[d.Step] = d
	if outbox {
		db.last++
		d.ID = db.last
		db.outbox = append(db.outbox, d)
	}
}

// claim takes the step, once.
func (db *database) claim(step string) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if _, ok := db.waiting[step]; !ok {
		return engine.Conflict("step %s waits for no worker", step)
	}
	delete(db.waiting, step)
	db.claimed[step]++
	return nil
}

func (db *database) Outbox(_ context.Context, limit int) ([]engine.Dispatch, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	return slices.Clone(db.outbox[:min(limit, len(db.outbox))]), nil
}

func (db *database) Relayed(_ context.Context, ids []int64) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.outbox = slices.DeleteFunc(db.outbox, func(d engine.Dispatch) bool { return slices.Contains(ids, d.ID) })
	return nil
}

// Sweep hands over again whatever still waits.
func (db *database) Sweep(context.Context) ([]engine.Dispatch, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	var again []engine.Dispatch
	for _, d := range db.waiting {
		again = append(again, d)
	}
	return again, nil
}

// relaying runs a relay as long as the test.
func relaying(t testing.TB, r *Redis, b *Bell, db *database) {
	t.Helper()
	running(t, (&Relay{Store: db, Redis: r, Bell: b, Log: quiet()}).Run)
}

// sweeping runs a sweep as long as the test.
func sweeping(t testing.TB, r *Redis, b *Bell, db *database) {
	t.Helper()
	running(t, (&Sweep{Sweeper: db, Redis: r, Bell: b, Log: quiet()}).Run)
}

func running(t testing.TB, run func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := within(t, "the end of a loop", ended); !errors.Is(err, context.Canceled) {
			t.Errorf("loop ended with %v", err)
		}
	})
}

// once returns a handler that claims, and a channel with the steps it claimed.
func (db *database) once() (handler, <-chan string) {
	steps := make(chan string, 10_000)
	return func(_ context.Context, step string) error {
		err := db.claim(step)
		if err == nil {
			steps <- step
		}
		return err
	}, steps
}

func TestRelayTakesTheOutboxToTheQueues(t *testing.T) {
	eachRedis(t, func(t *testing.T, r *Redis) {
		db, b := &database{}, bellOn(t, r)
		handle, claimed := db.once()
		serving(t, r, b, Options{}, handle)
		db.want(dispatch("before"), true)
		relaying(t, r, b, db)

		if got := within(t, "the step from before the start", claimed); got != "before" {
			t.Errorf("claimed %s", got)
		}
		db.want(dispatch("after"), true)
		b.Ring(engine.TopicOutbox)
		if got := within(t, "the step after a ring", claimed); got != "after" {
			t.Errorf("claimed %s", got)
		}
	})
}

// Three servers and two relays on one Redis, 500 steps on four queues: each is
// handled and none twice.
func TestEveryStepIsClaimedOnce(t *testing.T) {
	const steps = 500
	eachRedis(t, func(t *testing.T, r *Redis) {
		db, b := &database{}, bellOn(t, r)
		for i := range steps {
			cloud := engine.Clouds()[i%4]
			db.want(engine.Dispatch{Step: fmt.Sprintf("step-%d", i), Attempt: 1, Queue: engine.QueueName(cloud, "run")}, true)
		}
		handle, claimed := db.once()
		for range 3 {
			serving(t, r, b, Options{Concurrency: 2}, handle)
		}
		relaying(t, r, b, db)
		relaying(t, r, b, db)

		for range steps {
			within(t, "a step", claimed)
		}

		db.mu.Lock()
		defer db.mu.Unlock()
		if len(db.claimed) != steps || len(db.waiting) != 0 {
			t.Errorf("%d steps claimed, %d wait", len(db.claimed), len(db.waiting))
		}
	})
}

func TestRelayLosesNothingWhileRedisIsAway(t *testing.T) {
	server := enginetest.NewRedisServer(t)
	r := open(t, server.URL)
	db, b := &database{}, bellOn(t, r)
	handle, claimed := db.once()
	serving(t, r, b, Options{}, handle)
	relaying(t, r, b, db)
	db.want(dispatch("before"), true)
	b.Ring(engine.TopicOutbox)
	within(t, "the step from before", claimed)
	server.Stop()
	for i := range 150 {
		db.want(dispatch(fmt.Sprintf("step-%d", i)), true)
		b.Ring(engine.TopicOutbox)
	}

	server.Start(t)

	for range 150 {
		within(t, "a step once Redis is back", claimed)
	}
	if left, _ := db.Outbox(t.Context(), 1); len(left) != 0 {
		t.Errorf("the outbox still holds %v", left)
	}
}

func TestSweepHandsOverWhatRedisLost(t *testing.T) {
	eachRedis(t, func(t *testing.T, r *Redis) {
		db, b := &database{}, bellOn(t, r)
		q := queuesOn(r, b)
		for i := range 20 {
			d := dispatch(fmt.Sprintf("step-%d", i))
			db.want(d, false) // relayed already
			if err := q.enqueue(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Client().FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		handle, claimed := db.once()
		serving(t, r, b, Options{}, handle)

		sweeping(t, r, b, db)

		for range 20 {
			within(t, "a step after the sweep", claimed)
		}
	})
}

func TestSweepHandsOverWhatADeadWorkerHeld(t *testing.T) {
	eachRedis(t, func(t *testing.T, r *Redis) {
		db, b := &database{}, bellOn(t, r)
		q := queuesOn(r, b)
		db.want(dispatch("step-1"), false)
		if err := q.enqueue(t.Context(), dispatch("step-1")); err != nil {
			t.Fatal(err)
		}
		takeUp(t, q, "aws-run", "step-1:1")
		handle, claimed := db.once()
		serving(t, r, b, Options{}, handle)

		sweeping(t, r, b, db)

		within(t, "the step that nobody claimed", claimed)
	})
}

// A process may end between writing to the outbox and ringing.
func TestSweepRingsForTheOutbox(t *testing.T) {
	r := open(t, "embedded")
	db, b := &database{}, bellOn(t, r)
	rings, stop := b.Listen(engine.TopicOutbox)
	defer stop()

	sweeping(t, r, b, db)

	within(t, "a ring", rings)
}
