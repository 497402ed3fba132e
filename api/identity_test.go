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
	events, err := s.store.Events(t.Context(), "", engine.Page{Limit: 1000})
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
		"short": "at least 12", "aaaaaaaaaaaaab": "different characters", "Password-1234": "first that are tried",
		"correct horse battery staple": "first that are tried", "hildegard123": "more than the user's name", strings.Repeat("long one", 200): "at most 1024",
	} {
		err := s.access.CreateUser(t.Context(), engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}, "hildegard", nil, engine.Secret(text))
		if !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: %v", text, err)
		}
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

func TestTokenIsGoodForWhatItSays(t *testing.T) {
	s := newSystem(t)
	c := s.as(engine.RoleAdmin)
	made, err := c.CreateToken(t.Context(), client.CreateToken{Name: "looks", Permissions: []string{"read"}, Seconds: 3600})
	s.ok(err)
	limited := client.New(s.url, engine.Secret(made.Token))
	_, err = limited.Stacks(t.Context(), client.Page{})
	s.ok(err)
	for what, err := range map[string]error{
		"users":         func() error { _, err := limited.Users(t.Context()); return err }(),
		"another token": func() error { _, err := limited.CreateToken(t.Context(), client.CreateToken{Name: "x"}); return err }(),
		"other tokens":  limited.DeleteToken(t.Context(), "tok-x"),
		"sessions":      limited.EndSession(t.Context(), "ses-0123456789abcdef"),
	} {
		if !errors.Is(err, engine.ErrForbidden) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = c.CreateToken(t.Context(), client.CreateToken{Name: "x", Permissions: []string{"fly"}})
	if !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("a permission that there is not: %v", err)
	}
	tokens, err := c.Tokens(t.Context(), "")
	s.ok(err)
	if got := tokens[0]; got.UsedFrom != "127.0.0.1" || !slices.Equal(got.Permissions, []string{"read"}) || got.ExpiresAt == nil {
		t.Errorf("it is listed as %+v", got)
	}
	s.ok(limited.Logout(t.Context()))
	if _, err := limited.Whoami(t.Context()); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("after it was taken back: %v", err)
	}
}

func TestTokensLiveNoLongerThanTheyMay(t *testing.T) {
	s := newSystem(t)
	s.access.Policy.TokenMax = time.Hour
	c := s.as(engine.RoleAdmin)
	for _, ask := range []client.CreateToken{{Name: "x", Forever: true}, {Name: "x", Seconds: 3601}} {
		if _, err := c.CreateToken(t.Context(), ask); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%+v: %v", ask, err)
		}
	}
	made, err := c.CreateToken(t.Context(), client.CreateToken{Name: "x"})
	s.ok(err)
	if life := made.ExpiresAt.Sub(s.clock.now()); life > time.Hour {
		t.Errorf("it lives for %s", life)
	}
}

func TestTokenIsKnownByItsForm(t *testing.T) {
	s := newSystem(t)
	token := s.tokens[engine.RoleViewer].Reveal()
	if !strings.HasPrefix(token, "copp_") || !engine.GenuineToken(token) {
		t.Errorf("%s is not what scanners look for", token)
	}
	for _, other := range []string{"", "copp_", strings.Replace(token, "copp_", "cops_", 1), token[:len(token)-1], token + "a", strings.ToUpper(token)} {
		if engine.GenuineToken(other) {
			t.Errorf("%q is taken for a token", other)
		}
	}
	old := &engine.Token{ID: "tok-old", User: "viewer", Name: "old", Hash: engine.Secret("cop_old").Hash(), CreatedAt: s.clock.now()}
	s.ok(s.store.CreateToken(t.Context(), old, engine.Event{At: s.clock.now(), Actor: "viewer", Action: "token.create"}))
	_, err := s.access.ByToken(t.Context(), "cop_old") // of the version before
	s.ok(err)
}

func TestTokenInTheAddressIsNoToken(t *testing.T) {
	s := newSystem(t)
	token := s.tokens[engine.RoleViewer].Reveal()
	for _, query := range []string{"token", "access_token", "Authorization"} {
		s.must(s.request("GET", "/v1/whoami?"+query+"="+token, "", nil), http.StatusUnauthorized)
	}
}

