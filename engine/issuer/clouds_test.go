package issuer_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"golang.org/x/oauth2/google"

	"github.com/cloudops-manager/cloudops/engine"
)

// lay writes the files of an access and a token as a runner does.
func lay(t *testing.T, a *engine.CloudAccess, token string) (env map[string]string, dir string) {
	t.Helper()
	dir = t.TempDir()
	env, files := a.Files(dir)
	files[engine.TokenFile] = []byte(token)
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return env, dir
}

// fakeGoogle is Google's STS and its service for impersonation. It verifies the
// token that it gets by discovery.
func fakeGoogle(t *testing.T, w *world, provider string) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/token", func(rw http.ResponseWriter, r *http.Request) {
		id := engine.Identity{Token: r.PostFormValue("subject_token")}
		if _, err := w.verify(t, w.relyingParty(t), "https:"+provider, id); err != nil ||
			r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange" || r.PostFormValue("audience") != provider {
			http.Error(rw, "refused", http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(rw, `{"access_token": "federated", "issued_token_type": "urn:ietf:params:oauth:token-type:access_token", "token_type": "Bearer", "expires_in": 3600}`)
	})
	mux.HandleFunc("POST /v1/projects/-/serviceAccounts/{account}", func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer federated" || r.PathValue("account") != "plan@pay.iam.gserviceaccount.com:generateAccessToken" {
			http.Error(rw, "refused", http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(rw, `{"accessToken": "of the service account", "expireTime": "2126-01-02T13:00:00Z"}`)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

// Google's own library takes the file, which Terraform's provider uses, too.
func TestGoogleTakesTheTokenAndImpersonates(t *testing.T) {
	w := newWorld(t)
	const provider = "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/ci/providers/cloudops"
	srv := fakeGoogle(t, w, provider)
	env, _ := lay(t, &engine.CloudAccess{Kind: engine.CredentialGCPWorkloadIdentity, Fields: map[string]string{
		"audience": provider, "service_account": "plan@pay.iam.gserviceaccount.com", "project_id": "pay"}}, w.mint(t, "https:"+provider).Token)
	if env["GCP_AUTH_KIND"] != "application" || env["GOOGLE_PROJECT"] != "pay" || env["GCP_PROJECT"] != "pay" {
		t.Errorf("environment %v", env)
	}
	doc := must(os.ReadFile(env["GOOGLE_APPLICATION_CREDENTIALS"]))
	for _, host := range []string{"https://sts.googleapis.com", "https://iamcredentials.googleapis.com"} {
		if !bytes.Contains(doc, []byte(host)) {
			t.Errorf("%s is not in %s", host, doc)
		}
		doc = bytes.ReplaceAll(doc, []byte(host), []byte(srv.URL))
	}
	creds, err := google.CredentialsFromJSONWithType(t.Context(), doc, google.ExternalAccount, "https://www.googleapis.com/auth/cloud-platform")
	if err != nil {
		t.Fatal(err)
	}
	token, err := creds.TokenSource.Token()
	if err != nil || token.AccessToken != "of the service account" {
		t.Errorf("token %v, %v", token, err)
	}
}

// fakeEntra answers for login.microsoftonline.com. It verifies the assertion by
// discovery, and compares subject and audience as a whole.
type fakeEntra struct {
	t *testing.T
	w *world
}

func (e fakeEntra) Do(r *http.Request) (*http.Response, error) {
	answer := func(code int, doc any) (*http.Response, error) {
		b, err := json.Marshal(doc)
		return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(b)), Request: r}, err
	}
	base := "https://" + r.URL.Host + "/tenant.example/"
	if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
		return answer(http.StatusOK, map[string]string{"issuer": base + "v2.0", "token_endpoint": base + "oauth2/v2.0/token", "authorization_endpoint": base + "oauth2/v2.0/authorize"})
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	token, err := e.w.verify(e.t, e.w.relyingParty(e.t), "api://AzureADTokenExchange", engine.Identity{Token: form.Get("client_assertion")})
	if err != nil || token.Subject != "project:pay:stack:web:phase:plan" || form.Get("client_id") != "00000000-0000-0000-0000-000000000001" {
		return answer(http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
	}
	return answer(http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": 3600, "access_token": "of the application"})
}

// The Azure SDK takes what stands in the environment, as Ansible's modules do.
// Terraform's provider has the same under names of its own.
func TestAzureTakesTheToken(t *testing.T) {
	w := newWorld(t)
	env, dir := lay(t, &engine.CloudAccess{Kind: engine.CredentialAzureFederated, Fields: map[string]string{
		"tenant_id": "tenant.example", "client_id": "00000000-0000-0000-0000-000000000001", "subscription_id": "s", "audience": "api://AzureADTokenExchange"}},
		w.mint(t, "api://AzureADTokenExchange").Token)
	for name, want := range map[string]string{
		"ARM_USE_OIDC": "true", "ARM_OIDC_TOKEN_FILE_PATH": filepath.Join(dir, "token"), "ARM_TENANT_ID": "tenant.example",
		"ARM_CLIENT_ID": env["AZURE_CLIENT_ID"], "ARM_SUBSCRIPTION_ID": "s", "AZURE_SUBSCRIPTION_ID": "s",
	} {
		if env[name] != want {
			t.Errorf("%s = %q, want %q", name, env[name], want)
		}
	}
	for name, value := range env {
		if strings.HasPrefix(name, "AZURE_") {
			t.Setenv(name, value)
		}
	}
	cred, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: azcore.ClientOptions{Transport: fakeEntra{t, w}}, DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	token, err := cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	if err != nil || token.Token != "of the application" {
		t.Errorf("token %q, %v", token.Token, err)
	}
}
