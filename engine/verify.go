package engine

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
)

// Verifier reads an export of the audit log line by line and finds what was
// changed, removed, inserted or put into another order. It keeps the newest
// 65,536 events' hashes and nothing else, however long the log is.
type Verifier struct {
	// Forwarded takes what a forwarder has sent: an event may come again as it
	// was, and the last ones need not be signed yet.
	Forwarded bool

	report AuditReport
	line   int
	keys   map[string]ed25519.PublicKey // that are trusted
	tip    link                         // of the events so far, the one with the highest number
	recent map[int64]link
	gaps   []span              // numbers that were passed over
	region []int64             // events since the first gap that is open
	ahead  []Checkpoint        // of events that are yet to come
	kept   [][]byte            // checkpoints from elsewhere
	drops  map[int64]AuditDrop // by the event behind them
}

// link is an event's place in the chain. The second hash is the one that it
// ought to have, where it was changed.
type link struct {
	seq            int64
	previous, hash string
	ought          string
	line           int
}

func (l link) is(hash string) bool { return hash == l.hash || hash == l.ought }

type span struct{ from, to int64 }

const (
	maxBreaches = 100
	window      = 1 << 16 // events that are remembered
	maxRegion   = 1 << 12 // events that are looked at together for their order
)

// NewVerifier makes a verifier that trusts the keys and those that they vouch
// for. Without any it takes the first key of the export for trusted.
func NewVerifier(trusted ...ed25519.PublicKey) *Verifier {
	v := &Verifier{keys: map[string]ed25519.PublicKey{}, recent: map[int64]link{}, drops: map[int64]AuditDrop{}}
	for _, key := range trusted {
		v.keys[KeyID(key)] = key
		v.report.Pinned = true
	}
	return v
}

// Line takes one line of an export.
func (v *Verifier) Line(b []byte) {
	v.line++
	b = bytes.TrimRight(b, "\r\n")
	if len(b) == 0 {
		return
	}
	value, err := decodeJSON(b)
	object, ok := value.(map[string]any)
	switch {
	case err != nil || !ok:
		v.found(BreachUnreadable, 0, 0, "it is no JSON object")
	case object["seq"] != nil || object["hash"] != nil || object["previous"] != nil:
		v.event(object, b)
	default:
		v.statement(object)
	}
}

// Kept takes a line with a checkpoint that was kept elsewhere, before all others.
func (v *Verifier) Kept(line []byte) { v.kept = append(v.kept, line) }

// takeKept looks at what was kept elsewhere, once the keys are known.
func (v *Verifier) takeKept() {
	kept, line := v.kept, v.line
	v.kept, v.line = nil, 0
	for _, b := range kept {
		value, err := decodeJSON(b)
		object, ok := value.(map[string]any)
		if body, is := object["checkpoint"].(map[string]any); err == nil && ok && is {
			v.checkpoint(body)
			continue
		}
		v.found(BreachUnreadable, 0, 0, "what was kept elsewhere is no checkpoint")
	}
	v.line = line
}

// Finish gives what was found, once all lines were read.
func (v *Verifier) Finish() AuditReport {
	v.takeKept()
	v.settleRegion()
	v.line = 0
	for _, g := range v.gaps {
		v.found(BreachRemoved, g.from, g.to, "what stands behind was written behind more than is there")
	}
	v.gaps = nil
	for _, c := range v.ahead {
		if c.Seq > v.tip.seq {
			v.found(BreachRemoved, v.tip.seq+1, c.Seq, fmt.Sprintf("the checkpoint of %s was signed when they were there", c.At.Format(recordTime)))
			v.tip.seq = c.Seq
		}
	}
	if v.report.Events == 0 && v.report.Whole() { // a log begins with its key
		v.found(BreachRemoved, 0, 0, "there is no event at all, and every log has some")
	}
	if !v.Forwarded && v.report.Signed < v.report.Last && v.report.Whole() {
		v.found(BreachUnsigned, v.report.Signed+1, v.report.Last, "no checkpoint says that they are whole, and that none followed them")
	}
	slices.SortStableFunc(v.report.Breaches, func(a, b Breach) int { return int(a.From - b.From) })
	return v.report
}

func (v *Verifier) found(kind BreachKind, from, to int64, text string) {
	if len(v.report.Breaches) == maxBreaches {
		v.report.More++
		return
	}
	v.report.Breaches = append(v.report.Breaches, Breach{Kind: kind, From: from, To: to, Line: v.line, Text: text})
}

