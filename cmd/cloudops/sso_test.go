package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest/idp"
)

// TestServerSignsPeopleInAtAProvider goes all the way with a server as it is
// started, which reaches the provider by the guarded way out.
func TestServerSignsPeopleInAtAProvider(t *testing.T) {
	at := idp.New(t, idp.User{Subject: "1", Name: "Ada", Email: "ada@example.com", Verified: true, Groups: []string{"ops"}})
	t.Setenv("CLOUDOPS_OIDC_CLIENT_SECRET", idp.Secret)
	for name, allow := range map[string]bool{"a private address that nobody allowed": false, "one that is allowed": true} {
		t.Run(name, func(t *testing.T) {
			args := []string{"--oidc-issuer", at.URL, "--oidc-client-id", idp.ClientID, "--oidc-role", "operator"}
			if allow {
				args = append(args, "--allow-private-network", "127.0.0.1")
			}
			s := startServer(t, args...)
			at.Redirects = []string{s.url + "/login/callback"}
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			browser := &http.Client{Jar: jar}
			res := ask(t, func() (*http.Response, error) { return browser.Get(s.url + "/login/sso?next=/account") })
			if sent := strings.HasPrefix(res.Request.URL.String(), at.URL); sent != allow {
				t.Fatalf("it leads to %s", res.Request.URL)
			}
			if !allow {
				return
			}
			form := url.Values{"id": {res.Request.URL.Query().Get("authRequestID")}, "username": {"Ada"}, "password": {idp.Password}}
			res = ask(t, func() (*http.Response, error) { return browser.PostForm(res.Request.URL.String(), form) })
			if res.StatusCode != http.StatusOK || res.Request.URL.Path != "/account" {
				t.Errorf("it ends at %s with status %d", res.Request.URL, res.StatusCode)
			}
			if out := s.cli(t, "", "user", "list"); !strings.Contains(out, "ada") || !strings.Contains(out, "operator") {
				t.Errorf("users: %s", out)
			}
		})
	}
}

// ask makes a request of which only the head of the answer matters.
func ask(t *testing.T, do func() (*http.Response, error)) *http.Response {
	t.Helper()
	res, err := do()
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}
