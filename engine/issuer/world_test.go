package issuer_test

import (
	"context"
	"crypto"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/issuer"
)

// memory keeps keys as a database does.
type memory struct {
	mu   sync.Mutex
	keys []*engine.IssuerKey
}

func (m *memory) IssuerKeys(context.Context) ([]*engine.IssuerKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.keys), nil
}

func (m *memory) AddIssuerKey(_ context.Context, k *engine.IssuerKey, alone bool, _ engine.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.keys) > 0 && k.Number <= m.keys[len(m.keys)-1].Number {
		return engine.Conflict("somebody else was faster")
	}
	if alone {
		m.keys = nil
	}
	m.keys = append(m.keys, k)
	return nil
}

func (m *memory) DropIssuerKeys(_ context.Context, below int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys = slices.DeleteFunc(m.keys, func(k *engine.IssuerKey) bool { return k.Number < below })
	return nil
}

// world is an issuer with a clock of its own, and a cloud that trusts it.
type world struct {
	*engine.Issuer
	now   time.Time
	store *memory
}

func newWorld(t *testing.T) *world {
	w := &world{now: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC), store: &memory{}}
	w.Issuer = &engine.Issuer{Store: w.store, Signer: issuer.Signer{}, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+engine.DiscoveryPath, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(w.Discovery())
	})
	mux.HandleFunc("GET "+engine.KeySetPath, func(rw http.ResponseWriter, r *http.Request) {
		doc, err := w.KeySet(r.Context())
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = rw.Write(doc)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	w.URL = srv.URL
	return w
}

// mint gives a token as a step of the run gets it.
func (w *world) mint(t *testing.T, audience string) engine.Identity {
	t.Helper()
	id, err := w.Mint(t.Context(), "project:pay:stack:web:phase:plan", audience, map[string]any{"stack": "pay.web", "phase": engine.PhasePlan})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// relyingParty is what a cloud has fetched of the issuer.
func (w *world) relyingParty(t *testing.T) *oidc.Provider {
	t.Helper()
	p, err := oidc.NewProvider(t.Context(), w.URL)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// verify looks at the token as a cloud does which has kept the keys of p.
func (w *world) verify(t *testing.T, p *oidc.Provider, audience string, id engine.Identity) (*oidc.IDToken, error) {
	return p.Verifier(&oidc.Config{ClientID: audience, Now: func() time.Time { return w.now }}).Verify(t.Context(), id.Token)
}

// fetched verifies by the keys that are published now, whatever is later.
func (w *world) fetched(t *testing.T, audience string) *oidc.IDTokenVerifier {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(must(w.KeySet(t.Context())), &set); err != nil {
		t.Fatal(err)
	}
	keys := &oidc.StaticKeySet{}
	for _, k := range set.Keys {
		keys.PublicKeys = append(keys.PublicKeys, crypto.PublicKey(k.Key))
	}
	return oidc.NewVerifier(w.URL, keys, &oidc.Config{ClientID: audience, Now: func() time.Time { return w.now }})
}
