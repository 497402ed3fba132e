package api

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestLogin(t *testing.T) {
	tests := map[string]struct {
		name, password string
		want           int
	}{
		"the right password gives a token":     {"operator", password, http.StatusOK},
		"a wrong password gives none":          {"operator", "not what it is", http.StatusUnauthorized},
		"a name that nobody has reads alike":   {"nobody", password, http.StatusUnauthorized},
		"a name that is too long is not taken": {strings.Repeat("a", 1000), password, http.StatusUnprocessableEntity},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			r := s.must(s.request("POST", "/v1/login", "", map[string]string{"name": tt.name, "password": tt.password}), tt.want)
			if tt.want != http.StatusOK && strings.Contains(string(r.body), tt.password) {
				t.Errorf("the answer repeats the password: %s", r.body)
			}
		})
	}
}

func TestGuessingPasswordsIsSlowedDown(t *testing.T) {
	s := newSystem(t)
	try := func() int {
		return s.request("POST", "/v1/login", "", map[string]string{"name": "admin", "password": "guess"}).StatusCode
	}
	for range loginTries {
		if got := try(); got != http.StatusUnauthorized {
			t.Fatalf("status %d", got)
		}
	}
	if got := try(); got != http.StatusTooManyRequests {
		t.Errorf("status %d after too many", got)
	}
	s.clock.add(loginWindow)
	if got := try(); got != http.StatusUnauthorized {
		t.Errorf("status %d a minute later", got)
	}
}

func TestNameThatNobodyCanHaveIsKeptNowhere(t *testing.T) {
	s := newSystem(t)
	before, err := s.store.Events(t.Context(), engine.EventFilter{}, engine.Page{Limit: 100})
	s.ok(err)
	for _, name := range []string{"", "No Name", strings.Repeat("x", 65)} {
		if _, _, err := s.access.Login(t.Context(), name, password); !errors.Is(err, engine.ErrUnauthorized) {
			t.Errorf("%.20q: %v", name, err)
		}
		s.ok(s.server.logins.check(name, "192.0.2.1:99"))
	}
	after, err := s.store.Events(t.Context(), engine.EventFilter{}, engine.Page{Limit: 100})
	s.ok(err)
	if len(after) != len(before) || len(s.server.logins.seen) != 1 {
		t.Errorf("%d new events, counts %v", len(after)-len(before), s.server.logins.seen)
	}
}

func TestBodyThatIsTooLargeToSignInWith(t *testing.T) {
	s := newSystem(t, withPages)
	for path, kind := range map[string]string{"/login": "application/x-www-form-urlencoded", "/v1/login": "application/json"} {
		r := s.send("POST", path, "", strings.NewReader("name="+strings.Repeat("x", maxLoginBody)), "Content-Type", kind)
		if r.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(r.body), "too large to sign in with") {
			t.Errorf("%s: status %d, %s", path, r.StatusCode, r.body)
		}
	}
}

func TestBrowserSession(t *testing.T) {
	s := newSystem(t, withPages)
	cookie, session, err := s.access.Login(t.Context(), "operator", password)
	s.ok(err)
	signedIn := "cloudops_session=" + cookie.Reveal()
	tests := map[string]struct {
		method, path, body string
		headers            []string
		want               int
	}{
		"reads":                               {"GET", "/v1/whoami", "", []string{"Cookie", signedIn}, http.StatusOK},
		"with another cookie does not":        {"GET", "/v1/whoami", "", []string{"Cookie", signedIn + "x"}, http.StatusUnauthorized},
		"writes with its token in a header":   {"DELETE", "/v1/tokens/none", "", []string{"Cookie", signedIn, "X-CSRF-Token", session.CSRF}, http.StatusNotFound},
		"writes with its token in a form":     {"POST", "/form", "csrf_token=" + session.CSRF, []string{"Cookie", signedIn, "Content-Type", "application/x-www-form-urlencoded"}, http.StatusOK},
		"does not write with an old form":     {"POST", "/form", "csrf_token=old", []string{"Cookie", signedIn, "Content-Type", "application/x-www-form-urlencoded"}, http.StatusForbidden},
		"does not write without":              {"DELETE", "/v1/tokens/none", "", []string{"Cookie", signedIn}, http.StatusForbidden},
		"does not write with another's token": {"DELETE", "/v1/tokens/none", "", []string{"Cookie", signedIn, "X-CSRF-Token", "csrf_x"}, http.StatusForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := s.send(tt.method, tt.path, "", strings.NewReader(tt.body), tt.headers...)
			if r.StatusCode != tt.want {
				t.Errorf("status %d, not %d: %s", r.StatusCode, tt.want, r.body)
			}
		})
	}
}