func TestServiceAccountsHaveTokensAndAnOwner(t *testing.T) {
	s := newSystem(t)
	admin, owner := s.as(engine.RoleAdmin), s.as(engine.RoleOperator)
	for what, ask := range map[string]client.CreateUser{
		"a password":           {Name: "ci", Roles: []string{"viewer"}, Kind: "service", Password: password},
		"an owner who is not":  {Name: "ci", Roles: []string{"viewer"}, Kind: "service", Owner: "nobody"},
		"a person's own owner": {Name: "ci", Roles: []string{"viewer"}, Owner: "operator", Password: password},
	} {
		if err := admin.CreateUser(t.Context(), ask); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("with %s: %v", what, err)
		}
	}
	s.ok(admin.CreateUser(t.Context(), client.CreateUser{Name: "ci", Roles: []string{"operator"}, Kind: "service", Owner: "operator"}))
	if err := s.guess("ci", ""); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("with a password: %v", err)
	}
	made, err := owner.CreateToken(t.Context(), client.CreateToken{Name: "deploy", User: "ci"})
	s.ok(err)
	if !strings.HasPrefix(made.Token, "cops_") {
		t.Errorf("its token is %s", made.Token)
	}
	if _, err := s.as(engine.RoleApprover).CreateToken(t.Context(), client.CreateToken{Name: "mine", User: "ci"}); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("by somebody else: %v", err)
	}
	ci := client.New(s.url, engine.Secret(made.Token))
	who, err := ci.Whoami(t.Context())
	s.ok(err)
	if who.Name != "ci" || who.Kind != "service" || who.Owner != "operator" {
		t.Errorf("it is %+v", who)
	}
	s.ok(admin.UpdateUser(t.Context(), "ci", client.UpdateUser{Disabled: new(true)}))
	if _, err := ci.Whoami(t.Context()); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("once it is disabled: %v", err)
	}
	s.ok(owner.DeleteToken(t.Context(), made.ID))
}

// deviceCode is what an error of a device says to programs.
func deviceCode(err error) string {
	var refused *client.Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

func TestCommandLineIsLetInFromABrowser(t *testing.T) {
	s := newSystem(t)
	c := client.New(s.url, "")
	browser, err := s.signedIn("operator")
	s.ok(err)
	d, err := c.BeginDevice(t.Context(), "laptop")
	s.ok(err)
	redeem := func() (client.NewToken, error) {
		s.clock.add(engine.DeviceInterval)
		return c.RedeemDevice(t.Context(), d.DeviceCode)
	}
	if _, err := redeem(); deviceCode(err) != client.CodePending {
		t.Errorf("before anybody has answered: %v", err)
	}
	if _, err := c.RedeemDevice(t.Context(), d.DeviceCode); deviceCode(err) != client.CodeSlowDown {
		t.Errorf("at once again: %v", err)
	}
	limited := browser
	limited.Session, limited.Token = "", "tok-1"
	if err := s.access.AnswerDevice(t.Context(), limited, d.UserCode, true); !errors.Is(err, engine.ErrForbidden) {
		t.Errorf("answered by a token: %v", err)
	}
	if err := s.access.AnswerDevice(t.Context(), browser, "BCDF-GHJK", true); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another code: %v", err)
	}
	s.ok(s.access.AnswerDevice(t.Context(), browser, " "+strings.ToLower(d.UserCode), true))
	if err := s.access.AnswerDevice(t.Context(), browser, d.UserCode, false); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("answered twice: %v", err)
	}
	made, err := redeem()
	s.ok(err)
	who, err := client.New(s.url, engine.Secret(made.Token)).Whoami(t.Context())
	s.ok(err)
	if who.Name != "operator" || made.ExpiresAt == nil {
		t.Errorf("it is let in as %+v, %+v", who, made)
	}
	if _, err := redeem(); deviceCode(err) != client.CodeExpired {
		t.Errorf("once more: %v", err)
	}
}

func TestCommandLinesThatAreNotLetIn(t *testing.T) {
	s := newSystem(t)
	c := client.New(s.url, "")
	browser, err := s.signedIn("operator")
	s.ok(err)
	refused, err := c.BeginDevice(t.Context(), "laptop")
	s.ok(err)
	s.ok(s.access.AnswerDevice(t.Context(), browser, refused.UserCode, false))
	if _, err := c.RedeemDevice(t.Context(), refused.DeviceCode); deviceCode(err) != client.CodeDenied {
		t.Errorf("refused: %v", err)
	}
	late, err := c.BeginDevice(t.Context(), "laptop")
	s.ok(err)
	s.clock.add(engine.DeviceLife + time.Second)
	if err := s.access.AnswerDevice(t.Context(), browser, late.UserCode, true); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("answered too late: %v", err)
	}
	if _, err := c.RedeemDevice(t.Context(), late.DeviceCode); deviceCode(err) != client.CodeExpired {
		t.Errorf("too late: %v", err)
	}
	if _, err := c.RedeemDevice(t.Context(), "codev_guessed"); deviceCode(err) != client.CodeExpired {
		t.Errorf("never begun: %v", err)
	}
	disabled, err := c.BeginDevice(t.Context(), "laptop")
	s.ok(err)
	s.ok(s.access.AnswerDevice(t.Context(), browser, disabled.UserCode, true))
	s.ok(s.as(engine.RoleAdmin).UpdateUser(t.Context(), "operator", client.UpdateUser{Disabled: new(true)}))
	if _, err := c.RedeemDevice(t.Context(), disabled.DeviceCode); deviceCode(err) != client.CodeDenied {
		t.Errorf("as somebody who is disabled: %v", err)
	}
}

