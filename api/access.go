package api

import (
	"context"
	"net/http"
	"strconv"
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
	handle(s, operation{method: "GET", path: "/v1/whoami", id: "whoami", summary: "Who asks", tag: "access", permission: engine.MaySelf},
		func(ctx context.Context, _ *none) (*body[client.Whoami], error) {
			return answer(client.Whoami{Name: me(ctx).User, Role: string(me(ctx).Role)}, nil)
		})
	s.tokenRoutes()
	s.userRoutes()
	s.credentialRoutes()
	handle(s, operation{method: "GET", path: "/v1/events", id: "list-events", summary: "List the audit log, newest first", tag: "audit", permission: engine.MayReadState}, s.events)
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
	handle(s, operation{method: "GET", path: "/v1/users", id: "list-users", summary: "List users", tag: "access", permission: engine.MayManageUsers},
		func(ctx context.Context, in *PageQuery) (*body[client.List[client.User]], error) {
			users, err := s.Store.Users(ctx, in.engine())
			return listed(users, err, *in, userJSON, func(u *engine.User) string { return u.Name })
		})
	handle(s, operation{method: "POST", path: "/v1/users", id: "create-user", summary: "Make a user", tag: "access", permission: engine.MayManageUsers, status: http.StatusCreated},
		func(ctx context.Context, in *struct{ Body client.CreateUser }) (*body[client.User], error) {
			err := s.Access.CreateUser(ctx, me(ctx), in.Body.Name, engine.Role(in.Body.Role), engine.Secret(in.Body.Password))
			if err != nil {
				return nil, err
			}
			// Were it read for a caller who is gone, the same request would be refused.
			u, err := s.Store.User(context.WithoutCancel(ctx), in.Body.Name)
			if err != nil {
				return nil, err
			}
			return answer(userJSON(u), nil)
		})
	handle(s, operation{method: "PATCH", path: "/v1/users/{name}", id: "update-user", summary: "Change a user", tag: "access", permission: engine.MayManageUsers}, s.updateUser)
}

func (s *server) updateUser(ctx context.Context, in *struct {
	NamePath
	Body client.UpdateUser
}) (*body[client.User], error) {
	ch := engine.UserChange{Role: (*engine.Role)(in.Body.Role), Disabled: in.Body.Disabled, Password: (*engine.Secret)(in.Body.Password)}
	u, err := s.Access.UpdateUser(ctx, me(ctx), in.Name, ch)
	if err != nil {
		return nil, err
	}
	return answer(userJSON(u), nil)
}

func (s *server) credentialRoutes() {
	handle(s, operation{method: "GET", path: "/v1/credentials", id: "list-credentials", summary: "List credentials without their values", tag: "credentials", permission: engine.MayRead},
		func(ctx context.Context, in *PageQuery) (*body[client.List[client.Credential]], error) {
			all, err := s.Store.Credentials(ctx, in.engine())
			return listed(all, err, *in, credentialJSON, func(c *engine.Credential) string { return c.Name })
		})
	handle(s, operation{method: "PUT", path: "/v1/credentials/{name}", id: "put-credential", summary: "Store credentials", tag: "credentials", permission: engine.MayManage}, s.putCredential)
	handle(s, operation{method: "DELETE", path: "/v1/credentials/{name}", id: "delete-credential", summary: "Delete credentials", tag: "credentials", permission: engine.MayManage},
		func(ctx context.Context, in *NamePath) (*none, error) {
			return &none{}, s.Access.DeleteCredential(ctx, me(ctx), in.Name)
		})
}

func (s *server) putCredential(ctx context.Context, in *struct {
	NamePath
	Body client.PutCredential
}) (*body[client.Credential], error) {
	values := make(map[string]engine.Secret, len(in.Body.Values))
	for k, v := range in.Body.Values {
		values[k] = engine.Secret(v)
	}
	err := s.Access.PutCredential(ctx, me(ctx), &engine.Credential{Name: in.Name, Cloud: engine.Cloud(in.Body.Cloud), Description: in.Body.Description, Values: values})
	if err != nil {
		return nil, err
	}
	c, err := s.Store.Credential(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return answer(credentialJSON(c), nil)
}

func (s *server) events(ctx context.Context, in *struct {
	PageQuery
	Stack string `query:"stack" doc:"Of this stack only."`
}) (*body[client.List[client.Event]], error) {
	events, err := s.Store.Events(ctx, in.Stack, in.engine())
	if err != nil {
		return nil, err
	}
	return paged(events, in.PageQuery, eventJSON, func(e *engine.Event) string { return strconv.FormatInt(e.ID, 10) }), nil
}
