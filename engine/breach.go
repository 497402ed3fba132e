package engine

import (
	"fmt"
	"time"
)

// BreachKind is what was done to an audit log.
type BreachKind string

// The ways in which an audit log is not whole.
const (
	BreachChanged    BreachKind = "changed"    // an event does not say what it said when it was written
	BreachRemoved    BreachKind = "removed"    // events are missing
	BreachInserted   BreachKind = "inserted"   // an event was not there
	BreachReordered  BreachKind = "reordered"  // an event stands in another place
	BreachRewritten  BreachKind = "rewritten"  // events fit each other, but not what was signed
	BreachSignature  BreachKind = "signature"  // something was not signed by a key that is trusted
	BreachUnreadable BreachKind = "unreadable" // a line is nothing that an export has
	BreachUnsigned   BreachKind = "unsigned"   // nothing proves that the last events are all
)

// Breach is one place where an audit log is not whole.
type Breach struct {
	Kind     BreachKind
	From, To int64 // events that it is about; 0 for none
	Line     int   // of the export, from 1; 0 where it is not about a line
	Text     string
}

// String names the events and says what is wrong with them.
func (b Breach) String() string {
	where := ""
	switch {
	case b.From == b.To && b.From > 0:
		where = fmt.Sprintf("event %d ", b.From)
	case b.From > 0:
		where = fmt.Sprintf("events %d to %d ", b.From, b.To)
	}
	if b.Line > 0 {
		where += fmt.Sprintf("(line %d) ", b.Line)
	}
	return where + string(b.Kind) + ": " + b.Text
}

// AuditReport is what verifying an audit log has found.
type AuditReport struct {
	Installation string
	Events       int64 // read
	First, Last  int64 // numbers of the events read
	Dropped      int64 // events before them that were removed in order, by signed statements
	Signed       int64 // the last event that a trusted checkpoint covers
	SignedAt     time.Time
	Hash         string // of the last event
	Breaches     []Breach
	More         int  // breaches beyond those
	Pinned       bool // the keys were given, not taken from the export
}

// Whole reports whether nothing is wrong.
func (r AuditReport) Whole() bool { return len(r.Breaches) == 0 }
