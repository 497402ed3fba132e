package api

import (
	"context"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

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
	c := &engine.Credential{Name: in.Credential, Kind: engine.CredentialKind(in.Body.Kind), Cloud: engine.Cloud(in.Body.Cloud),
		Description: in.Body.Description, Fields: in.Body.Fields, Values: secrets(in.Body.Values)}
	if plan := in.Body.Plan; plan != nil {
		c.Plan = &engine.CredentialPart{Fields: plan.Fields, Values: secrets(plan.Values)}
	}
	if err := s.Access.PutCredential(ctx, me(ctx), c); err != nil {
		return nil, err
	}
	kept, err := s.Store.Credential(ctx, in.Credential)
	if err != nil {
		return nil, err
	}
	return answer(credentialJSON(kept), nil)
}

func secrets(plain map[string]string) map[string]engine.Secret {
	values := make(map[string]engine.Secret, len(plain))
	for k, v := range plain {
		values[k] = engine.Secret(v)
	}
	return values
}

func credentialJSON(c *engine.Credential) client.Credential {
	j := client.Credential{Name: c.Name, Kind: string(c.Kind), Cloud: string(c.Cloud), Description: c.Description,
		Fields: fieldsJSON(c.Fields), Keys: list(c.Keys), CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt}
	if c.Plan != nil {
		j.Plan = &client.CredentialPart{Fields: fieldsJSON(c.Plan.Fields), Keys: list(c.Plan.Keys)}
	}
	return j
}

// fieldsJSON is never null.
func fieldsJSON(fields map[string]string) map[string]string {
	if fields == nil {
		return map[string]string{}
	}
	return fields
}
