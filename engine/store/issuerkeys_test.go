package store_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func issuerKey(number int) *engine.IssuerKey {
	k := &engine.IssuerKey{}
	new(filler).fill(k)
	k.Number, k.ID, k.SignsAt = number, "key-"+string(rune('0'+number)), noon.Add(time.Duration(number)*time.Hour)
	k.Private = []byte(secret)
	return k
}

func TestIssuerKeysAreKeptInOrderAndDropped(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		for n := range 3 {
			must(t, s.AddIssuerKey(t.Context(), issuerKey(n+1), false, event("issuer.rotate", "")))
		}
		wantEqual(t, got(s.IssuerKeys(t.Context()))(t), []*engine.IssuerKey{issuerKey(1), issuerKey(2), issuerKey(3)})
		wantKind(t, s.AddIssuerKey(t.Context(), issuerKey(3), true, event("late", "")), engine.ErrConflict)
		must(t, s.DropIssuerKeys(t.Context(), 2))
		wantEqual(t, got(s.IssuerKeys(t.Context()))(t), []*engine.IssuerKey{issuerKey(2), issuerKey(3)})
		must(t, s.AddIssuerKey(t.Context(), issuerKey(4), true, event("issuer.withdraw", "")))
		wantEqual(t, got(s.IssuerKeys(t.Context()))(t), []*engine.IssuerKey{issuerKey(4)})
		wantEqual(t, actions(t, s, ""), []string{"issuer.rotate", "issuer.rotate", "issuer.rotate", "issuer.withdraw"})
	})
}

// A key that could be put into another row, or read, would sign anything.
func TestIssuerKeyIsSealedForItsOwnRow(t *testing.T) {
	url := sqliteURL(t)
	s := open(t, url)
	must(t, s.AddIssuerKey(t.Context(), issuerKey(1), false, event("issuer.rotate", "")))
	if bytes.Contains(onDisk(t, url), []byte(secret)) {
		t.Error("the file holds the key in plain text")
	}
	got(got(s.SQL())(t).ExecContext(t.Context(), `UPDATE issuer_keys SET id = 'other'`))(t)
	if _, err := s.IssuerKeys(t.Context()); err == nil {
		t.Error("a key opened in another row")
	}
}
