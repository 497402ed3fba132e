package api

import (
	"context"
	"net/http"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func (s *server) tokenRoutes() {
	handle(s, operation{method: "GET", path: "/v1/tokens", id: "list-tokens", summary: "List API tokens", tag: "access", permission: engine.MaySelf}, s.tokens)
	handle(s, operation{method: "POST", path: "/v1/tokens", id: "create-token", summary: "Make an API token; it is shown once", tag: "access", permission: engine.MaySelf, status: http.StatusCreated, secret: true}, s.createToken)
	handle(s, operation{method: "DELETE", path: "/v1/tokens/{id}", id: "delete-token", summary: "Take an API token back", tag: "access", permission: engine.MaySelf},
		func(ctx context.Context, in *IDPath) (*none, error) {
			return &none{}, s.Access.DeleteToken(ctx, me(ctx), in.ID)
		})
}

func (s *server) tokens(ctx context.Context, in *struct {
	PageQuery
	User string `query:"user" doc:"Of this user; your own where it is missing. Takes access.read or users.manage, or to be the owner of the service account."`
}) (*body[client.List[client.Token]], error) {
	tokens, err := s.Access.Tokens(ctx, me(ctx), in.User, in.engine())
	return listed(tokens, err, in.PageQuery, tokenJSON, func(t *engine.Token) string { return t.ID })
}

func (s *server) createToken(ctx context.Context, in *struct{ Body client.CreateToken }) (*body[client.NewToken], error) {
	b := in.Body
	scope, err := engine.ParseScope(b.Scope)
	if err != nil {
		return nil, err
	}
	secret, t, err := s.Access.CreateToken(ctx, me(ctx), engine.TokenRequest{
		User: b.User, Name: b.Name, Life: time.Duration(b.Seconds) * time.Second, Forever: b.Forever,
		Limit: engine.Limit{Permissions: each(b.Permissions, func(p string) engine.Permission { return engine.Permission(p) }), Scope: scope},
	})
	return newToken(secret, t, err)
}

func tokenJSON(t *engine.Token) client.Token {
	v := client.Token{ID: t.ID, User: t.User, Name: t.Name, CreatedAt: t.CreatedAt, ExpiresAt: when(t.ExpiresAt), UsedAt: when(t.UsedAt), UsedFrom: t.UsedFrom}
	if t.Limit != nil {
		v.Permissions, v.Scope = names(t.Limit.Permissions), t.Limit.Scope.String()
	}
	return v
}
