package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// Who has the database, and not the master key, could have the server sign a
// history of their own where it takes the word of the database for the last
// that was signed.
func TestAHistoryThatReplacesASignedOneIsNotSigned(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		a := auditOf(s)
		must(t, a.Start(t.Context()))
		must(t, s.AddEvent(t.Context(), event("run.apply", "shop")))
		got(a.Checkpoint(t.Context()))(t)
		events := got(s.EventsAfter(t.Context(), engine.EventFilter{}, 0, 10))(t)
		forged := *events[1]
		forged.Actor = "somebody else"
		forged = forged.Link(2, events[0].Hash)
		meddle(t, s, `DELETE FROM audit_checkpoints`,
			fmt.Sprintf(`UPDATE events SET actor = '%s', hash = '%s' WHERE seq = 2`, forged.Actor, forged.Hash),
			fmt.Sprintf(`UPDATE audit_head SET hash = '%s'`, forged.Hash))
		for _, sql := range []string{`SELECT 1`, `DELETE FROM events`, `UPDATE audit_head SET seq = 0, hash = '` + engine.ChainStart + `'`} {
			meddle(t, s, sql)
			if c, err := a.Checkpoint(t.Context()); !errors.Is(err, engine.ErrConflict) {
				t.Errorf("after %s it signed %+v, %v", sql, c, err)
			}
		}
	})
}

func TestKeysOfTheAuditLogAreRotated(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		a := auditOf(s)
		must(t, a.Start(t.Context()))
		first := got(a.Checkpoint(t.Context()))(t)
		next := got(a.RotateKey(t.Context(), engine.Principal{User: "ada"}))(t)
		keys := got(s.AuditKeys(t.Context()))(t)
		wantEqual(t, []string{keys[0].ID, keys[1].ID, keys[1].By}, []string{first.Key, next.ID, first.Key})
		wantEqual(t, []bool{keys[0].RetiredAt.IsZero(), keys[1].RetiredAt.IsZero()}, []bool{false, true})
		whole(t, s)
		wantEqual(t, got(s.AuditSigner(t.Context()))(t).ID, next.ID)
		wantKind(t, s.AddAuditKey(t.Context(), engine.NewAuditSigner(nil, noon), event("audit.key", "")), engine.ErrConflict)
	})
}

func TestCheckpointsComeInTime(t *testing.T) {
	s := open(t, sqliteURL(t))
	a, at := auditOf(s), noon
	a.Now = func() time.Time { return at }
	signed := func() int64 {
		t.Helper()
		must(t, a.Tend(t.Context()))
		return got(s.LastCheckpoint(t.Context(), at))(t).Seq
	}
	must(t, a.Start(t.Context()))
	first := signed()
	wantEqual(t, first, int64(1))
	must(t, s.AddEvent(t.Context(), event("note", "")))
	wantEqual(t, signed(), first)
	at = at.Add(time.Hour)
	wantEqual(t, signed(), first+1)
	many := make([]engine.Event, 1000)
	for i := range many {
		many[i] = event("note", "shop")
	}
	must(t, s.AddRevision(t.Context(), revision("shop"), engine.Beside{}, many...))
	wantEqual(t, signed(), first+1001)
}
