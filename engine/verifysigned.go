package engine

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// wholeNumber is the number of a value that decodeJSON gave.
func wholeNumber(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}

// statement takes a line that is no event.
func (v *Verifier) statement(object map[string]any) {
	for kind, take := range map[string]func(map[string]any){"key": v.key, "checkpoint": v.checkpoint, "dropped": v.dropped} {
		if body, ok := object[kind].(map[string]any); ok && len(object) == 1 {
			take(body)
			return
		}
	}
	v.found(BreachUnreadable, 0, 0, "it is neither an event nor a key, a checkpoint or a statement of what was removed")
}

func textOf(body map[string]any, name string) string {
	s, _ := body[name].(string)
	return s
}

func numberOf(body map[string]any, name string) int64 {
	n, _ := wholeNumber(body[name])
	return n
}

func timeOf(body map[string]any) time.Time {
	t, err := time.Parse(recordTime, textOf(body, "at"))
	if err != nil {
		return time.Time{} // which no signature is made for
	}
	return t
}

func bytesOf(body map[string]any, name string) []byte {
	b, err := base64.StdEncoding.DecodeString(textOf(body, name))
	if err != nil {
		return nil
	}
	return b
}

// signedBy reports whether a trusted key has signed the object. All that it
// has is signed, also what this version does not know.
func (v *Verifier) signedBy(kind string, body map[string]any) bool {
	public, ok := v.keys[textOf(body, "key")]
	signature := bytesOf(body, "signature")
	delete(body, "signature")
	return ok && ed25519.Verify(public, jcs(map[string]any{kind: body}), signature)
}

// key takes a key. The first of an export is trusted where none was given.
func (v *Verifier) key(body map[string]any) {
	public := ed25519.PublicKey(bytesOf(body, "public"))
	if len(public) != ed25519.PublicKeySize || KeyID(public) != textOf(body, "id") {
		v.found(BreachSignature, 0, 0, "the key has not the name that it says")
		return
	}
	first := len(v.keys) == 0 && !v.report.Pinned
	if first || v.keys[KeyID(public)] != nil || v.signedBy("key", body) {
		v.keys[KeyID(public)] = public
		return
	}
	// A key from before the one that is trusted may still have signed what is
	// read; that is said where it has.
}

// checkpoint compares a checkpoint with the event that it is about, now or once
// that comes.
func (v *Verifier) checkpoint(body map[string]any) {
	c := Checkpoint{Installation: textOf(body, "installation"), Seq: numberOf(body, "seq"), Hash: textOf(body, "hash"), At: timeOf(body), Key: textOf(body, "key")}
	if !v.signedBy("checkpoint", body) || c.Seq < 1 {
		v.found(BreachSignature, 0, 0, fmt.Sprintf("the checkpoint of event %d is not signed by a key that is trusted", c.Seq))
		return
	}
	v.belongs(c.Installation)
	if _, ok := v.recent[c.Seq]; ok || c.Seq <= v.tip.seq {
		v.compare(c)
		return
	}
	v.ahead = append(v.ahead, c)
}

// belongs makes sure that all statements are about one chain.
func (v *Verifier) belongs(installation string) {
	if v.report.Installation == "" {
		v.report.Installation = installation
	}
	if v.report.Installation != installation {
		v.found(BreachSignature, 0, 0, fmt.Sprintf("it is of another installation, %s, not %s", installation, v.report.Installation))
	}
}

// reached compares an event with the checkpoints that came before it.
func (v *Verifier) reached(got link) {
	for _, c := range v.ahead {
		if c.Seq == got.seq {
			v.compare(c)
		}
	}
	v.ahead = slices.DeleteFunc(v.ahead, func(c Checkpoint) bool { return c.Seq == got.seq })
}

func (v *Verifier) compare(c Checkpoint) {
	event, ok := v.recent[c.Seq]
	switch {
	case !ok && (v.missing(c.Seq) || c.Seq < v.report.First):
		return // which is said of the events
	case !ok:
		v.found(BreachUnreadable, 0, 0, fmt.Sprintf("the checkpoint of event %d stands too far behind it", c.Seq))
	case !event.is(c.Hash):
		v.found(BreachRewritten, v.report.Signed+1, c.Seq, fmt.Sprintf("the checkpoint of %s was signed over others", c.At.Format(recordTime)))
	case c.Seq >= v.report.Signed:
		v.report.Signed, v.report.SignedAt = c.Seq, c.At
	}
}

func (v *Verifier) missing(seq int64) bool {
	return slices.ContainsFunc(v.gaps, func(g span) bool { return g.from <= seq && seq <= g.to })
}

// dropped takes a statement of what was removed in order: it goes on where the
// one before ends, and stands before all events.
func (v *Verifier) dropped(body map[string]any) {
	d := AuditDrop{Installation: textOf(body, "installation"), From: numberOf(body, "from"), To: numberOf(body, "to"),
		Previous: textOf(body, "previous"), Hash: textOf(body, "hash")}
	if !v.signedBy("dropped", body) || d.From < 1 || d.To < d.From {
		v.found(BreachSignature, 0, 0, fmt.Sprintf("that events %d to %d were removed in order is not signed by a key that is trusted", d.From, d.To))
		return
	}
	v.belongs(d.Installation)
	start := v.start()
	switch {
	case v.tip.seq > 0:
		v.found(BreachUnreadable, 0, 0, "what was removed in order stands behind events")
	case d.From != start.seq+1:
		v.found(BreachRemoved, start.seq+1, d.From-1, "nothing says that they were removed in order")
	case d.Previous != start.hash:
		v.found(BreachRewritten, d.From, d.To, "they were removed behind events with another hash")
	}
	v.drops[d.To+1] = d
	v.report.Dropped += d.To - d.From + 1
	v.report.Signed = max(v.report.Signed, d.To)
}
