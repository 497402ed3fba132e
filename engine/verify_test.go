package engine

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var chainNoon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// chainOf is an export of n events with a checkpoint behind every fifth and
// the last.
func chainOf(n int) (lines []string, signer *AuditSigner) {
	signer = NewAuditSigner(nil, chainNoon)
	lines = append(lines, string(signer.Line()))
	previous := ChainStart
	for i := range int64(n) {
		e := newEvent(chainNoon.Add(time.Duration(i)*time.Minute), "ada", "variable.set", "shop", fmt.Sprintf("shop %d", i), map[string]any{"name": "size", "n": i}).
			changing(map[string]any{"value": i}, map[string]any{"value": i + 1})
		e.Origin = Origin{Address: "192.0.2.1", Request: fmt.Sprintf("req-%d", i), Via: "session"}
		e = e.Link(i+1, previous)
		previous = e.Hash
		lines = append(lines, string(e.Record()))
		if e.Seq%5 == 0 || e.Seq == int64(n) {
			lines = append(lines, string(signer.Checkpoint(Checkpoint{Installation: "inst", Seq: e.Seq, Hash: e.Hash, At: e.At}).Line()))
		}
	}
	return lines, signer
}

func verified(lines []string, keys ...ed25519.PublicKey) AuditReport {
	v := NewVerifier(keys...)
	for _, line := range lines {
		v.Line([]byte(line))
	}
	return v.Finish()
}

// lineOf is where an event stands in an export.
func lineOf(lines []string, seq int) int {
	return slices.IndexFunc(lines, func(line string) bool {
		return strings.Contains(line, fmt.Sprintf(`"seq":%d,`, seq)) && strings.Contains(line, `"previous"`)
	})
}

func TestWholeLogIsWhole(t *testing.T) {
	for _, n := range []int{1, 5, 23} {
		lines, signer := chainOf(n)
		r := verified(lines, signer.Public)
		if !r.Whole() || r.Events != int64(n) || r.Signed != int64(n) || r.Last != int64(n) || !r.Pinned || r.Installation != "inst" {
			t.Errorf("%d events: %+v", n, r)
		}
	}
}

