package api

import (
	"context"
	"strconv"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// NamePath is a request about one thing with a name.
type NamePath struct {
	Name string `path:"name"`
}

func (s *server) accessRoutes() {
	s.loginRoutes()
	s.deviceRoutes()
	s.sessionRoutes()
	s.tokenRoutes()
	s.userRoutes()
	s.directoryRoutes()
	s.credentialRoutes()
	handle(s, operation{method: "GET", path: "/v1/events", id: "list-events", summary: "List the audit log, newest first", tag: "audit", permission: engine.MayReadAudit}, s.events)
}

func (s *server) credentialRoutes() {
	handle(s, operation{method: "GET", path: "/v1/credentials", id: "list-credentials", summary: "List credentials without their values", tag: "credentials", permission: engine.MayRead},
		func(ctx context.Context, in *PageQuery) (*body[client.List[client.Credential]], error) {
			all, err := s.Store.Credentials(ctx, in.seen(ctx, engine.MayRead))
			return listed(all, err, *in, credentialJSON, func(c *engine.Credential) string { return c.Name })
		})
	handle(s, operation{method: "PUT", path: "/v1/credentials/{credential}", id: "put-credential", summary: "Store credentials", tag: "credentials", permission: engine.MayWriteCredentials}, s.putCredential)
	handle(s, operation{method: "DELETE", path: "/v1/credentials/{credential}", id: "delete-credential", summary: "Delete credentials", tag: "credentials", permission: engine.MayWriteCredentials},
		func(ctx context.Context, in *CredentialPath) (*none, error) {
			return &none{}, s.Access.DeleteCredential(ctx, me(ctx), in.Credential)
		})
}

// CredentialPath is a request about one set of credentials.
type CredentialPath struct {
	Credential string `path:"credential"`
}

func (s *server) putCredential(ctx context.Context, in *struct {
	CredentialPath
	Body client.PutCredential
}) (*body[client.Credential], error) {
	values := make(map[string]engine.Secret, len(in.Body.Values))
	for k, v := range in.Body.Values {
		values[k] = engine.Secret(v)
	}
	err := s.Access.PutCredential(ctx, me(ctx), &engine.Credential{Name: in.Credential, Cloud: engine.Cloud(in.Body.Cloud), Description: in.Body.Description, Values: values})
	if err != nil {
		return nil, err
	}
	c, err := s.Store.Credential(ctx, in.Credential)
	if err != nil {
		return nil, err
	}
	return answer(credentialJSON(c), nil)
}

func (s *server) events(ctx context.Context, in *struct {
	PageQuery
	Stack string `query:"stack" doc:"Of this stack only."`
}) (*body[client.List[client.Event]], error) {
	events, err := s.Store.Events(ctx, in.Stack, in.seen(ctx, engine.MayReadAudit))
	if err != nil {
		return nil, err
	}
	return paged(events, in.PageQuery, eventJSON, func(e *engine.Event) string { return strconv.FormatInt(e.ID, 10) }), nil
}
