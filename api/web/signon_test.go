package web_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/enginetest/idp"
	"github.com/cloudops-manager/cloudops/engine/oidc"
)

// people are those at the provider.
var people = []idp.User{
	{Subject: "1", Name: "Ada", Email: "ada@example.com", Verified: true, Groups: []string{"ops", "all"}},
	{Subject: "2", Name: "admin", Email: "eve@example.com", Verified: true, Groups: []string{"all"}},
}

// withProvider lets people sign in at a real provider.
func (s *site) withProvider() *idp.Server {
	s.t.Helper()
	at := idp.New(s.t, people...)
	back := s.url + "/login/callback"
	at.Redirects = []string{back, s.url + "/login"}
	provider, err := oidc.New(oidc.Options{Issuer: at.URL, ClientID: idp.ClientID, ClientSecret: idp.Secret, RedirectURL: back, Scopes: []string{"profile", "email"},
		NameClaim: "preferred_username", GroupsClaim: "groups", Button: "Sign in with Example", HTTP: &http.Client{Timeout: 10 * time.Second},
		Sealer: s.sealer, Now: time.Now, Log: slog.New(slog.NewTextHandler(s.t.Output(), nil))})
	ok(s.t, err)
	s.pages.SignOn, s.pages.URL = provider, s.url
	s.access.SignOn = engine.SignOn{Create: true, Roles: []engine.Role{engine.RoleViewer}, Teams: map[string][]string{"ops": {"platform"}}}
	return at
}

// teams lists those that somebody is in, by what a provider says.
func (s *site) teams(user, source string) (teams []string) {
	s.t.Helper()
	d, err := s.access.Directory(s.t.Context())
	ok(s.t, err)
	for _, m := range d.Members {
		if m.User == user && m.Source == source {
			teams = append(teams, m.Team)
		}
	}
	return teams
}

// through signs in at the provider and gives where the browser is sent back to.
func (b *browser) through(to, name string) string {
	b.s.t.Helper()
	// The provider is another host to a browser, and its own to this one.
	c := &http.Client{CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), b.s.url) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	res, err := c.Get(to)
	ok(b.s.t, err)
	res.Body.Close()
	res, err = c.PostForm(res.Request.URL.String(), url.Values{"id": {res.Request.URL.Query().Get("authRequestID")}, "username": {name}, "password": {idp.Password}})
	ok(b.s.t, err)
	res.Body.Close()
	return strings.TrimPrefix(res.Header.Get("Location"), b.s.url)
}

// signOn begins, goes to the provider and comes back.
func (b *browser) signOn(name string, status int) page {
	b.s.t.Helper()
	to := b.get("/login/sso?next=/runs", http.StatusSeeOther).header.Get("Location")
	return b.get(b.through(to, name), status)
}

func TestSigningInAtAProvider(t *testing.T) {
	s := newSite(t)
	ok(t, s.access.PutTeam(t.Context(), principal(engine.RoleAdmin), engine.Team{Name: "platform"}))
	at := s.withProvider()
	b := s.browser("")
	b.get("/login?next=/runs", http.StatusOK).has("Sign in with Example", "/login/sso?next=%2Fruns", "Password")

	p := b.signOn("Ada", http.StatusSeeOther)

	if to := p.header.Get("Location"); to != "/runs" {
		t.Errorf("it leads to %s", to)
	}
	b.get("/runs", http.StatusOK).has(">ada<")
	if got := s.teams("ada", at.URL); !slices.Equal(got, []string{"platform"}) {
		t.Errorf("teams are %v", got)
	}
	account := b.get("/account", http.StatusOK)
	if to := b.post("/logout", http.StatusSeeOther, "csrf_token", account.csrf()).header.Get("Location"); to != "/login?out=1" {
		t.Errorf("signing out leads to %s", to)
	}
	b.get("/login?out=1", http.StatusOK).has(at.URL+"/end_session?", "Sign out of Sign in with Example")

	at.Set(idp.User{Subject: "1", Name: "renamed", Groups: []string{}})
	b.signOn("renamed", http.StatusSeeOther) // the subject is who it was
	b.get("/runs", http.StatusOK).has(">ada<")
	if got := s.teams("ada", at.URL); len(got) > 0 {
		t.Errorf("after the group is left, teams are %v", got)
	}

	boss := principal(engine.RoleAdmin)
	_, err := s.access.UpdateUser(t.Context(), boss, "ada", engine.UserChange{Password: new(engine.Secret(password))})
	ok(t, err)
	b.signOn("renamed", http.StatusSeeOther)
	b.get("/runs", http.StatusOK) // the password that has to be changed is not what let her in

	_, err = s.access.UpdateUser(t.Context(), engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}, "ada", engine.UserChange{Disabled: new(true)})
	ok(t, err)
	b.get("/runs", http.StatusSeeOther)
	b.signOn("renamed", http.StatusForbidden).has("user ada is disabled")
}

