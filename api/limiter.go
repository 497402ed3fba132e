package api

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// limiter counts attempts to sign in by name and address.
type limiter struct {
	now  func() time.Time
	mu   sync.Mutex
	seen map[string][]time.Time
}

// How often somebody may try to sign in.
const (
	loginTries  = 10
	loginWindow = time.Minute
)

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, seen: map[string][]time.Time{}}
}

// check notes an attempt to sign in, and refuses one too many.
func (l *limiter) check(name, address string) error {
	if l.allow(name + " " + host(address)) {
		return nil
	}
	return problemOf(http.StatusTooManyRequests, "too many attempts; wait a minute")
}

// allow notes an attempt and reports whether it is not one too many.
func (l *limiter) allow(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	since := l.now().Add(-loginWindow)
	for k, times := range l.seen { // what is over is forgotten, so the map stays small
		if times[len(times)-1].Before(since) {
			delete(l.seen, k)
		}
	}
	var recent []time.Time
	for _, t := range l.seen[key] {
		if t.After(since) {
			recent = append(recent, t)
		}
	}
	if len(recent) >= loginTries {
		return false
	}
	l.seen[key] = append(recent, l.now())
	return true
}

// host is an address without its port.
func host(address string) string {
	if h, _, err := net.SplitHostPort(address); err == nil {
		return h
	}
	return address
}
