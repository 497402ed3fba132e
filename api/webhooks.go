package api

import (
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func (s *server) webhookRoutes() {
	handle(s, operation{method: "GET", path: "/v1/webhooks", id: "list-webhooks", summary: "List webhooks; where they post is shown whole to who may change them", tag: "webhooks", permission: engine.MayRead},
		func(ctx context.Context, in *PageQuery) (*body[client.List[client.Webhook]], error) {
			all, err := s.Webhooks.List(ctx, me(ctx))
			rest := slices.DeleteFunc(all, func(w *engine.Webhook) bool { return w.Name <= in.Cursor })
			return listed(rest, err, *in, webhookJSON, func(w *engine.Webhook) string { return w.Name })
		})
	handle(s, operation{method: "POST", path: "/v1/webhooks", id: "create-webhook", summary: "Make a webhook; its secret is shown once", tag: "webhooks", permission: engine.MayWritePolicy, status: http.StatusCreated, secret: true}, s.createWebhook)
	handle(s, operation{method: "PATCH", path: "/v1/webhooks/{id}", id: "update-webhook", summary: "Change, disable or enable a webhook", tag: "webhooks", permission: engine.MayWritePolicy}, s.updateWebhook)
	handle(s, operation{method: "POST", path: "/v1/webhooks/{id}/rotate", id: "rotate-webhook", summary: "Give a webhook a new secret; the old one signs beside it for a day", tag: "webhooks", permission: engine.MayWritePolicy, secret: true},
		func(ctx context.Context, in *IDPath) (*body[client.Signed], error) {
			secret, err := s.Webhooks.Rotate(ctx, me(ctx), in.ID)
			return answer(client.Signed{ID: in.ID, Secret: secret.Reveal()}, err)
		})
	handle(s, operation{method: "POST", path: "/v1/webhooks/{id}/test", id: "test-webhook", summary: "Send a message that stands for nothing, and see what becomes of it", tag: "webhooks", permission: engine.MayWritePolicy},
		func(ctx context.Context, in *IDPath) (*body[client.Delivery], error) {
			d, err := s.Webhooks.Test(ctx, me(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			return answer(deliveryJSON(d), nil)
		})
	handle(s, operation{method: "DELETE", path: "/v1/webhooks/{id}", id: "delete-webhook", summary: "Delete a webhook", tag: "webhooks", permission: engine.MayWritePolicy},
		func(ctx context.Context, in *IDPath) (*none, error) {
			return &none{}, s.Webhooks.Delete(ctx, me(ctx), in.ID)
		})
	handle(s, operation{method: "GET", path: "/v1/webhooks/{id}/deliveries", id: "list-deliveries", summary: "List what a webhook sent, newest first", tag: "webhooks", permission: engine.MayRead}, s.deliveries)
	s.hookRoutes()
}

func (s *server) createWebhook(ctx context.Context, in *struct{ Body client.CreateWebhook }) (*body[client.Signed], error) {
	w := &engine.Webhook{Name: in.Body.Name, Project: in.Body.Project, Stack: in.Body.Stack, URL: in.Body.URL, Events: in.Body.Events}
	secret, err := s.Webhooks.Add(ctx, me(ctx), w)
	return answer(client.Signed{ID: w.ID, Secret: secret.Reveal()}, err)
}

func (s *server) updateWebhook(ctx context.Context, in *struct {
	IDPath
	Body client.UpdateWebhook
}) (*body[client.Webhook], error) {
	w, err := s.Webhooks.Update(ctx, me(ctx), in.ID, engine.WebhookChange{URL: in.Body.URL, Events: in.Body.Events, Disabled: in.Body.Disabled})
	if err != nil {
		return nil, err
	}
	return answer(webhookJSON(w), nil)
}

func (s *server) deliveries(ctx context.Context, in *struct {
	IDPath
	PageQuery
}) (*body[client.List[client.Delivery]], error) {
	if _, err := s.Webhooks.Of(ctx, me(ctx), engine.MayRead, in.ID); err != nil {
		return nil, err
	}
	all, err := s.Store.Deliveries(ctx, in.ID, in.engine())
	return listed(all, err, in.PageQuery, deliveryJSON, func(d *engine.Delivery) string { return d.ID })
}

func (s *server) hookRoutes() {
	handle(s, operation{method: "GET", path: "/v1/stacks/{stack}/hooks", id: "list-hooks", summary: "List the hooks of a stack", tag: "webhooks", permission: engine.MayRead},
		func(ctx context.Context, in *StackPage) (*body[client.List[client.Hook]], error) {
			if _, err := s.Store.Stack(ctx, in.Stack); err != nil {
				return nil, err
			}
			all, err := s.Store.Hooks(ctx, in.Stack, in.engine())
			return listed(all, err, in.PageQuery, hookJSON, func(h *engine.Hook) string { return h.ID })
		})
	handle(s, operation{method: "POST", path: "/v1/stacks/{stack}/hooks", id: "create-hook", summary: "Make a hook that starts runs; its secret is shown once", tag: "webhooks", permission: engine.MayPlan, status: http.StatusCreated, secret: true},
		func(ctx context.Context, in *struct {
			StackPath
			Body client.CreateHook
		}) (*body[client.Signed], error) {
			h := &engine.Hook{Stack: in.Stack, Name: in.Body.Name, Kind: engine.RunKind(in.Body.Kind)}
			secret, err := s.Hooks.Add(ctx, me(ctx), h)
			return answer(client.Signed{ID: h.ID, Secret: secret.Reveal()}, err)
		})
	handle(s, operation{method: "POST", path: "/v1/hooks/{id}/rotate", id: "rotate-hook", summary: "Give a hook a new secret; the old one is taken beside it for a day", tag: "webhooks", permission: engine.MayPlan, secret: true},
		func(ctx context.Context, in *IDPath) (*body[client.Signed], error) {
			secret, err := s.Hooks.Rotate(ctx, me(ctx), in.ID)
			return answer(client.Signed{ID: in.ID, Secret: secret.Reveal()}, err)
		})
	handle(s, operation{method: "DELETE", path: "/v1/hooks/{id}", id: "delete-hook", summary: "Delete a hook", tag: "webhooks", permission: engine.MayPlan},
		func(ctx context.Context, in *IDPath) (*none, error) {
			return &none{}, s.Hooks.Delete(ctx, me(ctx), in.ID)
		})
	handle(s, operation{method: "POST", path: "/v1/hooks/{id}", id: "call-hook", summary: "Start the run that a hook is for, signed as Standard Webhooks says", tag: "webhooks", status: http.StatusAccepted, raw: true,
		body: &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {}}}}, s.callHook)
}

// hookRequest is a call from outside. Its body is kept as it came, since it is
// what was signed.
type hookRequest struct {
	IDPath
	MessageID string `header:"webhook-id" doc:"The same for a message that comes again: it starts one run."`
	Timestamp string `header:"webhook-timestamp" doc:"Seconds since 1970; within five minutes of the server's time."`
	Signature string `header:"webhook-signature" doc:"v1, and the HMAC-SHA-256 of identifier.timestamp.body in base64."`
	body      []byte
	address   string
}

// Resolve implements huma.Resolver: it notes where the request comes from, and
// takes a body that may be empty.
func (r *hookRequest) Resolve(ctx huma.Context) []error {
	r.address = ctx.RemoteAddr()
	var err error
	if r.body, err = io.ReadAll(ctx.BodyReader()); err != nil {
		return []error{err}
	}
	return nil
}

func (s *server) callHook(ctx context.Context, in *hookRequest) (*body[client.Called], error) {
	if err := s.logins.checkCall(in.address); err != nil {
		return nil, err
	}
	run, err := s.Hooks.Call(ctx, in.ID, engine.SignedMessage{ID: in.MessageID, Timestamp: in.Timestamp, Signature: in.Signature}, in.body)
	return answer(client.Called{Run: run}, err)
}

func webhookJSON(w *engine.Webhook) client.Webhook {
	return client.Webhook{ID: w.ID, Name: w.Name, Project: w.Project, Stack: w.Stack, URL: w.URL, Events: w.Events, Disabled: w.DisabledWhy,
		FailingSince: when(w.FailingSince), CreatedBy: w.CreatedBy, CreatedAt: w.CreatedAt}
}

func deliveryJSON(d *engine.Delivery) client.Delivery {
	next := when(d.NextAt)
	if !d.DoneAt.IsZero() {
		next = nil
	}
	return client.Delivery{ID: d.ID, Type: d.Type, Attempts: d.Attempts, Status: d.Status, Error: d.Error, Millis: int64(d.Took / time.Millisecond),
		NextAt: next, CreatedAt: d.CreatedAt, DoneAt: when(d.DoneAt)}
}

func hookJSON(h *engine.Hook) client.Hook {
	return client.Hook{ID: h.ID, Stack: h.Stack, Name: h.Name, Kind: string(h.Kind), CreatedBy: h.CreatedBy, CreatedAt: h.CreatedAt}
}