func TestNameOfAUserIsNotTakenOverByAProvider(t *testing.T) {
	s := newSite(t)
	at := s.withProvider()
	s.browser("").signOn("admin", http.StatusConflict).has("there is a user admin already")

	b := s.browser(engine.RoleAdmin) // who proves to be admin by the password
	form := b.get("/account", http.StatusOK).has("Link Sign in with Example").csrf()
	page := b.post("/account/link", http.StatusOK, "csrf_token", form)
	_, after, _ := strings.Cut(page.text, `id="go" href="`)
	to, _, _ := strings.Cut(after, `"`)
	b.get(b.through(strings.ReplaceAll(to, "&amp;", "&"), "admin"), http.StatusSeeOther)

	other := s.browser("")
	other.signOn("admin", http.StatusSeeOther)
	account := other.get("/account", http.StatusOK).has(">admin ", ">"+at.URL+"<")
	unlink := regexp.MustCompile(`/sign-ons/(idn-[0-9a-f]+)/unlink`).FindStringSubmatch(account.text)[1]
	b.get("/users/admin", http.StatusOK).has("/users/admin/sign-ons/" + unlink + "/unlink")

	b.post("/account/sign-ons/"+unlink+"/unlink", http.StatusSeeOther, "csrf_token", form)

	other.get("/account", http.StatusSeeOther)
	b.get("/account", http.StatusOK).lacks("/unlink")
	other.signOn("admin", http.StatusConflict)
}

func TestWhoMaySignInAtAProvider(t *testing.T) {
	s := newSite(t)
	s.withProvider()
	s.access.SignOn.Require = []string{"ops"}
	s.browser("").signOn("admin", http.StatusForbidden).has("none of the groups that may sign in")
	s.access.SignOn.Create = false
	s.browser("").signOn("Ada", http.StatusForbidden).has("users are not made by signing in")
}

func TestAnswerOfAProviderIsForOneBrowser(t *testing.T) {
	s := newSite(t)
	s.withProvider()
	b, other := s.browser(""), s.browser("")
	back := b.through(b.get("/login/sso", http.StatusSeeOther).header.Get("Location"), "Ada")
	other.get(back, http.StatusUnauthorized).has("was not begun in this browser")
	if cookie := b.get(back, http.StatusSeeOther).header.Values("Set-Cookie"); len(cookie) != 2 || !strings.Contains(cookie[0], "Max-Age=0") || !strings.Contains(cookie[1], "HttpOnly; SameSite=Lax") {
		t.Errorf("cookies %q", cookie)
	}
	b.get(back, http.StatusUnauthorized)
}

func TestPasswordsWhereThereIsAProvider(t *testing.T) {
	for local, want := range map[engine.LocalLogin][2]int{
		engine.LocalOn:     {http.StatusSeeOther, http.StatusSeeOther},
		engine.LocalAdmins: {http.StatusSeeOther, http.StatusUnauthorized},
		engine.LocalOff:    {http.StatusUnauthorized, http.StatusUnauthorized},
	} {
		s := newSite(t)
		s.access.Policy.LocalLogin = local
		s.browser("").post("/login", want[0], "name", "admin", "password", password)
		s.browser("").post("/login", want[1], "name", "viewer", "password", password)
	}
}

func TestSigningInAtAProviderInARealBrowser(t *testing.T) {
	s := newSite(t)
	s.withProvider()
	w := &window{t: t, ctx: enginetest.Chromium(t), s: s}
	w.do(chromedp.Navigate(s.url+"/device"), chromedp.Click(`#sso`), chromedp.WaitVisible(`#in`),
		chromedp.SendKeys(`input[name="username"]`, "Ada"), chromedp.SendKeys(`input[name="password"]`, idp.Password), chromedp.Click(`#in`), chromedp.WaitVisible(`.who`))
	code, d, err := s.access.BeginDevice(t.Context(), "laptop")
	ok(t, err)
	w.do(chromedp.SendKeys(`input[name="code"]`, strings.ToLower(d.Code)), chromedp.Click(`main button`), chromedp.WaitVisible(`#grant`), enginetest.Shoot("device"),
		chromedp.Click(`#grant`), chromedp.WaitVisible(`.made`))
	secret, _, err := s.access.RedeemDevice(t.Context(), code)
	ok(t, err)
	if who, err := s.access.ByToken(t.Context(), secret); err != nil || who.User != "ada" {
		t.Errorf("it is let in as %+v, %v", who, err)
	}
	w.open("/account")
	w.do(chromedp.Click(`.who button`), chromedp.WaitVisible(`a[href*="end_session"]`), enginetest.Shoot("signed-out"))
}
