package api

import (
	"context"
	"net/http"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// KeyPath is a request about one data key.
type KeyPath struct {
	ID int `path:"id"`
}

func (s *server) keyRoutes() {
	handle(s, operation{method: "GET", path: "/v1/keys", id: "list-keys", summary: "List the data keys that values in the database are sealed under", tag: "keys", permission: engine.MayReadSystem},
		func(ctx context.Context, _ *none) (*body[client.List[client.DataKey]], error) {
			keys, err := s.Keys.List(ctx)
			return short(keys, keyJSON, err)
		})
	handle(s, operation{method: "GET", path: "/v1/keys/usage", id: "key-usage", summary: "Count what is sealed, by data key; this reads every value", tag: "keys", permission: engine.MayReadSystem},
		func(ctx context.Context, _ *none) (*body[client.List[client.KeyUsage]], error) {
			usage, err := s.Keys.Usage(ctx)
			return short(usage, func(u engine.Usage) client.KeyUsage { return client.KeyUsage(u) }, err)
		})
	handle(s, operation{method: "POST", path: "/v1/keys", id: "rotate-keys", summary: "Make a new data key and seal everything again under it", tag: "keys", permission: engine.MayManageSystem, status: http.StatusCreated},
		func(ctx context.Context, _ *none) (*body[client.DataKey], error) {
			key, err := s.Keys.Rotate(ctx, me(ctx))
			return answer(keyJSON(key), err)
		})
	handle(s, operation{method: "DELETE", path: "/v1/keys/{id}", id: "destroy-key", summary: "Destroy a retired data key, for good", tag: "keys", permission: engine.MayManageSystem},
		func(ctx context.Context, in *KeyPath) (*none, error) {
			return &none{}, s.Keys.Destroy(ctx, me(ctx), in.ID)
		})
}

func keyJSON(k engine.KeyState) client.DataKey {
	return client.DataKey{ID: k.ID, Status: string(k.Status), Master: k.Master, CreatedAt: k.CreatedAt,
		ActiveAt: when(k.ActiveAt), RetiredAt: when(k.RetiredAt), DestroyedAt: when(k.DestroyedAt)}
}
