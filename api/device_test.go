package api

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

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
	d, err := c.BeginDevice(t.Context(), "lap\x1b[2Jtop")
	s.ok(err)
	if shown, err := s.access.Device(t.Context(), d.UserCode); err != nil || shown.Client != "lap[2Jtop" {
		t.Errorf("a person is shown %+v, %v", shown, err)
	}
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

// Whoever is signed in could else try all codes that wait, or whoever finds a
// browser left alone its owner's password; a stranger would have the identity
// provider asked again and again.
func TestGuessingOnPagesIsSlowedDown(t *testing.T) {
	for path, tt := range map[string]struct {
		who  engine.Role
		perm engine.Permission
		most int
	}{
		"/device?code=BCDFGHJK":  {engine.RoleViewer, engine.MaySelf, loginTries},
		"/account/password":      {engine.RoleViewer, engine.MaySelf, loginTries},
		"/login/callback?code=x": {"", public, addressTries},
	} {
		s := newSystem(t, withPages)
		route, _, _ := strings.Cut(path, "?")
		s.router.GET(route, func(c *gin.Context) { c.Status(http.StatusOK) })
		s.server.permissions["GET "+route] = tt.perm
		for range tt.most {
			s.must(s.request("GET", path, tt.who, nil), http.StatusOK)
		}
		s.must(s.request("GET", path, tt.who, nil), http.StatusTooManyRequests)
	}
}

// signedIn is a person in front of a browser.
func (s *system) signedIn(name string) (engine.Principal, error) {
	cookie, _, err := s.access.Login(s.t.Context(), name, password)
	if err != nil {
		return engine.Principal{}, err
	}
	return s.access.BySession(s.t.Context(), cookie)
}
