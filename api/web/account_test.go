package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api"
	"github.com/cloudops-manager/cloudops/engine"
)

func TestWhoIsNotSignedInIsLedThereAndBack(t *testing.T) {
	b := newSite(t).browser("")
	if to := b.get("/runs?status=failed", http.StatusSeeOther).header.Get("Location"); to != "/login?next=%2Fruns%3Fstatus%3Dfailed" {
		t.Errorf("it leads to %s", to)
	}
	b.get("/login", http.StatusOK).has("Sign in")
}

func TestSigningIn(t *testing.T) {
	s := newSite(t)
	b := s.browser("")
	b.post("/login", http.StatusUnauthorized, "name", "viewer", "password", "wrong", "next", "/runs").has("the name or the password is wrong", `value="/runs"`)

	p := b.post("/login", http.StatusSeeOther, "name", "viewer", "password", password, "next", "//evil.example")

	cookie := p.header.Get("Set-Cookie")
	for _, part := range []string{"cloudops_session=", "HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie %q lacks %s", cookie, part)
		}
	}
	if to := p.header.Get("Location"); to != "/" {
		t.Errorf("leads to %s", to)
	}
	home := b.get("/", http.StatusOK)
	b.post("/logout", http.StatusSeeOther, "csrf_token", home.csrf())
	b.get("/", http.StatusSeeOther)
}

func TestAnotherSiteCannotSignABrowserIn(t *testing.T) {
	s := newSite(t)
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/login", strings.NewReader("name=viewer&password="+password))
		ok(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set(name, value)
		s.browser("").do(req, http.StatusForbidden)
	}
}

func TestFormsNeedTheTokenOfTheirSession(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	b := s.browser(engine.RoleAdmin)
	for _, path := range []string{"/stacks/shop/runs", "/account/tokens", "/account/password", "/logout"} {
		b.post(path, http.StatusForbidden, "kind", "apply", "name", "x", "csrf_token", "guessed").has("the page is too old for this")
	}
	if runs, err := s.store.Runs(t.Context(), engine.RunFilter{}, engine.Page{Limit: 9}); err != nil || len(runs) > 0 {
		t.Errorf("runs %v, %v", runs, err)
	}
}

func TestTokensAreMadeShownOnceAndTakenBack(t *testing.T) {
	s := newSite(t)
	b := s.browser(engine.RoleViewer)
	form := b.get("/account", http.StatusOK).csrf()
	b.post("/account/tokens", http.StatusUnprocessableEntity, "name", " ", "csrf_token", form).has("a token needs a name")

	b.post("/account/tokens", http.StatusOK, "name", "ci", "csrf_token", form).has("copp_", "shown this once")

	tokens, err := s.store.Tokens(t.Context(), "viewer", engine.Page{})
	if err != nil || len(tokens) != 1 {
		t.Fatalf("tokens %v, %v", tokens, err)
	}
	b.get("/account", http.StatusOK).has("ci").lacks("copp_")
	b.post("/account/tokens/"+tokens[0].ID+"/delete", http.StatusSeeOther, "csrf_token", form)
	b.get("/account", http.StatusOK).has("No tokens yet")
}

func TestPasswordIsChangedByWhoKnowsTheOldOne(t *testing.T) {
	s := newSite(t)
	b := s.browser(engine.RoleViewer)
	const next = "battery staple horse"
	form := b.get("/account", http.StatusOK).csrf()
	b.post("/account/password", http.StatusUnauthorized, "old", "wrong", "new", next, "again", next, "csrf_token", form).has("the password is wrong")
	b.post("/account/password", http.StatusUnprocessableEntity, "old", password, "new", next, "again", "else", "csrf_token", form).has("not repeated the same")
	b.post("/account/password", http.StatusUnprocessableEntity, "old", password, "new", "short", "again", "short", "csrf_token", form).has("at least 12")

	b.post("/account/password", http.StatusSeeOther, "old", password, "new", next, "again", next, "csrf_token", form)

	b.get("/account?said=password", http.StatusOK).has("Your password is changed")
	s.browser("").post("/login", http.StatusUnauthorized, "name", "viewer", "password", password)
	s.browser("").post("/login", http.StatusSeeOther, "name", "viewer", "password", next)
}

func TestWhosePasswordSomebodyElseKnowsIsLedToTheAccount(t *testing.T) {
	s := newSite(t)
	boss := engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}
	ok(t, s.access.AddUser(t.Context(), boss, engine.NewUser{Name: "ada", Roles: []engine.Role{engine.RoleViewer}, Password: password, MustChange: true}))
	b := s.browser("")
	b.post("/login", http.StatusSeeOther, "name", "ada", "password", password)
	if to := b.get("/runs", http.StatusSeeOther).header.Get("Location"); to != "/account" {
		t.Errorf("it leads to %s", to)
	}
	account := b.get("/account", http.StatusOK).has("Somebody else knows your password").lacks("Make a token")
	b.post("/account/tokens", http.StatusForbidden, "name", "x", "csrf_token", account.csrf()).has("choose a password first")

	b.post("/account/password", http.StatusSeeOther, "old", password, "new", "staple battery horse", "again", "staple battery horse", "csrf_token", account.csrf())

	b.get("/runs", http.StatusOK)
}

func TestBrowsersAreSignedOutFromTheAccount(t *testing.T) {
	s := newSite(t)
	other, b := s.browser(engine.RoleViewer), s.browser(engine.RoleViewer)
	account := b.get("/account", http.StatusOK).has("this one", "Go-http-client", "127.0.0.1")
	id := regexp.MustCompile(`/account/sessions/(ses-[0-9a-f]+)/end`).FindStringSubmatch(account.text)[1]

	b.post("/account/sessions/"+id+"/end", http.StatusSeeOther, "csrf_token", account.csrf())

	other.get("/account", http.StatusSeeOther)
	b.get("/account", http.StatusOK).lacks("/end")
}

func TestCookieByHTTPSIsOfThisHostAlone(t *testing.T) {
	s := newSite(t)
	s.pages.Secure, s.pages.Cookie = true, api.SessionCookie(true)
	cookie := s.browser("").post("/login", http.StatusSeeOther, "name", "viewer", "password", password).header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-cloudops_session=") || !strings.Contains(cookie, "; Secure") || strings.Contains(cookie, "Domain") {
		t.Errorf("cookie %q", cookie)
	}
}
