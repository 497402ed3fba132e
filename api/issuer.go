package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// published is a document that anybody may fetch, and keep for a while: a key is
// published for much longer before it signs.
type published struct {
	Type    string `header:"Content-Type"`
	Caching string `header:"Cache-Control"`
	Body    []byte
}

func publish(doc []byte, err error) (*published, error) {
	if err != nil {
		return nil, err
	}
	return &published{Type: "application/json", Caching: "public, max-age=3600", Body: doc}, nil
}

func (s *server) issuerRoutes() {
	handle(s, operation{method: "GET", path: engine.DiscoveryPath, id: "issuer-discovery", summary: "OpenID Connect discovery document of the issuer of workload identity", tag: "issuer", permission: public, gives: anyJSON},
		func(context.Context, *none) (*published, error) {
			return publish(json.Marshal(s.Runs.Issuer.Discovery()))
		})
	handle(s, operation{method: "GET", path: engine.KeySetPath, id: "issuer-keys", summary: "Keys that tokens of workload identity are signed with, a JWK set", tag: "issuer", permission: public, gives: anyJSON},
		func(ctx context.Context, _ *none) (*published, error) {
			return publish(s.Runs.Issuer.KeySet(ctx))
		})
	handle(s, operation{method: "GET", path: "/v1/issuer", id: "show-issuer", summary: "Who vouches to clouds for steps", tag: "issuer", permission: engine.MayRead},
		func(ctx context.Context, _ *none) (*body[client.Issuer], error) { return s.showIssuer(ctx) })
	handle(s, operation{method: "POST", path: "/v1/issuer/rotate", id: "rotate-issuer", summary: "Make a new key to sign with", tag: "issuer", permission: engine.MayManageSystem, status: http.StatusCreated},
		func(ctx context.Context, in *struct{ Body client.RotateIssuer }) (*body[client.Issuer], error) {
			if _, err := s.Runs.Issuer.Rotate(ctx, me(ctx), in.Body.Withdraw); err != nil {
				return nil, err
			}
			return s.showIssuer(context.WithoutCancel(ctx))
		})
}

func (s *server) showIssuer(ctx context.Context) (*body[client.Issuer], error) {
	keys, err := s.Runs.Issuer.Keys(ctx)
	if err != nil {
		return nil, err
	}
	signing := engine.Signing(keys, s.Now())
	return answer(client.Issuer{URL: s.Runs.Issuer.URL, Reachable: s.Runs.Issuer.Reachable(), Keys: each(keys, func(k *engine.IssuerKey) client.IssuerKey {
		return client.IssuerKey{ID: k.ID, CreatedAt: k.CreatedAt, SignsAt: k.SignsAt, Signing: k.ID == signing.ID}
	})}, nil)
}
