package web_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestUsersAreMadeAndChangedOnTheirPages(t *testing.T) {
	s := newSite(t)
	b := s.browser(engine.RoleAdmin)
	form := b.get("/users", http.StatusOK).has("viewer", "New person").csrf()
	b.post("/users", http.StatusUnprocessableEntity, "kind", "person", "name", "ada", "role", "viewer", "password", "short", "csrf_token", form).has("at least 12 characters")
	b.post("/users", http.StatusSeeOther, "kind", "person", "name", "ada", "role", "viewer", "password", password, "csrf_token", form)
	b.get("/users", http.StatusOK).has(">ada<", "new")

	ada := s.browser("")
	ada.post("/login", http.StatusSeeOther, "name", "ada", "password", password)
	b.get("/users/ada", http.StatusOK).has("Sign out everywhere", "Go-http-client")
	b.post("/users/ada/sessions/end", http.StatusSeeOther, "csrf_token", form)
	ada.get("/account", http.StatusSeeOther)

	for range 10 {
		_, _, _ = s.access.Login(t.Context(), "ada", "wrong")
	}
	b.get("/users/ada", http.StatusOK).has("locked", "Unlock")
	b.post("/users/ada", http.StatusSeeOther, "do", "unlock", "csrf_token", form)
	b.get("/users/ada", http.StatusOK).lacks("Unlock")
	const other = "staple battery horse"
	b.post("/users/ada", http.StatusSeeOther, "do", "password", "password", other, "csrf_token", form)
	ada.post("/login", http.StatusSeeOther, "name", "ada", "password", other)
	b.post("/users/ada", http.StatusSeeOther, "do", "disable", "csrf_token", form)
	ada.post("/login", http.StatusUnauthorized, "name", "ada", "password", other)
	b.post("/users/ada", http.StatusSeeOther, "do", "enable", "csrf_token", form)
	b.post("/users/ada", http.StatusUnprocessableEntity, "do", "fly", "csrf_token", form)
	b.post("/users/admin", http.StatusConflict, "do", "disable", "csrf_token", form).has("the last admin")

	auditor := s.browser(engine.RoleAuditor)
	auditor.get("/users/ada", http.StatusOK).has("API tokens", "Browsers").lacks("Disable", "Take back", "Sign out everywhere")
}

func TestServiceAccountsAreMadeOnTheirPages(t *testing.T) {
	s := newSite(t)
	b := s.browser(engine.RoleAdmin)
	form := b.get("/users", http.StatusOK).csrf()
	b.post("/users", http.StatusSeeOther, "kind", "service", "name", "ci", "role", "operator", "csrf_token", form)
	b.get("/users", http.StatusOK).has("of admin")
	page := b.post("/users/ci/tokens", http.StatusOK, "name", "deploy", "csrf_token", form).has("shown this once")
	token := regexp.MustCompile(`id="made">(cops_[a-z2-7]{59})<`).FindStringSubmatch(page.text)[1]
	who, err := s.access.ByToken(t.Context(), engine.Secret(token))
	ok(t, err)
	if who.User != "ci" || who.Kind != engine.Service || who.Owner != "admin" {
		t.Errorf("it is %+v", who)
	}
	b.post("/users/ci", http.StatusUnprocessableEntity, "do", "owner", "owner", "nobody", "csrf_token", form).has("there is no such user")
	b.post("/users/ci", http.StatusSeeOther, "do", "owner", "owner", "viewer", "csrf_token", form)
	b.post("/users/ci", http.StatusUnprocessableEntity, "do", "password", "password", password, "csrf_token", form).has("has no password")
	b.post("/users/ci/tokens/"+who.Token+"/delete", http.StatusSeeOther, "csrf_token", form)
	if _, err := s.access.ByToken(t.Context(), engine.Secret(token)); err == nil {
		t.Error("its token is still good")
	}
}

func TestTokenOfThePageIsGoodForWhatItSays(t *testing.T) {
	s := newSite(t)
	b := s.browser(engine.RoleAdmin)
	form := b.get("/account", http.StatusOK).csrf()
	for _, wrong := range [][2]string{{"permissions", "fly"}, {"scope", "moon"}, {"days", "0"}} {
		b.post("/account/tokens", http.StatusUnprocessableEntity, "name", "x", wrong[0], wrong[1], "csrf_token", form)
	}
	b.post("/account/tokens", http.StatusOK, "name", "x", "permissions", "read, plan", "scope", "stack:shop", "days", "2", "csrf_token", form).has("read, plan on stack:shop")
}
