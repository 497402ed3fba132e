package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/cloudops-manager/cloudops/engine"
)

// Store keeps what is got from an authority, keys included, for all processes
// of an installation. Certificate wraps engine.ErrNotFound where there is none.
type Store interface {
	Certificate(ctx context.Context, name string) ([]byte, error)
	PutCertificate(ctx context.Context, name string, data []byte) error
	DeleteCertificate(ctx context.Context, name string) error
}

// Authority is an authority that gives certificates by ACME (RFC 8555).
type Authority struct {
	Directory string       // address; empty for Let's Encrypt
	Email     string       // whom it tells of problems; may be empty
	Domains   []string     // that it is asked for
	Client    *http.Client // nil for one with the machine's certificates
	Store     Store
}

// Manager gets certificates when they are first asked for, and anew when a third of
// their time is left. It answers challenges by TLS (RFC 8737) as part of Config, and
// by HTTP as part of HTTP.
type Manager struct{ m *autocert.Manager }

// Manager uses the authority. Whoever configures it agrees to its terms.
func (a Authority) Manager() *Manager {
	return &Manager{&autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: cache{a.Store}, HostPolicy: autocert.HostWhitelist(a.Domains...), Email: a.Email,
		Client: &acme.Client{DirectoryURL: a.Directory, HTTPClient: a.Client, UserAgent: "cloudops"},
	}}
}

// Config is TLS with the authority's certificates.
func (m *Manager) Config() *tls.Config {
	c := Config(m.m.GetCertificate)
	c.NextProtos = append(c.NextProtos, acme.ALPNProto)
	return c
}

// HTTP answers challenges by HTTP and gives all else to next.
func (m *Manager) HTTP(next http.Handler) http.Handler { return m.m.HTTPHandler(next) }

// cache is a Store as autocert asks for it.
type cache struct{ store Store }

// Get implements autocert.Cache.
func (c cache) Get(ctx context.Context, name string) ([]byte, error) {
	b, err := c.store.Certificate(ctx, name)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, autocert.ErrCacheMiss
	}
	return b, err
}

// Put implements autocert.Cache.
func (c cache) Put(ctx context.Context, name string, data []byte) error {
	return c.store.PutCertificate(ctx, name, data)
}

// Delete implements autocert.Cache.
func (c cache) Delete(ctx context.Context, name string) error {
	return c.store.DeleteCertificate(ctx, name)
}