// event takes an event: by itself, in its place, and beside its neighbours.
func (v *Verifier) event(record map[string]any, raw []byte) {
	v.takeKept()
	got, ok := readLink(record)
	got.line = v.line
	delete(record, "hash")
	got.ought = digestOf(record)
	record["hash"] = got.hash
	v.report.Events++
	if !ok || got.ought != got.hash || !bytes.Equal(raw, jcs(record)) {
		got.seq = v.meant(record, got)
		v.found(BreachChanged, got.seq, got.seq, "it does not say what its hash was made of")
	}
	v.place(got)
}

func readLink(record map[string]any) (l link, ok bool) {
	l.seq, ok = wholeNumber(record["seq"])
	var hashOK, previousOK bool
	l.hash, hashOK = record["hash"].(string)
	l.previous, previousOK = record["previous"].(string)
	return l, ok && hashOK && previousOK && l.seq > 0
}

// meant is the number of an event that was changed: where that itself was, the
// one whose hash it has.
func (v *Verifier) meant(record map[string]any, got link) int64 {
	delete(record, "hash")
	for _, seq := range []int64{v.next(), got.seq} {
		record["seq"] = seq
		if seq > 0 && digestOf(record) == got.hash {
			return seq
		}
	}
	if got.seq <= 0 {
		return v.next()
	}
	return got.seq
}

// next is the number that the next event should have.
func (v *Verifier) next() int64 {
	if v.tip.seq == 0 {
		return v.start().seq + 1
	}
	return v.tip.seq + 1
}

// start is what the first event stands behind: nothing, or what was removed in
// order.
func (v *Verifier) start() link {
	if len(v.drops) == 0 {
		return link{hash: ChainStart}
	}
	last := v.drops[slices.Max(slices.Collect(maps.Keys(v.drops)))]
	return link{seq: last.To, hash: last.Hash}
}

// place takes an event in the place where it stands.
func (v *Verifier) place(got link) {
	next := v.next()
	if v.tip.seq == 0 {
		next = v.begin(next, got)
	}
	switch {
	case v.Forwarded && v.recent[got.seq].hash == got.hash:
		v.report.Events--
		return
	case got.seq < next && !v.fills(got.seq):
		v.found(BreachInserted, got.seq, got.seq, "an event with this number stands before it already")
		if known, ok := v.recent[got.seq]; ok {
			known.ought = got.hash // which of the two was there first is for the next one to say
			v.recent[got.seq] = known
		}
		return
	case got.seq > next:
		v.gaps = append(v.gaps, span{next, got.seq - 1})
	}
	v.remember(got)
	v.fit(got)
	if len(v.gaps) > 0 || len(v.region) > 0 {
		v.region = append(v.region, got.seq)
		if len(v.gaps) == 0 || len(v.region) == maxRegion {
			v.settleRegion()
		}
	}
	v.reached(got)
}

// begin is the number of the first event: next or, where a checkpoint says what
// it stands behind, its own.
func (v *Verifier) begin(next int64, got link) int64 {
	v.recent[next-1] = v.start()
	for _, c := range v.ahead {
		if c.Seq == got.seq-1 && c.Hash == got.previous {
			v.recent[c.Seq] = link{seq: c.Seq, hash: c.Hash}
			v.compare(c)
			return got.seq
		}
	}
	return next
}

func (v *Verifier) remember(got link) {
	v.recent[got.seq] = got
	delete(v.recent, got.seq-window)
	if v.report.First == 0 || got.seq < v.report.First {
		v.report.First = got.seq
	}
	if got.seq > v.tip.seq {
		v.tip = got
		v.report.Last, v.report.Hash = got.seq, got.hash
	}
}

// fit compares an event with its neighbours, as far as they are known.
func (v *Verifier) fit(got link) {
	if before, ok := v.recent[got.seq-1]; ok && !before.is(got.previous) && got.ought == got.hash {
		v.found(BreachChanged, max(1, before.seq), max(1, before.seq), fmt.Sprintf("event %d was written behind one with another hash", got.seq))
	}
	if after, ok := v.recent[got.seq+1]; ok && !got.is(after.previous) && after.ought == after.hash {
		v.found(BreachChanged, got.seq, got.seq, fmt.Sprintf("event %d was written behind one with another hash", after.seq))
	}
}
