package engine

import (
	"context"
	"time"
)

// WebhookStore keeps webhooks with their messages, and hooks with their calls.
type WebhookStore interface {
	// CreateWebhook wraps ErrConflict where another has the name.
	CreateWebhook(ctx context.Context, w *Webhook, e Event) error
	// ChangeWebhook lets edit change a webhook that nobody else changes meanwhile, and
	// say what is noted. It wraps ErrNotFound where there is none any more.
	ChangeWebhook(ctx context.Context, id string, edit func(*Webhook) (Event, error)) error
	Webhook(ctx context.Context, id string) (*Webhook, error)
	// Webhooks lists by name, with secrets.
	Webhooks(ctx context.Context, p Page) ([]*Webhook, error)
	// NoteWebhook writes since when it fails and why it is disabled, unless somebody
	// has disabled it meanwhile.
	NoteWebhook(ctx context.Context, w *Webhook, events ...Event) error
	DeleteWebhook(ctx context.Context, id string, e Event) error
	// FanOut gives fan the events since the last call, at most limit, with all
	// webhooks, and keeps the messages that it returns, in one transaction: each
	// event is seen once. It reports whether there may be more.
	FanOut(ctx context.Context, limit int, fan func(events []*Event, hooks []*Webhook) []*Delivery) (more bool, err error)
	// TakeDeliveries gives messages that are due, with one more attempt counted,
	// and makes them due again at until: of several processes one gets each.
	TakeDeliveries(ctx context.Context, now, until time.Time, limit int) ([]*Delivery, error)
	AddDelivery(ctx context.Context, d *Delivery) error
	// NoteDelivery writes what became of an attempt, where the message is still there.
	NoteDelivery(ctx context.Context, d *Delivery) error
	// Deliveries lists a webhook's messages, newest first; a cursor is an ID.
	Deliveries(ctx context.Context, webhook string, p Page) ([]*Delivery, error)
	// DropDeliveries removes messages that were over before t.
	DropDeliveries(ctx context.Context, t time.Time) error

	// CreateHook wraps ErrConflict where another of the stack has the name.
	CreateHook(ctx context.Context, h *Hook, e Event) error
	// ChangeHook is to hooks what ChangeWebhook is to webhooks.
	ChangeHook(ctx context.Context, id string, edit func(*Hook) (Event, error)) error
	// Hook wraps ErrNotFound where there is none.
	Hook(ctx context.Context, id string) (*Hook, error)
	Hooks(ctx context.Context, stack string, p Page) ([]*Hook, error) // by ID
	DeleteHook(ctx context.Context, id string, e Event) error
	// TakeCall notes a call and forgets those before old. It wraps ErrConflict
	// where the same call was taken before, and names the run that a call with the
	// same message has started, "" for none.
	TakeCall(ctx context.Context, c HookCall, old time.Time) (run string, err error)
	// CallStarted notes the run that a call has started.
	CallStarted(ctx context.Context, c HookCall, run string) error
}
