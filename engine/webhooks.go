package engine

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"
)

// Sender posts messages. It reaches only what a user may name, follows no
// redirect, and returns the receiver's status, or an error where there is none.
type Sender interface {
	// Check wraps ErrInvalid for an address that is never reached.
	Check(u *url.URL) error
	Post(ctx context.Context, address string, header map[string]string, body []byte) (status int, err error)
}

// Webhooks keeps webhooks and sends their messages, each at least once.
type Webhooks struct {
	Store  WebhookStore
	Sender Sender
	Log    *slog.Logger
	Now    func() time.Time
	// URL is where people see runs, such as https://cloudops.example.com.
	URL string
}

// Add makes a webhook and returns its secret, which is shown this once.
func (s *Webhooks) Add(ctx context.Context, p Principal, w *Webhook) (Secret, error) {
	now := s.Now()
	secret := NewWebhookSecret()
	w.ID, w.Secrets, w.CreatedBy, w.CreatedAt = NewID("whk", now), SigningSecrets{Newest: secret}, p.User, now
	if err := s.check(p, w); err != nil {
		return "", err
	}
	return secret, s.Store.CreateWebhook(ctx, w, s.event(p.User, "webhook.create", w, nil).changing(nil, w.told()))
}

// check refuses what p may not have told, what no webhook can be, and addresses
// that are never reached.
func (s *Webhooks) check(p Principal, w *Webhook) error {
	if err := p.Check(MayWritePolicy, w.Scope()); err != nil {
		return err
	}
	if err := w.check(); err != nil {
		return err
	}
	u, err := url.Parse(w.URL)
	if err != nil {
		return Invalid("webhook %s: %q is no address", w.Name, w.URL)
	}
	return s.Sender.Check(u)
}

// Of gives a webhook to who holds the permission for it. Who may not even see
// it is told that there is none.
func (s *Webhooks) Of(ctx context.Context, p Principal, perm Permission, id string) (*Webhook, error) {
	w, err := s.Store.Webhook(ctx, id)
	if err == nil && !p.May(perm, w.Scope()) && !p.May(MayRead, w.Scope()) {
		err = Hidden("there is no webhook %s", id)
	}
	if err == nil {
		err = p.Check(perm, w.Scope())
	}
	if err != nil {
		return nil, err
	}
	return w, nil
}

// List lists by name those that p may see. Where they post is shown whole to
// who may change them, for of a chat that is as good as a password.
func (s *Webhooks) List(ctx context.Context, p Principal) (seen []*Webhook, err error) {
	all, err := s.Store.Webhooks(ctx, Everything())
	for _, w := range all {
		if !p.May(MayWritePolicy, w.Scope()) {
			w.URL = placeOf(w.URL)
		}
		if p.May(MayRead, w.Scope()) {
			seen = append(seen, w)
		}
	}
	return seen, err
}

// WebhookChange is what of a webhook is to be another; nil for what stays.
type WebhookChange struct {
	URL      *string
	Events   []string
	Disabled *bool
}

// Update changes a webhook. One that is enabled again begins with what happens
// from then on.
func (s *Webhooks) Update(ctx context.Context, p Principal, id string, c WebhookChange) (*Webhook, error) {
	return s.change(ctx, p, id, func(w *Webhook) (Event, error) {
		was, before := w.URL, w.told()
		c.apply(w, p.User)
		detail := map[string]any{"new_url": w.URL != was} // of which no more is told than the host
		return s.event(p.User, "webhook.update", w, detail).changing(before, w.told()), s.check(p, w)
	})
}

func (c WebhookChange) apply(w *Webhook, by string) {
	if c.URL != nil {
		w.URL = *c.URL
	}
	if len(c.Events) > 0 {
		w.Events = c.Events
	}
	if c.Disabled != nil {
		w.DisabledWhy, w.FailingSince = "", time.Time{}
		if *c.Disabled {
			w.DisabledWhy = "by " + by
		}
	}
}

// change lets edit change a webhook that p may change, as it is by then.
func (s *Webhooks) change(ctx context.Context, p Principal, id string, edit func(*Webhook) (Event, error)) (w *Webhook, err error) {
	if _, err := s.Of(ctx, p, MayWritePolicy, id); err != nil {
		return nil, err
	}
	err = s.Store.ChangeWebhook(ctx, id, func(found *Webhook) (Event, error) {
		w = found
		return edit(found)
	})
	return w, err
}

// Rotate gives a webhook a new secret. The one before signs beside it for a day.
func (s *Webhooks) Rotate(ctx context.Context, p Principal, id string) (Secret, error) {
	w, err := s.change(ctx, p, id, func(w *Webhook) (Event, error) {
		w.Secrets = w.Secrets.replaced(s.Now())
		return s.event(p.User, "webhook.rotate", w, nil).changing(w.told(), w.told()), nil
	})
	if err != nil {
		return "", err
	}
	return w.Secrets.Newest, nil
}

// Delete removes a webhook with its messages.
func (s *Webhooks) Delete(ctx context.Context, p Principal, id string) error {
	w, err := s.Of(ctx, p, MayWritePolicy, id)
	if err != nil {
		return err
	}
	return s.Store.DeleteWebhook(ctx, id, s.event(p.User, "webhook.delete", w, nil).changing(w.told(), nil))
}

