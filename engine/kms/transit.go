package kms

import (
	"context"
	"net/http"
	"strings"

	"github.com/cloudops-manager/cloudops/engine/hashivault"
)

// transitKey is a key in the transit engine of a HashiCorp Vault.
type transitKey struct {
	named
	mount, key string
	client     *hashivault.Client
}

const transitAdvice = "the server needs VAULT_ADDR, a token in VAULT_TOKEN or VAULT_TOKEN_FILE, and update on encrypt/KEY and decrypt/KEY of the mount"

// openTransit takes vault-transit://MOUNT/KEY.
func openTransit(_ context.Context, p place, getenv func(string) string) (Key, error) {
	at := strings.LastIndexByte(p.path, '/')
	if at < 1 || at == len(p.path)-1 {
		return nil, p.wrong("vault-transit://transit/cloudops")
	}
	client, err := hashivault.FromEnvironment(getenv)
	return &transitKey{p.uri, p.path[:at], p.path[at+1:], client}, explain(err, transitAdvice)
}

// transitCall is a request or an answer. Source:
// https://developer.hashicorp.com/vault/api-docs/secret/transit#encrypt-data.
type transitCall struct {
	Plaintext  []byte `json:"plaintext,omitempty"`
	Ciphertext string `json:"ciphertext,omitempty"` // "vault:v1:..."
	Bound      []byte `json:"associated_data,omitempty"`
}

func (k *transitKey) EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error) {
	var out transitCall
	err := k.client.Call(ctx, http.MethodPost, k.mount+"/encrypt/"+k.key, transitCall{Plaintext: plaintext, Bound: associatedData}, &out)
	return []byte(out.Ciphertext), explain(err, transitAdvice)
}

func (k *transitKey) DecryptWithContext(ctx context.Context, ciphertext, associatedData []byte) ([]byte, error) {
	var out transitCall
	err := k.client.Call(ctx, http.MethodPost, k.mount+"/decrypt/"+k.key, transitCall{Ciphertext: string(ciphertext), Bound: associatedData}, &out)
	return out.Plaintext, explain(err, transitAdvice)
}
