package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// ChainStart stands for the hash before the first event of a chain.
const ChainStart = "0000000000000000000000000000000000000000000000000000000000000000"

// recordTime is how times are written into the chain: UTC, to the microsecond.
const recordTime = "2006-01-02T15:04:05.000000Z"

// Link puts the event into the chain: behind the one with the hash previous, at
// place seq. Its own hash is the SHA-256, in hexadecimal, of its record without
// the member hash, in the form of RFC 8785.
func (e Event) Link(seq int64, previous string) Event {
	e.Seq, e.Previous = seq, previous
	e.Hash = digestOf(e.record())
	return e
}

// Record is the event as exports have it: one JSON object in the form of RFC
// 8785. What is empty is left out.
func (e Event) Record() []byte {
	r := e.record()
	r["hash"] = e.Hash
	return jcs(r)
}

func (e Event) record() map[string]any {
	r := map[string]any{"seq": e.Seq, "at": e.At.UTC().Format(recordTime), "previous": e.Previous}
	for name, text := range map[string]string{"actor": e.Actor, "action": e.Action, "stack": e.Stack, "project": e.Project, "run": e.Run, "subject": e.Subject,
		"address": e.Address, "request": e.Request, "via": e.Via} {
		if text != "" {
			r[name] = text
		}
	}
	for name, raw := range map[string]json.RawMessage{"detail": e.Detail, "before": e.Before, "after": e.After} {
		if len(raw) > 0 {
			r[name] = asJSON(raw)
		}
	}
	return r
}

// asJSON is raw as a value, or as a text where it is not JSON.
func asJSON(raw json.RawMessage) any {
	v, err := decodeJSON(raw)
	if err != nil {
		return string(raw)
	}
	return v
}

func digestOf(record map[string]any) string {
	sum := sha256.Sum256(jcs(record))
	return hex.EncodeToString(sum[:])
}

// ParseRecord reads what Record writes.
func ParseRecord(line []byte) (Event, error) {
	var r struct {
		Seq                                                                int64
		At                                                                 time.Time
		Actor, Action, Stack, Project, Run, Subject, Address, Request, Via string
		Detail, Before, After                                              json.RawMessage
		Previous, Hash                                                     string
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return Event{}, Invalid("no event: %v", err)
	}
	return Event{At: r.At, Actor: r.Actor, Action: r.Action, Stack: r.Stack, Project: r.Project, Run: r.Run, Subject: r.Subject,
		Detail: r.Detail, Before: r.Before, After: r.After, Origin: Origin{Address: r.Address, Request: r.Request, Via: r.Via},
		Seq: r.Seq, Previous: r.Previous, Hash: r.Hash}, nil
}
