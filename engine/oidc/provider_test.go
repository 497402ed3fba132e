package oidc_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest/idp"
	"github.com/cloudops-manager/cloudops/engine/oidc"
)

// glass seals nothing, but for the place: what was sealed for another issuer does not open.
type glass struct{}

func (glass) Seal(table, id, column string, plain []byte) ([]byte, error) {
	return append([]byte(table+id+column), plain...), nil
}

func (glass) Unseal(table, id, column string, sealed []byte) ([]byte, error) {
	plain, ok := strings.CutPrefix(string(sealed), table+id+column)
	if !ok {
		return nil, errors.New("it does not open")
	}
	return []byte(plain), nil
}

const callback = "http://127.0.0.1:1/login/callback"

var ada = idp.User{Subject: "1", Name: "ada", Email: "ada@example.com", Verified: true, Groups: []string{"ops", "all"}}

// fixture is a provider and a client of it.
type fixture struct {
	*idp.Server
	p   *oidc.Provider
	now time.Time
}

func newFixture(t *testing.T, edits ...func(*oidc.Options)) *fixture {
	t.Helper()
	f := &fixture{Server: idp.New(t, ada), now: time.Now()}
	f.Redirects = []string{callback}
	f.connect(t, edits...)
	return f
}

// connect makes the client anew.
func (f *fixture) connect(t *testing.T, edits ...func(*oidc.Options)) {
	t.Helper()
	o := oidc.Options{Issuer: f.URL, ClientID: idp.ClientID, ClientSecret: idp.Secret, RedirectURL: callback, Scopes: []string{"profile", "email"},
		NameClaim: "preferred_username", GroupsClaim: "groups", HTTP: &http.Client{Timeout: 10 * time.Second}, Sealer: glass{},
		Now: func() time.Time { return f.now }, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for _, edit := range edits {
		edit(&o)
	}
	var err error
	if f.p, err = oidc.New(o); err != nil {
		t.Fatal(err)
	}
}

// answer signs somebody in at the provider, and gives what it sends the browser back with.
func (f *fixture) answer(t *testing.T, name string) (kept string, answer url.Values) {
	t.Helper()
	to, kept, err := f.p.Begin(t.Context(), "/runs", "")
	if err != nil {
		t.Fatal(err)
	}
	return kept, follow(t, to, name)
}

// follow is a browser that signs in wherever it is sent.
func follow(t *testing.T, to, name string) url.Values {
	t.Helper()
	c := &http.Client{CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(req.URL.String(), callback) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	res, err := c.Get(to)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	id := res.Request.URL.Query().Get("authRequestID")
	if res, err = c.PostForm(res.Request.URL.String(), url.Values{"id": {id}, "username": {name}, "password": {idp.Password}}); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	back, err := url.Parse(res.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(back.String(), callback) {
		t.Fatalf("the provider sends to %s: %d, %v", back, res.StatusCode, err)
	}
	return back.Query()
}

// signIn goes all the way.
func (f *fixture) signIn(t *testing.T) (engine.SignOnIdentity, error) {
	t.Helper()
	kept, answer := f.answer(t, "ada")
	id, _, err := f.p.Finish(t.Context(), kept, answer)
	return id, err
}

func TestSignOn(t *testing.T) {
	f := newFixture(t)
	for name, inUserinfo := range map[string]bool{"claims in the ID token": false, "claims in the userinfo": true} {
		t.Run(name, func(t *testing.T) {
			f.InUserinfo = inUserinfo
			kept, answer := f.answer(t, "ada")
			id, flow, err := f.p.Finish(t.Context(), kept, answer)
			if err != nil {
				t.Fatal(err)
			}
			want := engine.SignOnIdentity{Issuer: f.URL, Subject: "1", Name: "ada", Groups: []string{"ops", "all"}}
			if diff := cmp.Diff(want, id); diff != "" || flow.Next != "/runs" {
				t.Errorf("%s, and on to %s", diff, flow.Next)
			}
			if _, _, err := f.p.Finish(t.Context(), kept, answer); !errors.Is(err, engine.ErrUnauthorized) {
				t.Errorf("the same code again: %v", err)
			}
		})
	}
	f.Rotate(t)
	if _, err := f.signIn(t); err != nil {
		t.Errorf("with another key: %v", err)
	}
}

func TestLinkingAsksForThePasswordOverThere(t *testing.T) {
	f := newFixture(t)
	for user, want := range map[string]string{"": "", "ada": "login"} {
		to, _, err := f.p.Begin(t.Context(), "/", user)
		u, parse := url.Parse(to)
		if err != nil || parse != nil || u.Query().Get("prompt") != want {
			t.Errorf("as %q it leads to %s, %v", user, to, err)
		}
	}
}

// Anybody may open the page that asks, and leave before there is an answer.
func TestWhoGoesAwayDoesNotMakeTheProviderUnreachable(t *testing.T) {
	f := newFixture(t)
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, _, err := f.p.Begin(gone, "/", ""); err != nil {
		t.Error(err)
	}
}

func TestWhoIsTaken(t *testing.T) {
	tests := map[string]struct {
		edit   func(*oidc.Options)
		change func(*idp.User)
		alter  func(map[string]any) string
		name   string // empty where nobody is
	}{
		"by a verified address":           {edit: byEmail, name: "ada@example.com"},
		"not by an unverified one":        {edit: byEmail, change: func(u *idp.User) { u.Verified = false }},
		"of a domain":                     {edit: ofDomain, name: "ada"},
		"not of another":                  {edit: ofDomain, change: func(u *idp.User) { u.Email = "ada@evil.example" }},
		"not by a domain that one claims": {edit: ofDomain, change: func(u *idp.User) { u.Verified = false }},
		"not without a name":              {edit: func(o *oidc.Options) { o.NameClaim = "upn" }},
		"of a domain that only the userinfo tells": {edit: ofDomain, name: "ada", alter: func(c map[string]any) string {
			delete(c, "email")
			delete(c, "email_verified")
			return ""
		}},
		"by an address that only the userinfo tells": {edit: byEmail, name: "ada@example.com", alter: func(c map[string]any) string { delete(c, "email_verified"); return "" }},
		"not with groups that are elsewhere": {alter: func(c map[string]any) string {
			delete(c, "groups")
			c["_claim_names"], c["_claim_sources"] = map[string]string{"groups": "src"}, map[string]any{"src": map[string]string{"endpoint": "https://x"}}
			return ""
		}},
	}
	f := newFixture(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f.connect(t, func(o *oidc.Options) {
				if tt.edit != nil {
					tt.edit(o)
				}
			})
			user := ada
			if tt.change != nil {
				tt.change(&user)
			}
			if tt.name == "" && tt.alter != nil {
				user.Groups = nil
			}
			f.Set(user)
			f.Alter = tt.alter
			id, err := f.signIn(t)
			if id.Name != tt.name || (err == nil) != (tt.name != "") || err != nil && !errors.Is(err, engine.ErrForbidden) {
				t.Errorf("%+v, %v", id, err)
			}
		})
	}
}

func byEmail(o *oidc.Options) { o.NameClaim = "email" }

func ofDomain(o *oidc.Options) { o.Domains = []string{"example.com"} }

func TestProviderThatIsAwayComesBack(t *testing.T) {
	away := true
	f := newFixture(t, func(o *oidc.Options) {
		o.HTTP.Transport = tripper(func(r *http.Request) (*http.Response, error) {
			if away {
				return nil, errors.New("no route to host")
			}
			return http.DefaultTransport.RoundTrip(r)
		})
	})
	if _, _, err := f.p.Begin(t.Context(), "/", ""); !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), "try again") {
		t.Errorf("while it is away: %v", err)
	}
	if to := f.p.SignOutURL(t.Context(), "http://x"); to != "" {
		t.Errorf("sign out at %s", to)
	}
	away = false
	if _, _, err := f.p.Begin(t.Context(), "/", ""); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("at once again: %v", err)
	}
	f.now = f.now.Add(5 * time.Second)
	if _, err := f.signIn(t); err != nil {
		t.Error(err)
	}
	if to := f.p.SignOutURL(t.Context(), "http://x/login"); !strings.HasPrefix(to, f.URL+"/end_session?") || !strings.Contains(to, "post_logout_redirect_uri=http%3A%2F%2Fx%2Flogin") {
		t.Errorf("sign out at %s", to)
	}
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestIssuersThatAreNone(t *testing.T) {
	for _, issuer := range []string{"", "login.example.com", "http://login.example.com", "https://", "https://x/?a=b", "https://u:p@x", "ftp://x"} {
		if _, err := oidc.New(oidc.Options{Issuer: issuer, ClientID: "x"}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%q: %v", issuer, err)
		}
	}
	if _, err := oidc.New(oidc.Options{Issuer: "https://login.example.com"}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("without a client: %v", err)
	}
}
