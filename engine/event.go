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
	Run     string
	Subject string // what it was done to
	Detail  json.RawMessage
	Before  json.RawMessage // what was changed, without secrets; nil for nothing
	After   json.RawMessage // what it was changed to; nil for nothing

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

// note adds an event to what is written with the run.
func (r *Run) note(e Event) {
	e.Run = r.ID
	r.changes.Events = append(r.changes.Events, e)
}
