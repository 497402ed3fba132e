package kms

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/cloudops-manager/cloudops/engine/rest"
)

// gcpKey is a symmetric key in Google Cloud KMS.
type gcpKey struct {
	named
	url    string
	client *http.Client
}

const (
	gcpAdvice = "the server needs the role Cloud KMS CryptoKey Encrypter/Decrypter on the key, and Application Default Credentials"
	gcpScope  = "https://www.googleapis.com/auth/cloudkms"
)

var gcpKeyRule = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$`)
})

// openGCP takes gcp-kms://projects/P/locations/L/keyRings/R/cryptoKeys/K. The
// endpoint may be another by CLOUDOPS_GCP_KMS_ENDPOINT, as behind Private
// Service Connect.
func openGCP(ctx context.Context, p place, getenv func(string) string) (Key, error) {
	if !gcpKeyRule().MatchString(p.path) {
		return nil, p.wrong("gcp-kms://projects/P/locations/europe-west1/keyRings/R/cryptoKeys/K")
	}
	// The client outlives what it was made in, and asks for tokens again and again.
	ctx = context.WithValue(context.WithoutCancel(ctx), oauth2.HTTPClient, rest.NewClient())
	credentials, err := google.FindDefaultCredentials(ctx, gcpScope)
	if err != nil {
		return nil, explain(err, gcpAdvice)
	}
	endpoint := getenv("CLOUDOPS_GCP_KMS_ENDPOINT")
	if endpoint == "" {
		endpoint = "https://cloudkms.googleapis.com"
	}
	return &gcpKey{p.uri, strings.TrimSuffix(endpoint, "/") + "/v1/" + p.path, oauth2.NewClient(ctx, credentials.TokenSource)}, nil
}

// gcpCall is a request or an answer. Source:
// https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/encrypt.
type gcpCall struct {
	Plaintext  []byte `json:"plaintext,omitempty"`
	Ciphertext []byte `json:"ciphertext,omitempty"`
	Bound      []byte `json:"additionalAuthenticatedData,omitempty"`
}

func (k *gcpKey) EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error) {
	var out gcpCall
	err := rest.Call(ctx, k.client, rest.Request{Method: http.MethodPost, URL: k.url + ":encrypt", Body: gcpCall{Plaintext: plaintext, Bound: associatedData}}, &out)
	return out.Ciphertext, explain(err, gcpAdvice)
}

func (k *gcpKey) DecryptWithContext(ctx context.Context, ciphertext, associatedData []byte) ([]byte, error) {
	var out gcpCall
	err := rest.Call(ctx, k.client, rest.Request{Method: http.MethodPost, URL: k.url + ":decrypt", Body: gcpCall{Ciphertext: ciphertext, Bound: associatedData}}, &out)
	return out.Plaintext, explain(err, gcpAdvice)
}
