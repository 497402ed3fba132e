package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// NamePath is a request about one thing with a name.
type NamePath struct {
	Name string `path:"name"`
}

func (s *server) accessRoutes() {
	handle(s, operation{method: "POST", path: "/v1/login", id: "login", summary: "Get an API token for a name and password", tag: "access"}, s.login)
	handle(s, operation{method: "GET", path: "/v1/whoami", id: "whoami", summary: "Who asks", tag: "access", permission: signedIn}, s.whoami)
	s.tokenRoutes()
	s.userRoutes()
	s.directoryRoutes()
	s.credentialRoutes()
}

type loginRequest struct {
	address string
	Body    client.Login
}

// Resolve implements huma.Resolver: it notes where the request comes from.
func (r *loginRequest) Resolve(ctx huma.Context) []error {
	r.address = ctx.RemoteAddr()
	return nil
}

func (s *server) login(ctx context.Context, in *loginRequest) (*body[client.NewToken], error) {
	if err := s.logins.check(in.Body.Name, in.address); err != nil {
		return nil, err
	}
	label := in.Body.Label
	if label == "" {
		label = "login"
	}
	secret, t, err := s.Access.LoginToken(ctx, in.Body.Name, engine.Secret(in.Body.Password), label)
	if err != nil {
		return nil, err
	}
	return answer(client.NewToken{Token: secret.Reveal(), ID: t.ID}, nil)
}

func (s *server) tokenRoutes() {
	handle(s, operation{method: "GET", path: "/v1/tokens", id: "list-tokens", summary: "List your API tokens", tag: "access", permission: engine.MaySelf},
		func(ctx context.Context, in *PageQuery) (*body[client.List[client.Token]], error) {
			tokens, err := s.Store.Tokens(ctx, me(ctx).User, in.engine())
			return listed(tokens, err, *in, tokenJSON, func(t *engine.Token) string { return t.ID })
		})
	handle(s, operation{method: "POST", path: "/v1/tokens", id: "create-token", summary: "Make an API token; it is shown once", tag: "access", permission: engine.MaySelf, status: http.StatusCreated, secret: true},
		func(ctx context.Context, in *struct{ Body client.CreateToken }) (*body[client.NewToken], error) {
			secret, t, err := s.Access.CreateToken(ctx, me(ctx), in.Body.Name, time.Duration(in.Body.Seconds)*time.Second)
			if err != nil {
				return nil, err
			}
			return answer(client.NewToken{Token: secret.Reveal(), ID: t.ID}, nil)
		})
	handle(s, operation{method: "DELETE", path: "/v1/tokens/{id}", id: "delete-token", summary: "Take an API token back", tag: "access", permission: engine.MaySelf},
		func(ctx context.Context, in *IDPath) (*none, error) {
			return &none{}, s.Access.DeleteToken(ctx, me(ctx), in.ID)
		})
}

func (s *server) userRoutes() {
	handle(s, operation{method: "GET", path: "/v1/users", id: "list-users", summary: "List users", tag: "access", permission: engine.MayReadAccess}, s.listUsers)
	handle(s, operation{method: "POST", path: "/v1/users", id: "create-user", summary: "Make a user", tag: "access", permission: engine.MayManageUsers, status: http.StatusCreated}, s.createUser)
	handle(s, operation{method: "PATCH", path: "/v1/users/{name}", id: "update-user", summary: "Change a user", tag: "access", permission: engine.MayManageUsers}, s.updateUser)
}

func (s *server) listUsers(ctx context.Context, in *PageQuery) (*body[client.List[client.User]], error) {
	users, err := s.Store.Users(ctx, in.engine())
	if err != nil {
		return nil, err
	}
	d, err := s.Access.Directory(ctx)
	if err != nil {
		return nil, err
	}
	return paged(users, *in, func(u *engine.User) client.User { return userJSON(u, d) }, func(u *engine.User) string { return u.Name }), nil
}

func (s *server) createUser(ctx context.Context, in *struct{ Body client.CreateUser }) (*body[client.User], error) {
	if err := s.Access.CreateUser(ctx, me(ctx), in.Body.Name, roles(in.Body.Roles), engine.Secret(in.Body.Password)); err != nil {
		return nil, err
	}
	// Were it read for a caller who is gone, the same request would be refused.
	return s.user(context.WithoutCancel(ctx), in.Body.Name)
}

func (s *server) user(ctx context.Context, name string) (*body[client.User], error) {
	u, err := s.Store.User(ctx, name)
	if err != nil {
		return nil, err
	}
	d, err := s.Access.Directory(ctx)
	if err != nil {
		return nil, err
	}
	return answer(userJSON(u, d), nil)
}

func roles(names []string) []engine.Role {
	return each(names, func(name string) engine.Role { return engine.Role(name) })
}

func (s *server) updateUser(ctx context.Context, in *struct {
	NamePath
	Body client.UpdateUser
}) (*body[client.User], error) {
	if in.Body.Roles != nil {
		if err := s.Access.SetRoles(ctx, me(ctx), in.Name, roles(*in.Body.Roles)); err != nil {
			return nil, err
		}
	}
	if in.Body.Disabled != nil || in.Body.Password != nil {
		ch := engine.UserChange{Disabled: in.Body.Disabled, Password: (*engine.Secret)(in.Body.Password)}
		if _, err := s.Access.UpdateUser(ctx, me(ctx), in.Name, ch); err != nil {
			return nil, err
		}
	}
	return s.user(context.WithoutCancel(ctx), in.Name)
}
