package engine

import (
	"context"
	"encoding/json"
	"math"
)

// Page says which part of a list is wanted.
type Page struct {
	After string // cursor: the last identifier of the page before; empty for the first
	Limit int
	// Within narrows the list to what somebody may see; nil for everything.
	Within *Within
}

// Everything is the page that a whole list fits on, for lists that are short or
// of no use in parts.
func Everything() Page { return Page{Limit: math.MaxInt32} }

// Compiler turns sources into what the engine knows of a stack.
type Compiler interface {
	// Compile parses the tar.gz in sources and checks all that can be checked
	// without evaluating outputs. It may add to the sources what they refer
	// to, such as modules from Git, and returns those to be kept. Mistakes come
	// back all at once as Diagnostics.
	Compile(ctx context.Context, sources []byte, vars map[string]json.RawMessage, pins Pins) (Blueprint, []byte, error)

	// Outline reads what a bundle says of itself, without checking the rest.
	Outline(sources []byte) (Outline, error)

	// Evaluate gives the component at address with its expressions turned
	// into values, with the outputs of other components by address. It wraps
	// ErrInvalid where a value does not fit.
	Evaluate(ctx context.Context, rev *Revision, address string, destroy bool, upstream map[string]Outputs) (Evaluated, error)

	// Outputs gives the values of the stack's own outputs; those that rest on
	// an output that is missing are unknown.
	Outputs(ctx context.Context, rev *Revision, upstream map[string]Outputs) (Outputs, error)
}

// Pins say which modules from elsewhere are taken.
type Pins struct {
	// Versions of modules from registries that were chosen before, by Component.Lock.
	Versions map[string]string
	// Keep takes what was fetched before, which is in the sources.
	Keep bool
}

// Hasher makes digests that cannot be reversed by guessing.
type Hasher interface {
	// Fingerprint returns a keyed digest of value, the same for equal values.
	Fingerprint(value []byte) string
}

// Bell wakes who waits for a topic. It loses nothing that matters: whoever is
// woken, or times out, reads the truth from the store.
type Bell interface {
	// Ring wakes everybody who listens to topic, in every process.
	Ring(topic string)
	// Listen returns a channel that receives, at least once, after each Ring
	// of topic, until stop is called. It is buffered by one.
	Listen(topic string) (rings <-chan struct{}, stop func())
}

// TopicRun is rung when the run changes.
func TopicRun(id string) string { return "run:" + id }

// TopicLog is rung when the step's log grows.
func TopicLog(step string) string { return "log:" + step }

// TopicStep is rung when a step's runner should look for a signal.
func TopicStep(step string) string { return "step:" + step }

// Topics that are not about one thing.
const (
	TopicOutbox = "outbox" // there is a dispatch to relay
	TopicRuns   = "runs"   // some run changed
)