// Whoever is signed in could else try all codes that wait.
func TestGuessingCodesIsSlowedDown(t *testing.T) {
	s := newSystem(t, withPages)
	s.server.permissions["GET /device"] = engine.MaySelf
	s.router.GET("/device", func(c *gin.Context) { c.Status(http.StatusOK) })
	for range loginTries {
		s.must(s.request("GET", "/device?code=BCDFGHJK", engine.RoleViewer, nil), http.StatusOK)
	}
	s.must(s.request("GET", "/device?code=BCDFGHJK", engine.RoleViewer, nil), http.StatusTooManyRequests)
}

// signedIn is a person in front of a browser.
func (s *system) signedIn(name string) (engine.Principal, error) {
	cookie, _, err := s.access.Login(s.t.Context(), name, password)
	if err != nil {
		return engine.Principal{}, err
	}
	return s.access.BySession(s.t.Context(), cookie)
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

func TestTokenIsGoodWhereItSays(t *testing.T) {
	s := newSystem(t)
	s.submit()
	made, err := s.as(engine.RoleAdmin).CreateToken(t.Context(), client.CreateToken{Name: "one", Permissions: []string{"read"}, Scope: "stack:hello"})
	s.ok(err)
	s.tokens["one"] = engine.Secret(made.Token)
	s.must(s.request("GET", "/v1/stacks/hello", "one", nil), http.StatusOK)
	s.must(s.request("GET", "/v1/stacks/other", "one", nil), http.StatusNotFound)
	s.must(s.request("DELETE", "/v1/stacks/hello", "one", nil), http.StatusForbidden)
	s.must(s.request("GET", "/v1/users", "one", nil), http.StatusForbidden)
	s.must(s.request("GET", "/v1/tokens", "one", nil), http.StatusForbidden)
}

func TestServiceAccountIsAsGoodAsItsOwner(t *testing.T) {
	s := newSystem(t)
	admin := s.as(engine.RoleAdmin)
	s.ok(admin.CreateUser(t.Context(), client.CreateUser{Name: "ci", Roles: []string{"viewer"}, Kind: "service", Owner: "operator"}))
	made, err := admin.CreateToken(t.Context(), client.CreateToken{Name: "deploy", User: "ci"})
	s.ok(err)
	s.ok(admin.UpdateUser(t.Context(), "operator", client.UpdateUser{Disabled: new(true)}))
	ci := client.New(s.url, engine.Secret(made.Token))
	if _, err := ci.Whoami(t.Context()); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("once its owner is disabled: %v", err)
	}
	s.ok(admin.UpdateUser(t.Context(), "ci", client.UpdateUser{Owner: new("viewer")}))
	_, err = ci.Whoami(t.Context())
	s.ok(err)
}

// Who manages users gets no rights by a token of somebody who has more.
func TestTokensOfMorePowerfulServiceAccountsAreNotMade(t *testing.T) {
	s := newSystem(t)
	admin := s.as(engine.RoleAdmin)
	s.ok(admin.PutRole(t.Context(), "registrar", client.PutRole{Permissions: []string{"users.manage", "access.read"}}))
	s.ok(admin.CreateUser(t.Context(), client.CreateUser{Name: "rita", Roles: []string{"registrar"}, Password: password, MustChange: new(false)}))
	s.ok(admin.CreateUser(t.Context(), client.CreateUser{Name: "robot", Roles: []string{"admin"}, Kind: "service"}))
	token, err := client.New(s.url, "").Login(t.Context(), "rita", password, "laptop")
	s.ok(err)
	rita := client.New(s.url, token)
	if _, err := rita.CreateToken(t.Context(), client.CreateToken{Name: "mine", User: "robot"}); !errors.Is(err, engine.ErrForbidden) {
		t.Errorf("a token: %v", err)
	}
	if err := rita.UpdateUser(t.Context(), "robot", client.UpdateUser{Owner: new("rita")}); !errors.Is(err, engine.ErrForbidden) {
		t.Errorf("its owner: %v", err)
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
