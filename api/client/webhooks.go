package client

import (
	"context"
	"net/http"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Webhook sends what happens to an address, without its secret.
type Webhook struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Project      string     `json:"project,omitempty"`
	Stack        string     `json:"stack,omitempty"`
	URL          string     `json:"url"`
	Events       []string   `json:"events" nullable:"false"`
	Disabled     string     `json:"disabled,omitempty" doc:"Why nothing is sent; empty while it is in use."`
	FailingSince *time.Time `json:"failing_since,omitempty"`
	CreatedBy    string     `json:"created_by"`
	CreatedAt    time.Time  `json:"created_at"`
}

// CreateWebhook makes a webhook.
type CreateWebhook struct {
	Name    string   `json:"name"`
	Project string   `json:"project,omitempty" doc:"Of this project only."`
	Stack   string   `json:"stack,omitempty" doc:"Of this stack only."`
	URL     string   `json:"url"`
	Events  []string `json:"events" doc:"Patterns of events, such as run.* or drift.found." nullable:"false"`
}

// UpdateWebhook changes a webhook; what is left out stays.
type UpdateWebhook struct {
	URL      *string  `json:"url,omitempty"`
	Events   []string `json:"events,omitempty"`
	Disabled *bool    `json:"disabled,omitempty"`
}

// Signed is a thing that was made with the secret of its signatures, which is
// shown this once.
type Signed struct {
	ID     string `json:"id"`
	Secret string `json:"secret" doc:"Begins with whsec_; shown this once."`
}

// Delivery is one message of a webhook.
type Delivery struct {
	ID        string     `json:"id" doc:"Comes as webhook-id with each attempt."`
	Type      string     `json:"type"`
	Attempts  int        `json:"attempts"`
	Status    int        `json:"status,omitempty" doc:"HTTP status of the last answer."`
	Error     string     `json:"error,omitempty" doc:"Why the last attempt was not taken."`
	Millis    int64      `json:"milliseconds" doc:"How long the last attempt took."`
	NextAt    *time.Time `json:"next_at,omitempty" doc:"When it is sent again."`
	CreatedAt time.Time  `json:"created_at"`
	DoneAt    *time.Time `json:"done_at,omitempty" doc:"When it was taken or given up."`
}

// Hook starts a run of a stack for whoever has its secret.
type Hook struct {
	ID        string    `json:"id"`
	Stack     string    `json:"stack"`
	Name      string    `json:"name"`
	Kind      string    `json:"kind" enum:"apply,preview,drift"`
	CreatedBy string    `json:"created_by" doc:"Whose rights it has."`
	CreatedAt time.Time `json:"created_at"`
}

// CreateHook makes a hook.
type CreateHook struct {
	Name string `json:"name"`
	Kind string `json:"kind" enum:"apply,preview,drift"`
}

// Called is what a call of a hook has started.
type Called struct {
	Run string `json:"run"`
}

// Webhooks lists webhooks by name.
func (c *Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	return items[Webhook](ctx, c, path("webhooks"), nil)
}

// CreateWebhook makes a webhook and returns its secret.
func (c *Client) CreateWebhook(ctx context.Context, w CreateWebhook) (id string, secret engine.Secret, err error) {
	s, err := post[Signed](ctx, c, path("webhooks"), w)
	return s.ID, engine.Secret(s.Secret), err
}

// UpdateWebhook changes a webhook.
func (c *Client) UpdateWebhook(ctx context.Context, id string, u UpdateWebhook) (Webhook, error) {
	var w Webhook
	return w, c.call(ctx, http.MethodPatch, path("webhooks", id), nil, u, &w)
}

// RotateWebhook gives a webhook a new secret.
func (c *Client) RotateWebhook(ctx context.Context, id string) (engine.Secret, error) {
	s, err := post[Signed](ctx, c, path("webhooks", id, "rotate"), nil)
	return engine.Secret(s.Secret), err
}

// TestWebhook sends a message that stands for nothing.
func (c *Client) TestWebhook(ctx context.Context, id string) (Delivery, error) {
	return post[Delivery](ctx, c, path("webhooks", id, "test"), nil)
}

// DeleteWebhook removes a webhook.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, path("webhooks", id), nil, nil, nil)
}

// Deliveries lists the messages of a webhook, newest first.
func (c *Client) Deliveries(ctx context.Context, webhook string) ([]Delivery, error) {
	return items[Delivery](ctx, c, path("webhooks", webhook, "deliveries"), nil)
}

// Hooks lists the hooks of a stack.
func (c *Client) Hooks(ctx context.Context, stack string) ([]Hook, error) {
	return items[Hook](ctx, c, path("stacks", stack, "hooks"), nil)
}

// CreateHook makes a hook and returns its secret.
func (c *Client) CreateHook(ctx context.Context, stack string, h CreateHook) (id string, secret engine.Secret, err error) {
	s, err := post[Signed](ctx, c, path("stacks", stack, "hooks"), h)
	return s.ID, engine.Secret(s.Secret), err
}

// RotateHook gives a hook a new secret.
func (c *Client) RotateHook(ctx context.Context, id string) (engine.Secret, error) {
	s, err := post[Signed](ctx, c, path("hooks", id, "rotate"), nil)
	return engine.Secret(s.Secret), err
}

// DeleteHook removes a hook.
func (c *Client) DeleteHook(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, path("hooks", id), nil, nil, nil)
}
