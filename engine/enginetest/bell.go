package enginetest

import (
	"slices"
	"sync"
)

// Bell is an engine.Bell that rings within the test.
type Bell struct {
	mu        sync.Mutex
	listeners map[string][]chan struct{}
}

// NewBell returns a bell that nobody listens to yet.
func NewBell() *Bell { return &Bell{listeners: map[string][]chan struct{}{}} }

// Ring implements engine.Bell.
func (b *Bell) Ring(topic string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rings := range b.listeners[topic] {
		select {
		case rings <- struct{}{}:
		default: // it will wake for the ring before
		}
	}
}

// Listen implements engine.Bell.
func (b *Bell) Listen(topic string) (<-chan struct{}, func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rings := make(chan struct{}, 1)
	b.listeners[topic] = append(b.listeners[topic], rings)
	return rings, func() { b.forget(topic, rings) }
}

func (b *Bell) forget(topic string, rings chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listeners[topic] = slices.DeleteFunc(b.listeners[topic], func(r chan struct{}) bool { return r == rings })
}

// Listeners counts who listens to topic.
func (b *Bell) Listeners(topic string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.listeners[topic])
}
