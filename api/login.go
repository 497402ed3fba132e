package api

import (
	"context"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func (s *server) loginRoutes() {
	handle(s, operation{method: "POST", path: "/v1/login", id: "login", summary: "Get an API token for a name and password", tag: "access"}, s.login)
	handle(s, operation{method: "POST", path: "/v1/logout", id: "logout", summary: "End the session, or take the token back, that asks", tag: "access", permission: signedIn},
		func(ctx context.Context, _ *none) (*none, error) {
			return &none{}, s.Access.Logout(ctx, me(ctx))
		})
	handle(s, operation{method: "GET", path: "/v1/whoami", id: "whoami", summary: "Who asks", tag: "access", permission: signedIn}, s.whoami)
	handle(s, operation{method: "PUT", path: "/v1/password", id: "change-password", summary: "Change your own password", tag: "access", permission: engine.MaySelf, secret: true}, s.changePassword)
}

func (s *server) login(ctx context.Context, in *struct{ Body client.Login }) (*body[client.NewToken], error) {
	name, password, next := in.Body.Name, engine.Secret(in.Body.Password), engine.Secret(in.Body.NewPassword)
	if err := s.logins.check(name, engine.OriginFrom(ctx).Address); err != nil {
		return nil, err
	}
	if next != "" {
		if err := s.Access.ChangePassword(ctx, name, engine.PasswordChange{Old: password, New: next}); err != nil {
			return nil, err
		}
		password = next
	}
	label := in.Body.Label
	if label == "" {
		label = "login"
	}
	secret, t, err := s.Access.LoginToken(ctx, name, password, label)
	return newToken(secret, t, err)
}

func newToken(secret engine.Secret, t *engine.Token, err error) (*body[client.NewToken], error) {
	if err != nil {
		return nil, err
	}
	return answer(client.NewToken{Token: secret.Reveal(), ID: t.ID, User: t.User, ExpiresAt: when(t.ExpiresAt)}, nil)
}

func (s *server) changePassword(ctx context.Context, in *struct{ Body client.ChangePassword }) (*none, error) {
	p := me(ctx)
	if err := s.logins.check(p.User, engine.OriginFrom(ctx).Address); err != nil {
		return nil, err
	}
	return &none{}, s.Access.ChangePassword(ctx, p.User, engine.PasswordChange{Old: engine.Secret(in.Body.Old), New: engine.Secret(in.Body.New), EndTokens: in.Body.EndTokens})
}

func (s *server) sessionRoutes() {
	handle(s, operation{method: "GET", path: "/v1/sessions", id: "list-sessions", summary: "List the browsers that you are signed in with", tag: "access", permission: engine.MaySelf},
		func(ctx context.Context, in *PageQuery) (*body[client.List[client.Session]], error) {
			p := me(ctx)
			all, err := s.Access.Sessions(ctx, p.User, in.engine())
			return listed(all, err, *in, func(e *engine.Session) client.Session { return sessionJSON(e, p.Session) }, (*engine.Session).ID)
		})
	handle(s, operation{method: "DELETE", path: "/v1/sessions/{id}", id: "end-session", summary: "Sign one of your browsers out", tag: "access", permission: engine.MaySelf},
		func(ctx context.Context, in *IDPath) (*none, error) {
			return &none{}, s.Access.EndSession(ctx, me(ctx), in.ID)
		})
	handle(s, operation{method: "DELETE", path: "/v1/users/{name}/sessions", id: "end-sessions", summary: "Sign all browsers of a user out", tag: "access", permission: engine.MayManageUsers},
		func(ctx context.Context, in *NamePath) (*none, error) {
			return &none{}, s.Access.EndSessions(ctx, me(ctx), in.Name)
		})
}

func (s *server) signOnRoutes() {
	handle(s, operation{method: "GET", path: "/v1/sign-ons", id: "list-sign-ons", summary: "List the single sign-ons that let you in", tag: "access", permission: engine.MaySelf},
		func(ctx context.Context, in *struct {
			PageQuery
			SignOnQuery
		}) (*body[client.List[client.SignOn]], error) {
			all, err := s.Access.Identities(ctx, me(ctx), in.User, in.engine())
			return listed(all, err, in.PageQuery, signOnJSON, (*engine.LinkedIdentity).ID)
		})
	handle(s, operation{method: "DELETE", path: "/v1/sign-ons/{id}", id: "unlink-sign-on", summary: "End that a single sign-on lets you in", tag: "access", permission: engine.MaySelf},
		func(ctx context.Context, in *struct {
			IDPath
			SignOnQuery
		}) (*none, error) {
			return &none{}, s.Access.Unlink(ctx, me(ctx), in.User, in.ID)
		})
}

// SignOnQuery says whose sign-ons are meant.
type SignOnQuery struct {
	User string `query:"user" doc:"Of this user; your own where it is missing. Takes users.manage, or access.read to list them."`
}

func signOnJSON(i *engine.LinkedIdentity) client.SignOn {
	return client.SignOn{ID: i.ID(), User: i.User, Issuer: i.Issuer, Subject: i.Subject, LinkedAt: i.LinkedAt}
}

func sessionJSON(e *engine.Session, current string) client.Session {
	return client.Session{ID: e.ID(), CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt, SeenAt: e.SeenAt, Address: e.Address, Agent: e.Agent, Via: e.Via, Current: e.ID() == current}
}
