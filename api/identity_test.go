package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// guess sends a password, from a new address each time so that only the
// account counts.
func (s *system) guess(name, text string) error {
	s.t.Helper()
	s.clock.add(loginWindow)
	_, err := client.New(s.url, "").Login(s.t.Context(), name, engine.Secret(text), "guess")
	return err
}

func TestTooManyWrongPasswordsLockAnAccountForAWhile(t *testing.T) {
	s := newSystem(t)
	for range 10 {
		if err := s.guess("operator", "wrong"); !errors.Is(err, engine.ErrUnauthorized) {
			t.Fatal(err)
		}
	}
	wrong, right := s.guess("operator", "wrong"), s.guess("operator", password)
	if right == nil || right.Error() != wrong.Error() {
		t.Errorf("while it is locked: %v, and a wrong one %v", right, wrong)
	}
	s.must(s.request("GET", "/v1/whoami", engine.RoleOperator, nil), http.StatusOK) // tokens go on
	s.ok(s.guess("viewer", password))                                               // and so do others

	s.clock.add(15 * time.Minute)
	s.ok(s.guess("operator", password))

	for range 10 { // they start anew after a right one
		_ = s.guess("operator", "wrong")
	}
	s.ok(s.as(engine.RoleAdmin).UpdateUser(t.Context(), "operator", client.UpdateUser{Unlock: true}))
	s.ok(s.guess("operator", password))
}

func TestGuessesFillNoDatabase(t *testing.T) {
	s := newSystem(t)
	for range 30 {
		_ = s.guess("operator", "wrong")
	}
	for range 30 {
		_ = s.guess("nobody", "wrong")
	}
	events, err := s.store.Events(t.Context(), engine.EventFilter{}, engine.Page{Limit: 1000})
	s.ok(err)
	refused := slices.DeleteFunc(events, func(e *engine.Event) bool { return e.Action != "session.refused" && e.Action != "user.lock" })
	if len(refused) != 10+1+5 && len(refused) != 10+1+6 { // a quarter of an hour in between is not recorded
		t.Errorf("%d events", len(refused))
	}
}

func TestWhosePasswordSomebodyElseKnowsChangesItFirst(t *testing.T) {
	s := newSystem(t, withPages)
	s.ok(s.as(engine.RoleAdmin).CreateUser(t.Context(), client.CreateUser{Name: "ada", Roles: []string{"operator"}, Password: password}))
	c := client.New(s.url, "")

	_, err := c.SignIn(t.Context(), client.Login{Name: "ada", Password: password})
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusForbidden || refused.Code != client.CodePasswordChange || !strings.Contains(refused.Detail, "cloudops login") {
		t.Fatalf("the first sign-in: %v", err)
	}
	cookie, session, err := s.access.Login(t.Context(), "ada", password)
	s.ok(err)
	signedIn := []string{"Cookie", "cloudops_session=" + cookie.Reveal(), "X-CSRF-Token", session.CSRF}
	for route, want := range map[string]int{"GET /v1/whoami": 200, "GET /v1/stacks": 403, "GET /v1/tokens": 200, "DELETE /v1/sessions/x": 403, "POST /v1/tokens": 403} {
		method, path, _ := strings.Cut(route, " ")
		r := s.send(method, path, "", strings.NewReader(`{"name":"x"}`), append(signedIn, "Content-Type", "application/json")...)
		if r.StatusCode != want || want == 403 && !strings.Contains(string(r.body), client.CodePasswordChange) {
			t.Errorf("%s: status %d: %s", route, r.StatusCode, r.body)
		}
	}

	_, err = c.SignIn(t.Context(), client.Login{Name: "ada", Password: password, NewPassword: password})
	if !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("the old password again: %v", err)
	}
	made, err := c.SignIn(t.Context(), client.Login{Name: "ada", Password: password, NewPassword: "staple battery horse"})
	s.ok(err)
	who, err := client.New(s.url, engine.Secret(made.Token)).Whoami(t.Context())
	s.ok(err)
	if who.MustChange {
		t.Error("it has to be changed once more")
	}
	s.must(s.send("GET", "/v1/whoami", "", nil, signedIn...), http.StatusUnauthorized) // all browsers are signed out
}

func TestPasswordsThatAreGuessedFirst(t *testing.T) {
	s := newSystem(t)
	for text, want := range map[string]string{
		"short": "at least 12", "пароль": "at least 12", "aaaaaaaaaaaaab": "different characters", "Password-1234": "first that are tried",
		"correct horse battery staple": "first that are tried", "hildegard123": "more than the user's name", strings.Repeat("long one", 200): "at most 1024",
	} {
		err := s.access.CreateUser(t.Context(), engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}, "hildegard", nil, engine.Secret(text))
		if !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: %v", text, err)
		}
	}
}

