package kms

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/cloudops-manager/cloudops/engine/rest"
)

// azureKey is an RSA key in Azure Key Vault or a Managed HSM. RSA binds nothing
// and takes little, so it seals a key of 256 bits that is used once, which
// seals the rest with AES-GCM.
type azureKey struct {
	named
	url    string // of the key, without a version
	tokens *azureTokens
	client *http.Client
}

const (
	azureAdvice  = "the server needs wrapKey and unwrapKey on the key, and a managed identity, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE"
	azureVersion = "7.4"
	azureAlg     = "RSA-OAEP-256"
)

var azureKeyRule = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([A-Za-z0-9-]+(?:\.[a-z0-9.-]+)?)/([A-Za-z0-9-]+)$`)
})

// openAzure takes azure-kv://VAULT/KEY; the vault is its name, or its whole host
// where that is not in vault.azure.net.
func openAzure(_ context.Context, p place, getenv func(string) string) (Key, error) {
	parts := azureKeyRule().FindStringSubmatch(p.path)
	if parts == nil {
		return nil, p.wrong("azure-kv://my-vault/my-key")
	}
	host := parts[1]
	if !strings.Contains(host, ".") {
		host += ".vault.azure.net"
	}
	_, domain, _ := strings.Cut(host, ".")
	client := rest.NewClient()
	return &azureKey{p.uri, "https://" + host + "/keys/" + parts[2], &azureTokens{resource: "https://" + domain, getenv: getenv, client: client}, client}, nil
}

// azureSealed is a sealed value.
type azureSealed struct {
	Version string `json:"version"` // of the key
	Key     []byte `json:"key"`     // that seals data, wrapped
	Data    []byte `json:"data"`    // nonce and ciphertext
}

// azureCall is a request or an answer; values are base64url. Source:
// https://learn.microsoft.com/rest/api/keyvault/keys/wrap-key/wrap-key.
type azureCall struct {
	Alg   string `json:"alg,omitempty"`
	Kid   string `json:"kid,omitempty"`
	Value string `json:"value"`
}

func (k *azureKey) EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error) {
	once := make([]byte, 32)
	rand.Read(once)
	wrapped, kid, err := k.call(ctx, "", "wrapkey", once)
	if err != nil {
		return nil, err
	}
	gcm, err := newGCM(once)
	if err != nil {
		return nil, err
	}
	return json.Marshal(azureSealed{Version: path.Base(kid), Key: wrapped, Data: gcm.Seal(nil, nil, plaintext, associatedData)}) // #nosec G407 -- the mode makes its own nonce
}

func (k *azureKey) DecryptWithContext(ctx context.Context, ciphertext, associatedData []byte) ([]byte, error) {
	var s azureSealed
	if err := json.Unmarshal(ciphertext, &s); err != nil {
		return nil, errors.New("it was not sealed by Azure Key Vault")
	}
	once, _, err := k.call(ctx, "/"+path.Base(s.Version), "unwrapkey", s.Key)
	if err != nil {
		return nil, err
	}
	gcm, err := newGCM(once)
	if err != nil {
		return nil, err
	}
	return gcm.Open(nil, nil, s.Data, associatedData)
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (k *azureKey) call(ctx context.Context, version, operation string, value []byte) (out []byte, kid string, err error) {
	token, err := k.tokens.get(ctx)
	if err != nil {
		return nil, "", explain(fmt.Errorf("no token of Azure: %w", err), azureAdvice)
	}
	var answer azureCall
	err = rest.Call(ctx, k.client, rest.Request{
		Method: http.MethodPost, URL: k.url + version + "/" + operation + "?api-version=" + azureVersion,
		Header: http.Header{"Authorization": {"Bearer " + token}},
		Body:   azureCall{Alg: azureAlg, Value: base64.RawURLEncoding.EncodeToString(value)},
	}, &answer)
	if err != nil {
		return nil, "", explain(err, azureAdvice)
	}
	out, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(answer.Value, "="))
	return out, answer.Kid, err
}
