package engine

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestWebhooksWantWhatTheyNameOnly(t *testing.T) {
	made := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := map[string]struct {
		hook Webhook
		e    Event
		want bool
	}{
		"a kind":                           {Webhook{Events: []string{"run.*"}}, Event{Action: "run.planned"}, true},
		"one event":                        {Webhook{Events: []string{"run.failed"}}, Event{Action: "run.failed"}, true},
		"another event":                    {Webhook{Events: []string{"run.failed"}}, Event{Action: "run.planned"}, false},
		"one of several":                   {Webhook{Events: []string{"drift.*", "run.failed"}}, Event{Action: "run.failed"}, true},
		"everything":                       {Webhook{Events: []string{"*"}}, Event{Action: "stack.delete"}, true},
		"everything but who signs in":      {Webhook{Events: []string{"*"}}, Event{Action: "session.create"}, false},
		"its stack":                        {Webhook{Events: []string{"*"}, Stack: "shop"}, Event{Action: "run.start", Stack: "shop"}, true},
		"another stack":                    {Webhook{Events: []string{"*"}, Stack: "shop"}, Event{Action: "run.start", Stack: "shop2"}, false},
		"its project":                      {Webhook{Events: []string{"*"}, Project: "pay"}, Event{Action: "run.start", Stack: "pay.web"}, true},
		"another project":                  {Webhook{Events: []string{"*"}, Project: "pay"}, Event{Action: "run.start", Stack: "payments.web"}, false},
		"the default project":              {Webhook{Events: []string{"*"}, Project: "default"}, Event{Action: "run.start", Stack: "web"}, true},
		"what happened before it was made": {Webhook{Events: []string{"*"}}, Event{Action: "run.start", At: made.Add(-1)}, false},
		"nothing once it is disabled":      {Webhook{Events: []string{"*"}, DisabledWhy: "by ada"}, Event{Action: "run.start"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.hook.CreatedAt = made
			if tt.e.At.IsZero() {
				tt.e.At = made
			}
			if got := tt.hook.Wants(tt.e); got != tt.want {
				t.Errorf("wanted: %v", got)
			}
		})
	}
}

// messages is a store of one webhook and its messages, which are sent side by side.
type messages struct {
	WebhookStore
	mu     sync.Mutex
	hook   *Webhook
	events []*Event
	kept   map[string]*Delivery
	noted  []Event
}

func (s *messages) CreateWebhook(_ context.Context, w *Webhook, e Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook, s.noted = w, append(s.noted, e)
	return nil
}

func (s *messages) ChangeWebhook(_ context.Context, _ string, edit func(*Webhook) (Event, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := *s.hook
	e, err := edit(&w)
	if err == nil {
		s.hook, s.noted = &w, append(s.noted, e)
	}
	return err
}

func (s *messages) NoteWebhook(_ context.Context, w *Webhook, e ...Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook, s.noted = w, append(s.noted, e...)
	return nil
}

func (s *messages) Webhook(context.Context, string) (*Webhook, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := *s.hook
	return &w, nil
}

func (s *messages) FanOut(_ context.Context, _ int, fan func([]*Event, []*Webhook) []*Delivery) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range fan(s.events, []*Webhook{s.hook}) {
		s.kept[d.ID] = d
	}
	s.events = nil
	return false, nil
}

func (s *messages) TakeDeliveries(_ context.Context, now, until time.Time, _ int) (due []*Delivery, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.kept {
		if !d.NextAt.IsZero() && !d.NextAt.After(now) {
			d.Attempts, d.NextAt = d.Attempts+1, until
			due = append(due, d)
		}
	}
	return due, nil
}

func (s *messages) AddDelivery(_ context.Context, d *Delivery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[d.ID] = d
	return nil
}

func (s *messages) NoteDelivery(ctx context.Context, d *Delivery) error { return s.AddDelivery(ctx, d) }

// receiver answers what it is told to.
type receiver struct {
	mu     sync.Mutex
	status int
	err    error
	got    []SignedMessage
	bodies []string
}

func (r *receiver) Check(u *url.URL) error {
	if u.Host == "10.0.0.1" {
		return Invalid("a private address")
	}
	return nil
}

func (r *receiver) Post(_ context.Context, _ string, h map[string]string, body []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, SignedMessage{h["webhook-id"], h["webhook-timestamp"], h["webhook-signature"]})
	r.bodies = append(r.bodies, string(body))
	return r.status, r.err
}

func newWebhooks(t *testing.T) (*Webhooks, *messages, *receiver, *time.Time) {
	t.Helper()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	store, to := &messages{kept: map[string]*Delivery{}}, &receiver{status: 204}
	s := &Webhooks{Store: store, Sender: to, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }, URL: "https://cloudops.example.com"}
	w := &Webhook{Name: "chat", URL: "https://chat.example.com/x", Events: []string{"run.*"}}
	if _, err := s.Add(t.Context(), ada, w); err != nil {
		t.Fatal(err)
	}
	store.events = []*Event{{ID: 7, At: now, Actor: "engine", Action: "run.planned", Stack: "web", Run: "run-1", Subject: "run-1", Detail: json.RawMessage(`{"kind":"apply"}`)}}
	return s, store, to, &now
}

