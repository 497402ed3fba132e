package issuer_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestTokensAreVerifiedByDiscoveryAlone(t *testing.T) {
	w := newWorld(t)
	id := w.mint(t, "sts.amazonaws.com")
	token, err := w.verify(t, w.relyingParty(t), "sts.amazonaws.com", id)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Stack, Phase, JTI string
		NBF, IAT, Exp     int64
	}
	if err := token.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if token.Subject != id.Subject || claims.Stack != "pay.web" || claims.Phase != "plan" || len(claims.JTI) != 32 {
		t.Errorf("token of %s with %+v", token.Subject, claims)
	}
	if life := token.Expiry.Sub(token.IssuedAt); life != time.Hour || claims.NBF > claims.IAT || !token.Expiry.Equal(id.ExpiresAt) {
		t.Errorf("it lives for %s from %d", life, claims.NBF)
	}
	if again := w.mint(t, "sts.amazonaws.com"); again.Token == id.Token {
		t.Error("two tokens are the same")
	}
	if _, err := w.verify(t, w.relyingParty(t), "api://AzureADTokenExchange", id); err == nil {
		t.Error("a token for AWS was taken by Azure")
	}
	w.now = w.now.Add(time.Hour + time.Minute)
	if _, err := w.verify(t, w.relyingParty(t), "sts.amazonaws.com", id); err == nil {
		t.Error("a token was taken after its end")
	}
	if strings.Contains(string(must(w.KeySet(t.Context()))), `"d"`) {
		t.Error("a private key is published")
	}
}

// What a cloud fetched when a key was published has to serve once that signs.
func TestKeysAreRotatedWhileTheyAreInUse(t *testing.T) {
	w := newWorld(t)
	before := w.mint(t, "aud")
	first := signing(t, w)
	if _, err := w.Rotate(t.Context(), engine.Principal{User: "ada"}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Rotate(t.Context(), engine.Principal{User: "ada"}, false); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("a third key while the second does not sign yet: %v", err)
	}
	if signing(t, w) != first {
		t.Error("a key signs that no cloud can know yet")
	}
	fetched := w.fetched(t, "aud")
	if _, err := fetched.Verify(t.Context(), before.Token); err != nil {
		t.Errorf("a token from before the rotation: %v", err)
	}
	w.now = w.now.Add(engine.KeyAhead - time.Second)
	late := w.mint(t, "aud")
	w.now = w.now.Add(time.Second)
	if signing(t, w) == first {
		t.Error("the old key still signs")
	}
	if _, err := fetched.Verify(t.Context(), w.mint(t, "aud").Token); err != nil {
		t.Errorf("a token of the new key, by keys that were fetched before it signed: %v", err)
	}
	w.now = late.ExpiresAt
	if err := w.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.verify(t, w.relyingParty(t), "aud", late); err != nil {
		t.Errorf("the last token of the old key, in its last second: %v", err)
	}
	w.now = w.now.Add(2 * time.Hour)
	if err := w.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := published(t, w); n != 1 || len(w.store.keys) != 1 {
		t.Errorf("%d keys are published, %d kept, once the old one's tokens are over", n, len(w.store.keys))
	}
}

func TestKeysAreRotatedByThemselves(t *testing.T) {
	w := newWorld(t)
	first := signing(t, w)
	for range 100 { // days
		w.now = w.now.Add(24 * time.Hour)
		for range 2 {
			if err := w.Tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n := published(t, w); n > 2 {
			t.Fatalf("%d keys are published", n)
		}
	}
	if signing(t, w) == first || len(w.store.keys) != 1 {
		t.Errorf("after 100 days there are %d keys", len(w.store.keys))
	}
}

func TestAKeyThatOthersHaveIsWithdrawn(t *testing.T) {
	w := newWorld(t)
	before := w.mint(t, "aud")
	if _, err := w.Rotate(t.Context(), engine.Principal{User: "ada"}, true); err != nil {
		t.Fatal(err)
	}
	if _, err := w.verify(t, w.relyingParty(t), "aud", before); err == nil {
		t.Error("a token of the withdrawn key is taken")
	}
	if _, err := w.verify(t, w.relyingParty(t), "aud", w.mint(t, "aud")); err != nil {
		t.Errorf("a token of the new key: %v", err)
	}
}

func signing(t *testing.T, w *world) string {
	t.Helper()
	keys, err := w.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return engine.Signing(keys, w.now).ID
}

func published(t *testing.T, w *world) int {
	t.Helper()
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(must(w.KeySet(t.Context())), &set); err != nil {
		t.Fatal(err)
	}
	return len(set.Keys)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