// Test sends a message that stands for nothing, once, and returns what became of it.
func (s *Webhooks) Test(ctx context.Context, p Principal, id string) (*Delivery, error) {
	w, err := s.Of(ctx, p, MayWritePolicy, id)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	d := &Delivery{ID: NewID("msg", now), Webhook: w.ID, Type: webhookTest, Attempts: len(retries) + 1, CreatedAt: now,
		Body: s.body(webhookTest, now, map[string]any{"by": p.User})}
	s.send(ctx, w, d)
	return d, s.Store.AddDelivery(context.WithoutCancel(ctx), d)
}

// keepDeliveries is how long it can be seen what became of a message.
const keepDeliveries = 30 * 24 * time.Hour

// Clean removes messages that were over long ago.
func (s *Webhooks) Clean(ctx context.Context) error {
	return s.Store.DropDeliveries(ctx, s.Now().Add(-keepDeliveries))
}

func (s *Webhooks) event(actor, action string, w *Webhook, detail map[string]any) Event {
	return newEvent(s.Now(), actor, action, w.Stack, w.ID, detail).in(w.Project)
}

// How many events are looked at in one transaction, how many messages are sent at
// a time, and after how long one that nobody has told of is sent again.
const (
	fanOutBatch = 200
	sendAtOnce  = 32
	sendLease   = 2 * time.Minute
	sendTimeout = 20 * time.Second
)

// Pass makes messages of what has happened and sends those that are due. It
// reports whether there may be more.
func (s *Webhooks) Pass(ctx context.Context) (more bool, err error) {
	more, err = s.Store.FanOut(ctx, fanOutBatch, s.fan)
	if err != nil {
		return false, err
	}
	now := s.Now()
	due, err := s.Store.TakeDeliveries(ctx, now, now.Add(sendLease), sendAtOnce)
	if err != nil {
		return more, err
	}
	var all sync.WaitGroup
	failed := make([]error, len(due))
	for i, d := range due {
		all.Go(func() { failed[i] = s.deliver(ctx, d) })
	}
	all.Wait()
	return more || len(due) == sendAtOnce, errors.Join(failed...)
}

// fan makes the messages of events.
func (s *Webhooks) fan(events []*Event, hooks []*Webhook) []*Delivery {
	var out []*Delivery
	for _, e := range events {
		for _, w := range hooks {
			if w.Wants(*e) {
				now := s.Now()
				out = append(out, &Delivery{ID: NewID("msg", now), Webhook: w.ID, Type: e.Action, NextAt: now, CreatedAt: now, Body: s.body(e.Action, e.At, s.facts(e))})
			}
		}
	}
	return out
}

// facts are what a message tells of an event.
func (s *Webhooks) facts(e *Event) map[string]any {
	facts := map[string]any{"event": e.ID, "actor": e.Actor, "stack": e.Stack, "subject": e.Subject, "detail": e.Detail}
	if e.Run != "" {
		facts["run"], facts["url"] = e.Run, s.URL+"/runs/"+e.Run
	}
	return facts
}

func (s *Webhooks) body(kind string, at time.Time, data map[string]any) []byte {
	b, err := json.Marshal(map[string]any{"type": kind, "timestamp": at.UTC().Format(time.RFC3339Nano), "data": data})
	if err != nil { // the detail of an event is JSON, or nobody could have written it
		return []byte(`{}`)
	}
	return b
}

// deliver makes one attempt and notes what became of it.
func (s *Webhooks) deliver(ctx context.Context, d *Delivery) error {
	w, err := s.Store.Webhook(ctx, d.Webhook)
	if err != nil {
		return gone(err)
	}
	if w.DisabledWhy != "" {
		d.NextAt, d.DoneAt, d.Error = time.Time{}, s.Now(), "the webhook is disabled"
		return s.Store.NoteDelivery(ctx, d)
	}
	s.send(ctx, w, d)
	if ctx.Err() != nil { // cut short by us; the lease brings it back
		return nil
	}
	if err := s.Store.NoteDelivery(ctx, d); err != nil {
		return err
	}
	return gone(s.note(ctx, w.ID, d.Error == ""))
}

// gone lets pass that a webhook was deleted, which takes its messages along.
func gone(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// note keeps at the webhook what it has to know, and says so where that disables it.
func (s *Webhooks) note(ctx context.Context, id string, taken bool) error {
	w, err := s.Store.Webhook(ctx, id)
	if err != nil {
		return err
	}
	before := w.FailingSince
	switch {
	case w.attempted(taken, s.Now()):
		s.Log.WarnContext(ctx, "a webhook is disabled", "webhook", w.ID, "why", w.DisabledWhy)
		return s.Store.NoteWebhook(ctx, w, s.event(ActorEngine, "webhook.disable", w, map[string]any{"why": w.DisabledWhy}).
			changing(map[string]any{"disabled": ""}, map[string]any{"disabled": w.DisabledWhy}))
	case w.FailingSince.Equal(before):
		return nil
	}
	return s.Store.NoteWebhook(ctx, w)
}

// send posts a message, signed, and notes what the receiver says.
func (s *Webhooks) send(ctx context.Context, w *Webhook, d *Delivery) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	began := s.Now()
	m := Sign(w.Secrets.at(began), d.ID, began, d.Body)
	status, err := s.Sender.Post(ctx, w.URL, map[string]string{
		"Content-Type": "application/json", "webhook-id": m.ID, "webhook-timestamp": m.Timestamp, "webhook-signature": m.Signature,
	}, d.Body)
	if err == nil && (status < 200 || status > 299) {
		err = Invalid("the receiver answers %d", status)
	}
	d.attempted(status, err, began, s.Now())
}