func TestAMessageIsSignedAndTellsWhatHappened(t *testing.T) {
	s, store, to, now := newWebhooks(t)
	if _, err := s.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(to.got) != 1 || !to.got[0].SignedBy([]Secret{store.hook.Secrets.Newest}, []byte(to.bodies[0]), *now) {
		t.Fatalf("%d messages, or the signature is wrong", len(to.got))
	}
	want := `{"data":{"actor":"engine","detail":{"kind":"apply"},"event":7,"run":"run-1","stack":"web","subject":"run-1","url":"https://cloudops.example.com/runs/run-1"},"timestamp":"2026-01-02T03:04:05Z","type":"run.planned"}`
	if to.bodies[0] != want {
		t.Errorf("body %s", to.bodies[0])
	}
	if d := store.kept[to.got[0].ID]; d.DoneAt.IsZero() || d.Status != 204 || d.Error != "" {
		t.Errorf("kept: %+v", d)
	}
}

func TestWhatIsNotTakenComesAgainWithTheSameIdentifier(t *testing.T) {
	s, store, to, now := newWebhooks(t)
	to.status, to.err = 0, errors.New("dial tcp: \x1b[31mrefused\nforged line")
	pass := func() {
		t.Helper()
		if _, err := s.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	pass()
	pass() // it is not due yet
	for _, wait := range retries {
		*now = now.Add(wait)
		pass()
	}
	if len(to.got) != 1+len(retries) {
		t.Errorf("%d attempts", len(to.got))
	}
	for _, m := range to.got {
		if d := store.kept[m.ID]; d == nil || d.DoneAt.IsZero() || d.Error != "dial tcp: [31mrefused forged line" {
			t.Errorf("kept: %+v", d)
		}
	}
	if store.hook.FailingSince.IsZero() || store.hook.DisabledWhy != "" {
		t.Errorf("the webhook fails since %v: %s", store.hook.FailingSince, store.hook.DisabledWhy)
	}
}

func TestAWebhookThatNobodyAnswersIsDisabled(t *testing.T) {
	s, store, to, now := newWebhooks(t)
	to.status = 500
	again := *store.events[0]
	for range 2 {
		if _, err := s.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		*now = now.Add(webhookPatience + time.Second)
		e := again
		e.At = *now
		store.events = []*Event{&e}
	}
	last := store.noted[len(store.noted)-1]
	if !strings.HasPrefix(store.hook.DisabledWhy, "nothing was taken since 2026-01-02") || last.Action != "webhook.disable" {
		t.Errorf("disabled %q, last event %s", store.hook.DisabledWhy, last.Action)
	}
	sent := len(to.got)
	*now = now.Add(time.Hour)
	if _, err := s.Pass(t.Context()); err != nil || len(to.got) != sent {
		t.Errorf("it was sent %d more, %v", len(to.got)-sent, err)
	}
	enabled := false
	w, err := s.Update(t.Context(), ada, store.hook.ID, WebhookChange{Disabled: &enabled})
	if err != nil || w.DisabledWhy != "" || !w.FailingSince.IsZero() {
		t.Errorf("%+v, %v", w, err)
	}
}

// The address of a chat's receiver is as good as a password, and more people read
// the audit log than may post there.
func TestTheAuditLogDoesNotTellWhereAWebhookPosts(t *testing.T) {
	s, store, _, _ := newWebhooks(t)
	to := "https://chat.example.com/services/T0/B0/hush?key=hush"
	if _, err := s.Update(t.Context(), ada, store.hook.ID, WebhookChange{URL: &to}); err != nil {
		t.Fatal(err)
	}
	e := store.noted[len(store.noted)-1]
	if text := string(e.Detail) + string(e.Before) + string(e.After); strings.Contains(text, "hush") || !strings.Contains(text, `"url":"https://chat.example.com/..."`) || !strings.Contains(text, `"new_url":true`) {
		t.Errorf("the event says %s", text)
	}
	f := &Forwarder{Kind: ForwardHTTP, Address: to}
	if got := f.plain()["address"]; got != "https://chat.example.com/..." {
		t.Errorf("of a forwarder it says %s", got)
	}
	for address, want := range map[string]string{"https://a.example/": "https://a.example", "https://a.example": "https://a.example", "https://a.example?token=x": "https://a.example/...", "http://a.example:1/b": "http://a.example:1/..."} {
		if got := placeOf(address); got != want {
			t.Errorf("%s is told as %s", address, got)
		}
	}
}

func TestOneThatIsTakenEndsTheFailing(t *testing.T) {
	s, store, to, now := newWebhooks(t)
	to.status = 302
	if _, err := s.Pass(t.Context()); err != nil || store.hook.FailingSince.IsZero() {
		t.Errorf("a redirect was taken for an answer, %v", err)
	}
	to.status, *now = 200, now.Add(time.Minute)
	if _, err := s.Pass(t.Context()); err != nil || !store.hook.FailingSince.IsZero() {
		t.Errorf("failing since %v, %v", store.hook.FailingSince, err)
	}
}

func TestWebhooksThatAreNone(t *testing.T) {
	s, _, _, _ := newWebhooks(t)
	for want, w := range map[string]Webhook{
		"is no address":         {Name: "a", URL: "chat", Events: []string{"*"}},
		"a private address":     {Name: "a", URL: "https://10.0.0.1/", Events: []string{"*"}},
		"name from 1 to 20":     {Name: "a", URL: "https://example.com/"},
		"at most 2000":          {Name: "a", URL: "https://example.com/" + strings.Repeat("a", 2000), Events: []string{"*"}},
		"64 characters":         {Name: "a", URL: "https://example.com/", Events: []string{"run." + strings.Repeat("*", 64)}},
		"can be sent":           {Name: "a", URL: "https://example.com/", Events: []string{"session.*"}},
		`"run.[" is no pattern`: {Name: "a", URL: "https://example.com/", Events: []string{"run.["}},
		"webhook":               {Name: "A b", URL: "https://example.com/", Events: []string{"*"}},
	} {
		if _, err := s.Add(t.Context(), ada, &w); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want one with %q", err, want)
		}
	}
}
