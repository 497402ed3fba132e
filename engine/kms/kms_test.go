package kms

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

const bound = "cloudops data key"

// environ is an environment of its own.
func environ(values ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(values); i += 2 {
			if values[i] == name {
				return values[i+1]
			}
		}
		return ""
	}
}

func open(t *testing.T, uri string, env ...string) Key {
	t.Helper()
	k, err := Open(t.Context(), uri, environ(env...))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sealsAndOpens holds a key to what masters promise.
func sealsAndOpens(t *testing.T, k Key) {
	t.Helper()
	plain := bytes.Repeat([]byte("key"), 60)
	sealed, err := k.EncryptWithContext(t.Context(), plain, []byte(bound))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, plain[:20]) {
		t.Error("what is sealed shows its content")
	}
	if got, err := k.DecryptWithContext(t.Context(), sealed, []byte(bound)); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opened to %q, %v", got, err)
	}
	if _, err := k.DecryptWithContext(t.Context(), sealed, []byte("something else")); err == nil {
		t.Error("it opens with other associated data")
	}
	sealed[len(sealed)-3] ^= 1
	if _, err := k.DecryptWithContext(t.Context(), sealed, []byte(bound)); err == nil {
		t.Error("it opens though it was changed")
	}
}

func TestURIsThatNameNoKeyAreTold(t *testing.T) {
	for uri, want := range map[string]string{
		"https://example.com":                         "a key service is one of aws-kms://, azure-kv://, gcp-kms://, vault-transit://",
		"aws-kms://alias/cloudops":                    "it looks like aws-kms://arn:",
		"aws-kms://alias/cloudops?region=evil.com/":   "it looks like aws-kms://arn:",
		"azure-kv://vault":                            "it looks like azure-kv://",
		"azure-kv://vault@evil.com/key":               "it looks like azure-kv://",
		"gcp-kms://projects/p/locations/l/keyRings/r": "it looks like gcp-kms://",
		"vault-transit://transit":                     "it looks like vault-transit://",
	} {
		_, err := Open(t.Context(), uri, environ("VAULT_ADDR", "http://127.0.0.1"))
		if !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error = %v", uri, err)
		}
	}
}

func TestAWS(t *testing.T) {
	moto := enginetest.Moto(t)
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
	}
	key := open(t, "aws-kms://alias/cloudops?region=eu-west-1", "AWS_ENDPOINT_URL_KMS", moto.URL).(*awsKey)
	_, err := key.EncryptWithContext(t.Context(), []byte("x"), []byte(bound))
	if err == nil || !strings.Contains(err.Error(), "NotFoundException") || !strings.Contains(err.Error(), "kms:Encrypt") {
		t.Errorf("error = %v, want what AWS says and what to do", err)
	}
	var made struct{ KeyMetadata struct{ Arn string } }
	if err := key.client.Call(t.Context(), "TrentService.CreateKey", struct{}{}, &made); err != nil {
		t.Fatal(err)
	}
	if err := key.client.Call(t.Context(), "TrentService.CreateAlias", map[string]string{"AliasName": "alias/cloudops", "TargetKeyId": made.KeyMetadata.Arn}, nil); err != nil {
		t.Fatal(err)
	}
	sealsAndOpens(t, key)
	sealsAndOpens(t, open(t, "aws-kms://"+made.KeyMetadata.Arn, "AWS_ENDPOINT_URL", moto.URL))
}

// service answers the calls of a key service, of which the first is lost.
func service(t *testing.T, routes map[string]func(r *http.Request, in map[string]string) any) *httptest.Server {
	t.Helper()
	var calls atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		do, ok := routes[r.Method+" "+r.URL.Path]
		if !ok {
			t.Errorf("called %s %s", r.Method, r.URL.Path)
			http.NotFound(w, r)
			return
		}
		in := map[string]string{}
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
				t.Errorf("%s: %v", r.URL.Path, err)
			}
		}
		out := do(r, in)
		if out == nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func newAEAD(t *testing.T) cipher.AEAD {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	gcm, err := newGCM(key)
	if err != nil {
		t.Fatal(err)
	}
	return gcm
}

func decoded(s string) []byte {
	b, _ := base64.StdEncoding.DecodeString(s) // nothing where it is no base64
	return b
}

