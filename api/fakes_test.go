package api

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

// now goes on by a millisecond, so that identifiers are in order.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Millisecond)
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// plainPasswords keeps passwords as they are: hashing for real takes long.
type plainPasswords struct{}

func (plainPasswords) Hash(_ context.Context, password engine.Secret) (string, error) {
	return password.Reveal(), nil
}

func (plainPasswords) Verify(_ context.Context, hash string, password engine.Secret) (bool, error) {
	return hash != "" && hash == password.Reveal(), nil
}

func hourly(_, _ string, after time.Time, _ string) (time.Time, error) {
	return after.Add(time.Hour), nil
}

// bell rings within the process.
type bell struct {
	mu        sync.Mutex
	listeners map[string][]chan struct{}
}

func (b *bell) Ring(topic string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ch := range b.listeners[topic] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

func (b *bell) Listen(topic string) (<-chan struct{}, func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ch := make(chan struct{}, 1)
	b.listeners[topic] = append(b.listeners[topic], ch)
	return ch, func() {}
}

// safeBuffer is a buffer that is written and read at the same time.
type safeBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// within runs do, and fails the test where it hangs.
func within[T any](t testing.TB, do func(context.Context) T) T {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	done := make(chan T, 1)
	go func() { done <- do(ctx) }()
	select {
	case v := <-done:
		return v
	case <-ctx.Done():
		t.Fatal("it hangs")
		panic("unreachable")
	}
}
