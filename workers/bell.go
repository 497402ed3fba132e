package workers

import (
	"log/slog"
	"sync"
)

// Bell wakes who waits for a topic, in this process and, through Redis, in all
// others. It implements engine.Bell. The zero value rings in this process only.
type Bell struct {
	mu        sync.Mutex
	listeners map[string]map[chan struct{}]struct{} // by topic
	line      *line                                 // to the other processes; nil where there are none
}

// NewBell returns a bell that is connected with those of the other processes
// that use the same Redis, until Close.
func NewBell(r *Redis, log *slog.Logger) *Bell {
	b := &Bell{}
	if !r.inside { // a Redis inside this process has no other callers
		b.line = openLine(r.client, b, log)
	}
	return b
}

// Close hangs up. From then on the bell rings in this process only.
func (b *Bell) Close() {
	if b.line != nil {
		b.line.hangUp()
	}
}

// Ring wakes everybody who listens to topic. It never waits: listeners in this
// process are woken at once, those in others as soon as Redis passes it on.
func (b *Bell) Ring(topic string) {
	b.ring(topic)
	if b.line != nil {
		b.line.call(topic)
	}
}

// Listen returns a channel that receives, at least once, after each Ring of
// topic, until stop is called. It may receive without a Ring: whenever the
// line to the other processes was down and rings may have been missed.
func (b *Bell) Listen(topic string) (rings <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listeners == nil {
		b.listeners = map[string]map[chan struct{}]struct{}{}
	}
	if b.listeners[topic] == nil {
		b.listeners[topic] = map[chan struct{}]struct{}{}
	}
	b.listeners[topic][ch] = struct{}{}
	return ch, func() { b.leave(topic, ch) }
}

func (b *Bell) leave(topic string, ch chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.listeners[topic], ch)
	if len(b.listeners[topic]) == 0 {
		delete(b.listeners, topic)
	}
}

// ring wakes the listeners in this process.
func (b *Bell) ring(topic string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ch := range b.listeners[topic] {
		wake(ch)
	}
}

// ringAll wakes every listener in this process.
func (b *Bell) ringAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, chs := range b.listeners {
		for ch := range chs {
			wake(ch)
		}
	}
}

// wake leaves word in a channel that is buffered by one. Where there is some
// already, the listener has yet to look, and will see this too.
func wake(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
