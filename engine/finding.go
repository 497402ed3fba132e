package engine

import "time"

// Finding is one thing that is not as the stack says: a resource with its
// attributes, or a task on a host. It stays open from the first check that
// saw it to the first one that no longer does.
type Finding struct {
	ID         string
	Stack      string
	Component  string
	Change     Change // what an apply would do about it
	Run        string // drift check that saw it last
	FirstSeen  time.Time
	LastSeen   time.Time
	ResolvedAt time.Time // zero while open
}
