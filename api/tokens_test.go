package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

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

// Who cannot sign in any more could else go on by one token after the other.
func TestTokenMadeWithATokenEndsWithIt(t *testing.T) {
	s := newSystem(t)
	admin := s.as(engine.RoleAdmin)
	s.ok(admin.CreateUser(t.Context(), client.CreateUser{Name: "ci", Kind: "service", Owner: "operator"}))
	short, err := s.as(engine.RoleOperator).CreateToken(t.Context(), client.CreateToken{Name: "an hour", Seconds: 3600})
	s.ok(err)
	c := client.New(s.url, engine.Secret(short.Token))
	for what, ask := range map[string]client.CreateToken{
		"for ever":                      {Name: "x", Forever: true},
		"for longer":                    {Name: "x", Seconds: 3601},
		"for a service account of ours": {Name: "x", User: "ci", Forever: true},
	} {
		if _, err := c.CreateToken(t.Context(), ask); !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), "on the account page") {
			t.Errorf("%s: %v", what, err)
		}
	}
	made, err := c.CreateToken(t.Context(), client.CreateToken{Name: "x"})
	s.ok(err)
	if !made.ExpiresAt.Equal(*short.ExpiresAt) {
		t.Errorf("it ends at %s, and the one before at %s", made.ExpiresAt, short.ExpiresAt)
	}
	login, err := client.New(s.url, "").Login(t.Context(), "admin", password, "laptop")
	s.ok(err)
	_, err = client.New(s.url, login).CreateToken(t.Context(), client.CreateToken{Name: "x", User: "ci", Forever: true})
	s.ok(err) // by who manages users
}

func TestTokensOfBeforeALimitEndByItToo(t *testing.T) {
	s := newSystem(t)
	s.access.Policy.TokenMax = time.Hour
	c := s.as(engine.RoleViewer)
	s.clock.add(time.Minute)
	tokens, err := c.Tokens(t.Context(), "")
	s.ok(err)
	ends := tokens[0].CreatedAt.Add(time.Hour)
	if got := tokens[0].ExpiresAt; got == nil || !got.Equal(ends) {
		t.Errorf("it is listed to expire at %v", got)
	}
	next, err := c.CreateToken(t.Context(), client.CreateToken{Name: "next"})
	s.ok(err)
	if !next.ExpiresAt.Equal(ends) {
		t.Errorf("the next one made with it expires at %s, not %s", next.ExpiresAt, ends)
	}
	s.clock.add(time.Hour + time.Second)
	s.must(s.request("GET", "/v1/whoami", engine.RoleViewer, nil), http.StatusUnauthorized)
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
	s.ok(s.store.CreateToken(t.Context(), old, "", engine.Event{At: s.clock.now(), Actor: "viewer", Action: "token.create"}))
	_, err := s.access.ByToken(t.Context(), "cop_old") // of the version before
	s.ok(err)
}

// A token that may manage users, and no more, is no way to all that its user may do.
func TestLimitedTokenGivesNobodyMoreThanItIsGoodFor(t *testing.T) {
	s := newSystem(t)
	admin := s.as(engine.RoleAdmin)
	s.ok(admin.PutTeam(t.Context(), "boss", ""))
	s.ok(admin.Bind(t.Context(), client.Binding{Subject: "team:boss", Role: "admin", Scope: "installation"}))
	made, err := admin.CreateToken(t.Context(), client.CreateToken{Name: "registrar", Permissions: []string{"users.manage", "access.manage", "access.read"}})
	s.ok(err)
	c := client.New(s.url, engine.Secret(made.Token))
	s.ok(c.CreateUser(t.Context(), client.CreateUser{Name: "eve", Password: password, MustChange: new(false)}))
	for what, err := range map[string]error{
		"one's own password":            c.UpdateUser(t.Context(), "admin", client.UpdateUser{Password: new("staple battery horse")}),
		"a password of who may do more": c.UpdateUser(t.Context(), "operator", client.UpdateUser{Password: new("staple battery horse")}),
		"the end of one's browsers":     c.EndSessions(t.Context(), "admin"),
		"a user with a role":            c.CreateUser(t.Context(), client.CreateUser{Name: "mallory", Roles: []string{"admin"}, Password: password}),
		"a role":                        c.UpdateUser(t.Context(), "eve", client.UpdateUser{Roles: &[]string{"viewer"}}),
		"a binding":                     c.Bind(t.Context(), client.Binding{Subject: "user:eve", Role: "viewer", Scope: "project:default"}),
		"a role of one's own":           c.PutRole(t.Context(), "applier", client.PutRole{Permissions: []string{"apply"}}),
		"a team":                        c.AddMember(t.Context(), "boss", "eve"),
	} {
		if !errors.Is(err, engine.ErrForbidden) || !strings.Contains(err.Error(), made.ID) && what != "one's own password" && what != "the end of one's browsers" {
			t.Errorf("%s: %v", what, err)
		}
	}
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
	events, err := s.store.Events(t.Context(), engine.EventFilter{Action: "token.delete"}, engine.Page{Limit: 1})
	s.ok(err)
	if got := string(events[0].Detail); events[0].Actor != "operator" || got != `{"name":"deploy","user":"ci"}` {
		t.Errorf("it is recorded as %s by %s", got, events[0].Actor)
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
	if p, err := s.access.PrincipalOf(t.Context(), "ci"); err != nil || p.MayAnywhere(engine.MayRead) || p.Owner != "operator" {
		t.Errorf("hooks and approvals of it have the rights of %+v, %v", p, err)
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
	tokens, err := admin.Tokens(t.Context(), "")
	s.ok(err)
	if err := rita.DeleteToken(t.Context(), tokens[0].ID); !errors.Is(err, engine.ErrForbidden) {
		t.Errorf("the end of an admin's token: %v", err)
	}
	if err := s.as(engine.RoleOperator).DeleteToken(t.Context(), tokens[0].ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("by somebody who manages nobody: %v", err)
	}
	if err := rita.EndSessions(t.Context(), "admin"); !errors.Is(err, engine.ErrForbidden) {
		t.Errorf("sessions of an admin: %v", err)
	}
}
