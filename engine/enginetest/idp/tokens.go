package idp

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// key is a key that the provider signs with.
type key struct {
	id      string
	private *rsa.PrivateKey
}

func newKey(t testing.TB) *key {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &key{rand.Text(), private}
}

// first is the key that every provider begins with: they take long to make.
var first = sync.OnceValue(func() *rsa.PrivateKey {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return private
})

// ID implements op.SigningKey.
func (k *key) ID() string { return k.id }

// SignatureAlgorithm implements op.SigningKey.
func (k *key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }

// Key implements op.SigningKey.
func (k *key) Key() any { return k.private }

// published is a key as everybody sees it.
type published struct{ *key }

func (p published) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (p published) Use() string                        { return "sig" }
func (p published) Key() any                           { return &p.private.PublicKey }

// Rotate has tokens signed by another key from now on.
func (s *Server) Rotate(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.old, s.key = append(s.old, s.key), newKey(t)
}

// SigningKey implements op.Storage.
func (s *Server) SigningKey(context.Context) (op.SigningKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.key, nil
}

// KeySet implements op.Storage.
func (s *Server) KeySet(context.Context) ([]op.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := []op.Key{published{s.key}}
	for _, k := range s.old {
		keys = append(keys, published{k})
	}
	return keys, nil
}

// token answers as the provider does, with the ID token altered.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	s.provider.ServeHTTP(rec, r)
	body := rec.Body.Bytes()
	if s.Alter != nil && rec.Code == http.StatusOK {
		body = s.altered(body)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(rec.Code)
	_, _ = w.Write(body) // who asks has gone
}

func (s *Server) altered(body []byte) []byte {
	var answer, claims map[string]any
	if json.Unmarshal(body, &answer) != nil {
		return body
	}
	parts := strings.Split(answer["id_token"].(string), ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return body
	}
	alg := s.Alter(claims)
	if answer["id_token"], err = s.sign(claims, alg); err != nil {
		return body
	}
	body, _ = json.Marshal(answer) // it was JSON
	return body
}

func (s *Server) sign(claims map[string]any, alg string) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	if alg == "none" {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + ".", nil
	}
	s.mu.Lock()
	by := jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: s.key.private, KeyID: s.key.id}}
	s.mu.Unlock()
	if alg == "HS256" {
		by = jose.SigningKey{Algorithm: jose.HS256, Key: []byte(Secret + strings.Repeat("-", 32))}
	}
	signer, err := jose.NewSigner(by, nil)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}