func TestTransit(t *testing.T) {
	gcm := newAEAD(t)
	let := func(r *http.Request) bool {
		return r.Header.Get("X-Vault-Token") == "hvs.token" && r.Header.Get("X-Vault-Namespace") == "team"
	}
	srv := service(t, map[string]func(*http.Request, map[string]string) any{
		"POST /v1/a/transit/encrypt/cloudops": func(r *http.Request, in map[string]string) any {
			if !let(r) {
				return nil
			}
			sealed := gcm.Seal(nil, nil, decoded(in["plaintext"]), decoded(in["associated_data"]))
			return map[string]any{"data": map[string]any{"ciphertext": "vault:v1:" + base64.StdEncoding.EncodeToString(sealed), "key_version": 1}}
		},
		"POST /v1/a/transit/decrypt/cloudops": func(r *http.Request, in map[string]string) any {
			plain, err := gcm.Open(nil, nil, decoded(strings.TrimPrefix(in["ciphertext"], "vault:v1:")), decoded(in["associated_data"]))
			if err != nil || !let(r) {
				return nil
			}
			return map[string]any{"data": map[string][]byte{"plaintext": plain}}
		},
	})
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("hvs.token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sealsAndOpens(t, open(t, "vault-transit://a/transit/cloudops", "VAULT_ADDR", srv.URL, "VAULT_NAMESPACE", "team", "VAULT_TOKEN_FILE", file))
	_, err := open(t, "vault-transit://a/transit/cloudops", "VAULT_ADDR", srv.URL, "VAULT_TOKEN", "hvs.wrong").EncryptWithContext(t.Context(), []byte("x"), nil)
	if err == nil || !strings.Contains(err.Error(), "400") || !strings.Contains(err.Error(), "VAULT_ADDR") || strings.Contains(err.Error(), "hvs.wrong") {
		t.Errorf("error = %v", err)
	}
}

func TestGCP(t *testing.T) {
	gcm := newAEAD(t)
	const key = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"
	let := func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer gcp-token" }
	srv := service(t, map[string]func(*http.Request, map[string]string) any{
		"POST /token": func(r *http.Request, _ map[string]string) any {
			if r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
				return nil
			}
			return map[string]any{"access_token": "gcp-token", "token_type": "Bearer", "expires_in": 3600}
		},
		"POST /v1/" + key + ":encrypt": func(r *http.Request, in map[string]string) any {
			if !let(r) {
				return nil
			}
			return map[string]any{"name": key, "ciphertext": gcm.Seal(nil, nil, decoded(in["plaintext"]), decoded(in["additionalAuthenticatedData"]))}
		},
		"POST /v1/" + key + ":decrypt": func(r *http.Request, in map[string]string) any {
			plain, err := gcm.Open(nil, nil, decoded(in["ciphertext"]), decoded(in["additionalAuthenticatedData"]))
			if err != nil || !let(r) {
				return nil
			}
			return map[string][]byte{"plaintext": plain}
		},
	})
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", serviceAccount(t, srv.URL+"/token"))
	sealsAndOpens(t, open(t, "gcp-kms://"+key, "CLOUDOPS_GCP_KMS_ENDPOINT", srv.URL))
}

func newRSA(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// serviceAccount is a file with the key of a service account.
func serviceAccount(t *testing.T, tokens string) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(newRSA(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "a@p.iam.gserviceaccount.com", "token_uri": tokens,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))})
	file := filepath.Join(t.TempDir(), "account.json")
	if err := errors.Join(err, os.WriteFile(file, b, 0o600)); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAzure(t *testing.T) {
	key := newRSA(t)
	value := func(in map[string]string) []byte {
		b, _ := base64.RawURLEncoding.DecodeString(in["value"])
		return b
	}
	answer := func(r *http.Request, b []byte, err error) any {
		if err != nil || r.Header.Get("Authorization") != "Bearer azure-token" || r.URL.Query().Get("api-version") == "" {
			return nil
		}
		return map[string]string{"kid": "https://v.vault.azure.net/keys/k/v7", "value": base64.RawURLEncoding.EncodeToString(b)}
	}
	srv := service(t, map[string]func(*http.Request, map[string]string) any{
		"POST /tenant/oauth2/v2.0/token": func(r *http.Request, _ map[string]string) any {
			if r.FormValue("client_id") != "app" || r.FormValue("client_secret") != "pw" || r.FormValue("scope") != "https://vault.azure.net/.default" {
				return nil
			}
			return map[string]string{"access_token": "azure-token"}
		},
		"GET /metadata/identity/oauth2/token": func(r *http.Request, _ map[string]string) any {
			if r.Header.Get("Metadata") != "true" || r.URL.Query().Get("resource") != "https://vault.azure.net" {
				return nil
			}
			return map[string]string{"access_token": "azure-token"}
		},
		"POST /keys/k/wrapkey": func(r *http.Request, in map[string]string) any {
			b, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, value(in), nil)
			return answer(r, b, err)
		},
		"POST /keys/k/v7/unwrapkey": func(r *http.Request, in map[string]string) any { // the version that wrapped it
			b, err := rsa.DecryptOAEP(sha256.New(), nil, key, value(in), nil)
			return answer(r, b, err)
		},
	})
	for name, env := range map[string][]string{
		"application":      {"AZURE_TENANT_ID", "tenant", "AZURE_CLIENT_ID", "app", "AZURE_CLIENT_SECRET", "pw", "AZURE_AUTHORITY_HOST", srv.URL},
		"managed identity": {"AZURE_POD_IDENTITY_AUTHORITY_HOST", srv.URL},
	} {
		t.Run(name, func(t *testing.T) {
			k := open(t, "azure-kv://v/k", env...).(*azureKey)
			if k.url != "https://v.vault.azure.net/keys/k" {
				t.Errorf("the key is at %s", k.url)
			}
			k.url = srv.URL + "/keys/k"
			sealsAndOpens(t, k)
		})
	}
}
