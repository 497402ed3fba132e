// Package kms seals keys under a master key that is kept by a key service: AWS
// KMS, Azure Key Vault, Google Cloud KMS, or the transit engine of HashiCorp
// Vault. The key itself never comes here. A service is asked when a server
// starts and when keys are rotated, and never for a value.
package kms

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// Key is a master key. What it seals opens only with the same associated data.
type Key interface {
	EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error)
	DecryptWithContext(ctx context.Context, ciphertext, associatedData []byte) ([]byte, error)
	String() string // its URI
}

// named is a key's URI.
type named string

func (n named) String() string { return string(n) }

// place is what a URI says: what stands behind ://, and its settings.
type place struct {
	uri   named
	path  string
	query url.Values
}

// openers are the services by scheme.
func openers() map[string]func(context.Context, place, func(string) string) (Key, error) {
	return map[string]func(context.Context, place, func(string) string) (Key, error){
		"aws-kms": openAWS, "azure-kv": openAzure, "gcp-kms": openGCP, "vault-transit": openTransit,
	}
}

// Schemes lists the schemes that Open knows.
func Schemes() []string {
	var all []string
	for scheme := range openers() {
		all = append(all, scheme)
	}
	slices.Sort(all)
	return all
}

// Open finds the key that a URI names; how to sign in is in the environment, as
// each service's own tools have it. It asks nobody yet.
func Open(ctx context.Context, uri string, getenv func(string) string) (Key, error) {
	scheme, rest, ok := strings.Cut(uri, "://")
	open, known := openers()[scheme]
	if !ok || !known {
		return nil, engine.Invalid("master key %q: a key service is one of %s", uri, strings.Join(Schemes(), "://, ")+"://")
	}
	path, settings, _ := strings.Cut(rest, "?") // the ARNs of AWS are no URLs
	query, err := url.ParseQuery(settings)
	if err != nil {
		return nil, engine.Invalid("master key %q: %v", uri, err)
	}
	return open(ctx, place{named(uri), path, query}, getenv)
}

// wrong is a URI that does not name a key.
func (p place) wrong(like string) error {
	return engine.Invalid("master key %q does not name a key; it looks like %s", string(p.uri), like)
}

// explain adds to the error of a service what may be done.
func explain(err error, advice string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w (%s)", err, advice)
}
