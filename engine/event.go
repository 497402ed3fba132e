package engine

import (
	"encoding/json"
	"time"
)

// Event is one thing that happened, for the audit log.
type Event struct {
	ID      int64 // order of writing
	At      time.Time
	Actor   string // who or what did it
	Action  string // "run.approve"
	Stack   string
	Project string // where it is of no stack; empty for the whole installation
	Run     string
	Subject string // what it was done to
	Detail  json.RawMessage
	Before  json.RawMessage // what was changed, without secrets; nil for nothing
	After   json.RawMessage // what it was changed to; nil for nothing

	// tell fills in the rest, Before and After among it, of what the transaction of
	// the change finds: nobody else changes that meanwhile. It reports whether it
	// tells of such things. Nil where all is known before.
	tell func(e Event, before any) (Event, bool)

	Origin // filled in from the context when it is written

	Seq      int64  // place in the chain, from 1 without gaps; 0 where it is not in the chain yet
	Previous string // hash of the event before
	Hash     string // see Event.Link
}

// newEvent makes an event of plain facts.
func newEvent(at time.Time, actor, action, stack, subject string, detail map[string]any) Event {
	if detail == nil {
		detail = map[string]any{}
	}
	return Event{At: at, Actor: actor, Action: action, Stack: stack, Subject: subject, Detail: plainJSON(detail)}
}

// in says to which project the event belongs, as one that is of no stack.
func (e Event) in(project string) Event {
	if e.Stack == "" {
		e.Project = project
	}
	return e
}

// scope is where those are who may read the event.
func (e Event) scope() Scope {
	if e.Stack != "" {
		return StackScope(e.Stack)
	}
	return ProjectScope(e.Project)
}

// Who the audit log names where no user has done something.
const (
	ActorEngine  = "engine"
	ActorUnknown = "unknown" // a stranger, whose attempt was refused
)

// changing adds what was changed, and to what; nil for nothing.
func (e Event) changing(before, after map[string]any) Event {
	if before != nil {
		e.Before = plainJSON(before)
	}
	if after != nil {
		e.After = plainJSON(after)
	}
	return e
}

// replacing adds what a change comes in place of, as its transaction finds it;
// tell gets nil for nothing.
func replacing[T any](e Event, tell func(before *T) (was, is map[string]any)) Event {
	return completing(e, func(e Event, before *T) Event { return e.changing(tell(before)) })
}

// completing is replacing where more than before and after hangs on what was.
func completing[T any](e Event, tell func(e Event, before *T) Event) Event {
	e.tell = func(e Event, before any) (Event, bool) {
		b, ok := before.(*T)
		if ok {
			e = tell(e, b)
		}
		return e, ok
	}
	return e
}

// Replacing is the event with what stores found in the place of the change,
// a pointer that may be nil.
func (e Event) Replacing(before any) Event {
	if e.tell == nil {
		return e
	}
	told, ok := e.tell(e, before)
	if ok {
		told.tell = nil
	}
	return told
}

// plainJSON is v, which holds plain data only, as JSON.
func plainJSON(v map[string]any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("{}")
	}
	return b
}

// event notes something for the audit log, to be written with the run.
func (r *Run) event(action, actor string, at time.Time, detail map[string]any) {
	r.note(newEvent(at, actor, action, r.Stack, r.ID, detail))
}

// turn notes what takes the run from a status to another.
func (r *Run) turn(action, actor string, to RunStatus, at time.Time, detail map[string]any) {
	r.note(newEvent(at, actor, action, r.Stack, r.ID, detail).changing(map[string]any{"status": r.Status}, map[string]any{"status": to}))
}

// note adds an event to what is written with the run.
func (r *Run) note(e Event) {
	e.Run = r.ID
	r.changes.Events = append(r.changes.Events, e)
}
