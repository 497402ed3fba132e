package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// shelf keeps what it is sent, unless it is broken.
type shelf struct {
	broken error
	seqs   []int64
	lines  [][]byte
}

func (s *shelf) Ship(_ context.Context, part engine.Shipment) error {
	if s.broken != nil {
		return s.broken
	}
	for _, e := range part.Events {
		s.seqs = append(s.seqs, e.Seq)
	}
	s.lines = append(s.lines, part.Lines...)
	return nil
}

func forwardingTo(s *store.Store, to *shelf, now func() time.Time) *engine.Forwarding {
	a := auditOf(s)
	a.Now = now
	return &engine.Forwarding{Audit: a, Now: now, Log: slog.New(slog.DiscardHandler),
		Shipper: func(context.Context, *engine.Forwarder) (engine.Shipper, error) { return to, nil }}
}

func TestForwarderGetsEachEventInOrder(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx, at, to := t.Context(), noon, &shelf{}
		f := forwardingTo(s, to, func() time.Time { return at })
		ada := engine.Principal{User: "ada"}
		for i := range 3 {
			must(t, s.AddEvent(ctx, event(fmt.Sprint("note.", i), "shop")))
		}
		must(t, f.Add(ctx, ada, &engine.Forwarder{Name: "siem", Address: "https://logs.example.com", Config: engine.ForwarderConfig{Secret: secret, Header: map[string]engine.Secret{"A": secret}}}, true))
		kept := got(s.Forwarder(ctx, "siem"))(t)
		wantEqual(t, []engine.Secret{kept.Config.Secret, kept.Config.Header["A"]}, []engine.Secret{secret, secret})
		wantEqual(t, kept.Seq, int64(3))

		to.broken = errors.New("nobody is there")
		must(t, f.Forward(ctx))
		kept = got(s.Forwarder(ctx, "siem"))(t)
		wantEqual(t, kept.Error, "nobody is there")
		at = at.Add(time.Hour)
		must(t, f.Forward(ctx))
		wantEqual(t, got(s.Forwarder(ctx, "siem"))(t).FailingSince, noon)

		to.broken = nil
		must(t, f.Forward(ctx))
		must(t, f.Forward(ctx))
		kept = got(s.Forwarder(ctx, "siem"))(t)
		wantEqual(t, to.seqs, []int64{4, 5}) // the first key, and that it was made
		wantEqual(t, []any{kept.Seq, kept.Error, kept.FailingSince.IsZero(), kept.SentAt}, []any{int64(5), "", true, at})
		v := engine.NewVerifier()
		v.Forwarded = true
		for _, line := range to.lines {
			v.Line(line)
		}
		if r := v.Finish(); !r.Whole() || r.First != 4 {
			t.Errorf("what was sent from now on is not whole by itself: %+v", r)
		}
		wantKind(t, s.Forwarded(ctx, "siem", 1, 9, at), engine.ErrConflict)

		got(f.Pause(ctx, ada, "siem", true))(t)
		must(t, f.Forward(ctx))
		wantEqual(t, len(to.seqs), 2)
	})
}

func TestObjectsWaitUntilTheyAreFullOrOld(t *testing.T) {
	s := open(t, sqliteURL(t))
	at, to := noon, &shelf{}
	f := forwardingTo(s, to, func() time.Time { return at })
	must(t, f.Add(t.Context(), engine.Principal{User: "ada"}, &engine.Forwarder{Name: "bucket", Address: "s3://logs"}, false))
	must(t, f.Forward(t.Context()))
	wantEqual(t, len(to.seqs), 0)
	at = at.Add(time.Minute)
	must(t, f.Forward(t.Context()))
	wantEqual(t, to.seqs, []int64{1})
}

func TestNothingIsRemovedThatIsYetToBeSentOn(t *testing.T) {
	s := open(t, sqliteURL(t))
	at, to := noon, &shelf{}
	f := forwardingTo(s, to, func() time.Time { return at })
	f.Audit.Keep = day
	must(t, f.Add(t.Context(), engine.Principal{User: "ada"}, &engine.Forwarder{Name: "siem", Address: "udp://logs"}, false))
	got(f.Audit.Checkpoint(t.Context()))(t)
	at = at.Add(2 * day)
	wantEqual(t, got(f.Audit.Clean(t.Context()))(t), int64(0))
	must(t, f.Forward(t.Context()))
	if n := got(f.Audit.Clean(t.Context()))(t); n == 0 {
		t.Error("what was sent on stays for ever")
	}
}
