package blueprint

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/cloudops-manager/cloudops/engine"
)

// What a Compiler keeps of stacks that it has parsed.
const (
	maxRecent      = 64
	maxRecentBytes = 32 << 20 // of sources
)

// recent keeps the stacks that were used last, so that the start of a step
// costs no parsing.
type recent struct {
	mu    sync.Mutex
	byKey map[recentKey]*list.Element
	order *list.List // of recentEntry, newest first
	bytes int
}

type recentKey struct {
	stack  string
	number int
	digest string
	vars   [sha256.Size]byte // a stack can be deleted and made again under its name
}

type recentEntry struct {
	key   recentKey
	stack *stack
	bytes int
}

func newRecent() *recent { return &recent{byKey: map[recentKey]*list.Element{}, order: list.New()} }

func (r *recent) get(key recentKey) *stack {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.byKey[key]
	if e == nil {
		return nil
	}
	r.order.MoveToFront(e)
	return e.Value.(recentEntry).stack
}

func (r *recent) put(key recentKey, s *stack) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byKey[key] != nil {
		return
	}
	entry := recentEntry{key: key, stack: s}
	for _, f := range s.tree {
		entry.bytes += len(f.Data)
	}
	r.byKey[key] = r.order.PushFront(entry)
	r.bytes += entry.bytes
	for r.order.Len() > 1 && (r.order.Len() > maxRecent || r.bytes > maxRecentBytes) {
		old := r.order.Remove(r.order.Back()).(recentEntry)
		delete(r.byKey, old.key)
		r.bytes -= old.bytes
	}
}

// stored gives the parsed stack of a revision that was accepted once.
func (c *Compiler) stored(ctx context.Context, rev *engine.Revision) (*stack, error) {
	key := recentKey{rev.Stack, rev.Number, rev.Digest, varsDigest(rev.Variables)}
	if s := c.recent.get(key); s != nil {
		return s, nil
	}
	tree, err := Unpack(rev.Sources)
	if err != nil {
		return nil, fmt.Errorf("revision %d of stack %s: %w", rev.Number, rev.Stack, err)
	}
	s, diags := parse(tree)
	diags = append(diags, s.assign(rev.Variables)...)
	diags = append(diags, s.resolveAll()...)
	if err := s.report(diags).Err(); err != nil {
		return nil, err
	}
	// Mistakes in modules were told when the revision was submitted.
	if _, err := c.loader(s, engine.Pins{Keep: true}).modulesOf(ctx, s.components); err != nil {
		return nil, err
	}
	c.recent.put(key, s)
	return s, nil
}

func varsDigest(vars map[string]json.RawMessage) [sha256.Size]byte {
	h := sha256.New()
	for _, name := range sortedKeys(vars) {
		fmt.Fprintf(h, "%d:%s%d:%s", len(name), name, len(vars[name]), vars[name])
	}
	return [sha256.Size]byte(h.Sum(nil))
}
