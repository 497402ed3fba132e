// Package issuer makes and uses the keys by which clouds know tokens of workload
// identity, with go-jose.
package issuer

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/go-jose/go-jose/v4"

	"github.com/cloudops-manager/cloudops/engine"
)

// bits is the size of keys. Every cloud takes it.
const bits = 2048

// Signer implements engine.TokenSigner with RS256, which is the one algorithm
// that AWS, Azure and Google all take: Microsoft Entra takes no other.
// Source: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations.
type Signer struct{}

// NewKey makes an RSA key in PKCS #8, and names it by its thumbprint (RFC 7638).
func (Signer) NewKey() (id string, private []byte, err error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return "", nil, err
	}
	if private, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return "", nil, err
	}
	sum, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(sum), private, err
}

// Sign returns the claims as a JWT in compact form, with the key's ID in its head.
func (Signer) Sign(k *engine.IssuerKey, claims []byte) (engine.Secret, error) {
	key, err := open(k)
	if err != nil {
		return "", err
	}
	opts := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", k.ID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, opts)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", err
	}
	token, err := signed.CompactSerialize()
	return engine.Secret(token), err
}

// Public returns the public halves as a JWK set (RFC 7517).
func (Signer) Public(keys []*engine.IssuerKey) (json.RawMessage, error) {
	var set jose.JSONWebKeySet
	for _, k := range keys {
		key, err := open(k)
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: k.ID, Algorithm: string(jose.RS256), Use: "sig"})
	}
	return json.Marshal(set)
}

func open(k *engine.IssuerKey) (*rsa.PrivateKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(k.Private)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the key of the issuer is none of RSA")
	}
	return key, nil
}
