package kms

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/cloudops-manager/cloudops/engine/rest"
)

// azureTokens signs in to Azure. A token is asked for with each call: there are
// a few of them at a start, and none after.
type azureTokens struct {
	resource string // "https://vault.azure.net"
	getenv   func(string) string
	client   *http.Client
}

// azureIdentity is where a machine has its own identity from. Source:
// https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token.
const azureIdentity = "http://169.254.169.254"

func (t *azureTokens) get(ctx context.Context) (string, error) {
	request := t.machine()
	if t.getenv("AZURE_TENANT_ID") != "" {
		var err error
		if request, err = t.application(); err != nil {
			return "", err
		}
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	err := rest.Call(ctx, t.client, request, &answer)
	return answer.Token, err
}

// machine asks for the token of a managed identity.
func (t *azureTokens) machine() rest.Request {
	at := t.getenv("AZURE_POD_IDENTITY_AUTHORITY_HOST")
	if at == "" {
		at = azureIdentity
	}
	query := url.Values{"api-version": {"2018-02-01"}, "resource": {t.resource}}
	if id := t.getenv("AZURE_CLIENT_ID"); id != "" {
		query.Set("client_id", id)
	}
	return rest.Request{Method: http.MethodGet, URL: strings.TrimSuffix(at, "/") + "/metadata/identity/oauth2/token?" + query.Encode(), Header: http.Header{"Metadata": {"true"}}}
}

// application asks for the token of an application, by its secret or by a token
// that somebody else vouches with. Source:
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow.
func (t *azureTokens) application() (rest.Request, error) {
	at := t.getenv("AZURE_AUTHORITY_HOST")
	if at == "" {
		at = "https://login.microsoftonline.com"
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {t.getenv("AZURE_CLIENT_ID")}, "scope": {t.resource + "/.default"}}
	if file := t.getenv("AZURE_FEDERATED_TOKEN_FILE"); file != "" {
		token, err := os.ReadFile(file)
		if err != nil {
			return rest.Request{}, err
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", strings.TrimSpace(string(token)))
	} else {
		form.Set("client_secret", t.getenv("AZURE_CLIENT_SECRET"))
	}
	return rest.Request{Method: http.MethodPost, URL: strings.TrimSuffix(at, "/") + "/" + url.PathEscape(t.getenv("AZURE_TENANT_ID")) + "/oauth2/v2.0/token", Body: form}, nil
}