// Whoever is turned away has chosen the name, and could have taken somebody's here.
func TestWhoIsTurnedAwayIsNoUserOfOurs(t *testing.T) {
	s := newSystem(t)
	s.access.SignOn.Require = []string{"staff"}
	_, _, err := s.access.SignIn(t.Context(), engine.SignOnIdentity{Issuer: "https://idp.example.com", Subject: "17", Name: "admin" + strings.Repeat("n", 300)})
	if !errors.Is(err, engine.ErrForbidden) {
		t.Fatal(err)
	}
	events, err := s.store.Events(t.Context(), engine.EventFilter{Action: "session.refused"}, engine.Page{Limit: 10})
	if err != nil || len(events) != 1 || events[0].Actor != "https://idp.example.com" || len(events[0].Subject) > 200 {
		t.Errorf("%+v, %v", events, err)
	}
}

func TestSessionsAreListedAndEnd(t *testing.T) {
	s := newSystem(t)
	open := func() []string {
		cookie, session, err := s.access.Login(t.Context(), "operator", password)
		s.ok(err)
		return []string{"Cookie", "cloudops_session=" + cookie.Reveal(), "X-CSRF-Token", session.CSRF, "User-Agent", "lynx"}
	}
	first, second := open(), open()
	s.clock.add(2 * time.Minute)
	s.must(s.send("GET", "/v1/whoami", "", nil, first...), http.StatusOK)
	var list client.List[client.Session]
	s.must(s.send("GET", "/v1/sessions", "", nil, first...), http.StatusOK).json(t, &list)
	if len(list.Items) != 2 || list.Items[0].Current || !list.Items[1].Current || list.Items[1].Address != "127.0.0.1" {
		t.Fatalf("sessions %+v", list.Items)
	}
	s.must(s.send("DELETE", "/v1/sessions/"+list.Items[0].ID, "", nil, first...), http.StatusNoContent)
	s.must(s.send("GET", "/v1/whoami", "", nil, second...), http.StatusUnauthorized)
	s.must(s.send("DELETE", "/v1/sessions/"+list.Items[0].ID, "", nil, first...), http.StatusNotFound)
	s.must(s.send("DELETE", "/v1/sessions/%25", "", nil, first...), http.StatusNotFound)

	third := open()
	s.ok(s.as(engine.RoleAdmin).EndSessions(t.Context(), "operator"))
	s.must(s.send("GET", "/v1/whoami", "", nil, third...), http.StatusUnauthorized)
}

func TestSessionsHaveLimits(t *testing.T) {
	s := newSystem(t)
	cookie, _, err := s.access.Login(t.Context(), "operator", password)
	s.ok(err)
	for range 11 { // used every hour it lasts
		s.clock.add(time.Hour)
		_, err := s.access.BySession(t.Context(), cookie)
		s.ok(err)
	}
	s.clock.add(time.Hour)
	if _, err := s.access.BySession(t.Context(), cookie); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("after 12 hours: %v", err)
	}
	cookie, _, err = s.access.Login(t.Context(), "operator", password)
	s.ok(err)
	s.clock.add(engine.DefaultSessionIdle + time.Second)
	if _, err := s.access.BySession(t.Context(), cookie); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("after 2 hours of nothing: %v", err)
	}
}

// What somebody looks at ends with the right to look at it.
func TestStreamsEndOnceNobodyIsLetIn(t *testing.T) {
	s := newSystem(t)
	ticks := make(chan func(), 8)
	s.server.every = func(_ time.Duration, do func()) func() { ticks <- do; return func() {} }
	s.server.permissions["GET /v1/lasts"] = engine.MayRead
	began, ended := make(chan struct{}), make(chan error, 1)
	s.router.GET("/v1/lasts", func(c *gin.Context) {
		close(began)
		<-c.Request.Context().Done()
		ended <- context.Cause(c.Request.Context())
	})
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		s.send("GET", "/v1/lasts", engine.RoleViewer, nil)
	}()
	<-began
	again := <-ticks
	again()
	select {
	case err := <-ended:
		t.Fatalf("it ends at once: %v", err)
	default:
	}
	_, err := s.access.UpdateUser(t.Context(), engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}, "viewer", engine.UserChange{Disabled: new(true)})
	s.ok(err)
	again()
	if err := <-ended; !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("it ends with %v", err)
	}
	<-answered
}

func TestPagesThatFollowByThemselvesKeepNobodySignedIn(t *testing.T) {
	s := newSystem(t)
	cookie, _, err := s.access.Login(t.Context(), "operator", password)
	s.ok(err)
	for range 3 {
		s.clock.add(engine.DefaultSessionIdle/2 - time.Minute)
		_, err = s.access.BySession(engine.WithOrigin(t.Context(), engine.Origin{Quiet: true}), cookie)
	}
	if !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("after hours of nothing else: %v", err)
	}
}

func TestLastAdminIsAPerson(t *testing.T) {
	s := newSystem(t)
	c := s.as(engine.RoleAdmin)
	s.ok(c.CreateUser(t.Context(), client.CreateUser{Name: "robot", Roles: []string{"admin"}, Kind: "service"}))
	if err := c.UpdateUser(t.Context(), "admin", client.UpdateUser{Disabled: new(true)}); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("disabled: %v", err)
	}
	if err := c.UpdateUser(t.Context(), "admin", client.UpdateUser{Roles: &[]string{"viewer"}}); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("made a viewer: %v", err)
	}
}