// changeField gives the object with another value in one of its members.
func changeField(t *rapid.T, line string) string {
	var object map[string]any
	if err := json.Unmarshal([]byte(line), &object); err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	name := rapid.SampledFrom(append(names, "extra")).Draw(t, "field")
	switch v := object[name].(type) {
	case string:
		object[name] = v + "x"
	case float64:
		object[name] = v + float64(rapid.SampledFrom([]int{-1, 1, 7}).Draw(t, "by"))
	case nil:
		object[name] = "x"
	default:
		object[name] = map[string]any{"n": "forged"}
	}
	if rapid.Bool().Draw(t, "gone") && name != "extra" {
		delete(object, name)
	}
	b, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEachSingleMutationIsFoundAndNamed(t *testing.T) {
	whole, signer := chainOf(23)
	rapid.Check(t, func(t *rapid.T) {
		lines := slices.Clone(whole)
		seq := rapid.IntRange(1, 23).Draw(t, "seq")
		at := lineOf(lines, seq)
		named, kinds := []int64{int64(seq)}, []BreachKind{}
		switch what := rapid.SampledFrom([]string{"change", "remove", "insert", "swap"}).Draw(t, "what"); what {
		case "change":
			lines[at] = changeField(t, lines[at])
			kinds = append(kinds, BreachChanged)
		case "remove":
			lines = slices.Delete(lines, at, at+1)
			kinds = append(kinds, BreachRemoved)
		case "insert":
			from := rapid.IntRange(1, 23).Draw(t, "copy of")
			forged, _ := ParseRecord([]byte(lines[lineOf(lines, from)]))
			forged.Actor = rapid.SampledFrom([]string{"ada", "eve"}).Draw(t, "actor")
			behind, _ := ParseRecord([]byte(lines[at]))
			forged = forged.Link(int64(seq)+1, behind.Hash)
			named = []int64{int64(seq) + 1}
			lines = slices.Insert(lines, at+1, string(forged.Record()))
			kinds = append(kinds, BreachInserted, BreachUnsigned) // the last has nothing that it could stand twice with
		case "swap":
			other := rapid.IntRange(1, 23).Filter(func(n int) bool { return n != seq }).Draw(t, "other")
			to := lineOf(lines, other)
			lines[at], lines[to] = lines[to], lines[at]
			named = append(named, int64(other))
			kinds = append(kinds, BreachReordered)
		}
		r := verified(lines, signer.Public)
		if r.Whole() {
			t.Fatalf("nothing is found in\n%s", strings.Join(lines, "\n"))
		}
		first := r.Breaches[0]
		if !slices.Contains(named, first.From) || !slices.Contains(kinds, first.Kind) {
			t.Errorf("found %v, want %v of %v", r.Breaches, kinds, named)
		}
	})
}

func TestRewrittenLogDoesNotFitItsCheckpoints(t *testing.T) {
	lines, signer := chainOf(12)
	previous, seq := ChainStart, int64(0)
	for i, line := range lines {
		e, err := ParseRecord([]byte(line))
		if err != nil || e.Seq == 0 {
			continue
		}
		if e.Seq == 7 {
			e.Actor = "eve"
		}
		seq++
		e = e.Link(seq, previous)
		previous, lines[i] = e.Hash, string(e.Record())
	}
	r := verified(lines, signer.Public)
	if len(r.Breaches) != 2 || r.Breaches[0].Kind != BreachRewritten || r.Breaches[0].From != 6 || r.Breaches[0].To != 10 {
		t.Errorf("found %v", r.Breaches)
	}
}

func TestCutEndShowsByWhatWasSigned(t *testing.T) {
	lines, signer := chainOf(23)
	end := lines[len(lines)-1]
	cut := lines[:lineOf(lines, 22)]
	for name, tt := range map[string]struct {
		lines []string
		want  string
	}{
		"by the last checkpoint":               {append(slices.Clone(cut), end), "events 22 to 23 removed"},
		"by a checkpoint that was kept before": {append([]string{lines[0], end}, cut[1:]...), "events 22 to 23 removed"},
		"by none at all":                       {cut, "event 21 unsigned"},
	} {
		t.Run(name, func(t *testing.T) {
			r := verified(tt.lines, signer.Public)
			if len(r.Breaches) != 1 || !strings.HasPrefix(r.Breaches[0].String(), tt.want) {
				t.Errorf("found %v, want %s", r.Breaches, tt.want)
			}
		})
	}
}

func TestALogWithoutAnyEventIsNotWhole(t *testing.T) {
	lines, signer := chainOf(3)
	for _, lines := range [][]string{nil, lines[:1]} {
		if r := verified(lines, signer.Public); r.Whole() {
			t.Errorf("%d lines are taken for a whole log", len(lines))
		}
	}
}

func TestStatementsAreSignedByWhoIsTrusted(t *testing.T) {
	lines, signer := chainOf(5)
	other := NewAuditSigner(nil, chainNoon)
	forged := signer.Checkpoint(Checkpoint{Installation: "inst", Seq: 5, Hash: ChainStart, At: chainNoon})
	forged.Seq = 4
	for name, tt := range map[string]struct {
		lines []string
		key   ed25519.PublicKey
	}{
		"a key that was not given":      {lines, other.Public},
		"a key that nobody vouches for": {append(slices.Clone(lines), string(other.Line()), string(other.Checkpoint(Checkpoint{Installation: "inst", Seq: 5}).Line())), signer.Public},
		"another statement than that":   {append(slices.Clone(lines), string(forged.Line())), signer.Public},
		"another installation":          {append(slices.Clone(lines), string(signer.Checkpoint(Checkpoint{Installation: "other", Seq: 5}).Line())), signer.Public},
	} {
		t.Run(name, func(t *testing.T) {
			r := verified(tt.lines, tt.key)
			if r.Whole() || !slices.ContainsFunc(r.Breaches, func(b Breach) bool { return b.Kind == BreachSignature }) {
				t.Errorf("found %v", r.Breaches)
			}
		})
	}
}

func TestKeyVouchesForTheNext(t *testing.T) {
	lines, first := chainOf(5)
	second := NewAuditSigner(first, chainNoon)
	third := NewAuditSigner(second, chainNoon)
	e, _ := ParseRecord([]byte(lines[lineOf(lines, 5)]))
	end := third.Checkpoint(Checkpoint{Installation: "inst", Seq: 5, Hash: e.Hash, At: chainNoon})
	lines = append([]string{lines[0], string(second.Line()), string(third.Line())}, append(lines[1:len(lines)-1], string(end.Line()))...)
	if r := verified(lines, first.Public); !r.Whole() || r.Signed != 5 {
		t.Errorf("found %+v", r)
	}
}

func TestWhatWasRemovedInOrderIsProved(t *testing.T) {
	lines, signer := chainOf(12)
	fifth, _ := ParseRecord([]byte(lines[lineOf(lines, 5)]))
	rest := lines[lineOf(lines, 6):]
	d := signer.Drop(AuditDrop{Installation: "inst", From: 1, To: 5, Previous: ChainStart, Hash: fifth.Hash, Digest: "d", At: chainNoon})
	if r := verified(append([]string{lines[0], string(d.Line())}, rest...), signer.Public); !r.Whole() || r.Dropped != 5 {
		t.Errorf("found %+v", r)
	}
	if r := verified(append([]string{lines[0]}, rest...), signer.Public); len(r.Breaches) != 1 || r.Breaches[0].From != 1 || r.Breaches[0].To != 5 {
		t.Errorf("without a statement: %v", r.Breaches)
	}
	d.To, d.Hash = 4, ChainStart
	if r := verified(append([]string{lines[0], string(d.Line())}, rest...), signer.Public); r.Whole() {
		t.Error("a statement that was changed is taken")
	}
}

func TestRecordIsTheSameOnceRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		e := Event{At: chainNoon.Add(time.Duration(rapid.Int64Range(0, 1e15).Draw(t, "at")) * time.Microsecond), Actor: text.Draw(t, "actor"), Subject: text.Draw(t, "subject"), Project: text.Draw(t, "project"),
			Detail: plainJSON(map[string]any{text.Draw(t, "name"): text.Draw(t, "value"), "n": rapid.Int64().Draw(t, "n"), "f": rapid.Float64().Draw(t, "f")})}
		e = e.Link(7, ChainStart)
		again, err := ParseRecord(e.Record())
		if err != nil {
			t.Fatal(err)
		}
		if linked := again.Link(7, ChainStart); linked.Hash != e.Hash || !bytes.Equal(linked.Record(), e.Record()) {
			t.Errorf("%s\n%s", e.Record(), linked.Record())
		}
	})
}
