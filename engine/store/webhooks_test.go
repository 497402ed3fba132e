package store_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

func webhook(id, name string) *engine.Webhook {
	return &engine.Webhook{ID: id, Name: name, Stack: "shop", URL: "https://example.com/hook", Events: []string{"run.*"},
		Secrets: engine.SigningSecrets{Newest: secret, Old: "whsec_old", OldUntil: noon}, CreatedBy: "ada", CreatedAt: noon}
}

func delivery(id string) *engine.Delivery {
	return &engine.Delivery{ID: id, Webhook: "whk-1", Type: "run.start", Body: []byte(`{"a":1}`), NextAt: noon, CreatedAt: noon}
}

func hook(id string) *engine.Hook {
	return &engine.Hook{ID: id, Stack: "shop", Name: id, Kind: engine.RunDrift, Secrets: engine.SigningSecrets{Newest: secret}, CreatedBy: "ada", CreatedAt: noon}
}

func TestWebhooksAreKept(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx, w := t.Context(), webhook("whk-1", "chat")
		must(t, s.CreateWebhook(ctx, w, event("webhook.create", "")))
		wantEqual(t, got(s.Webhook(ctx, "whk-1"))(t), w)
		wantKind(t, s.CreateWebhook(ctx, webhook("whk-2", "chat"), event("webhook.create", "")), engine.ErrConflict)
		w.FailingSince, w.DisabledWhy = noon, "nothing was taken"
		must(t, s.NoteWebhook(ctx, w, event("webhook.disable", "")))
		wantEqual(t, got(s.Webhooks(ctx, engine.Page{}))(t), []*engine.Webhook{w})
		before := len(got(s.Events(ctx, engine.EventFilter{}, engine.Page{}))(t))
		must(t, s.NoteWebhook(ctx, &engine.Webhook{ID: "whk-1"}, event("webhook.disable", ""))) // disabled already
		wantEqual(t, got(s.Webhook(ctx, "whk-1"))(t), w)
		wantEqual(t, len(got(s.Events(ctx, engine.EventFilter{}, engine.Page{}))(t)), before)
		must(t, s.DeleteWebhook(ctx, "whk-1", event("webhook.delete", "")))
		wantKind(t, s.DeleteWebhook(ctx, "whk-1", event("webhook.delete", "")), engine.ErrNotFound)
	})
}

func TestEachEventIsFannedOutOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		never := func(events []*engine.Event, _ []*engine.Webhook) []*engine.Delivery {
			if len(events) != 1 || events[0].Action != "webhook.create" {
				t.Errorf("nobody is to be told of %v", events)
			}
			return nil
		}
		must(t, s.AddEvent(ctx, event("run.before", "shop")))
		got(s.FanOut(ctx, 2, never))(t)
		must(t, s.CreateWebhook(ctx, webhook("whk-1", "chat"), event("webhook.create", "")))
		got(s.FanOut(ctx, 2, never))(t) // begins here
		for range 5 {
			must(t, s.AddEvent(ctx, event("run.start", "shop")))
		}
		var mu sync.Mutex
		seen := map[int64]int{}
		fan := func(events []*engine.Event, hooks []*engine.Webhook) (out []*engine.Delivery) {
			mu.Lock()
			defer mu.Unlock()
			for _, e := range events {
				seen[e.ID]++
				out = append(out, delivery(engine.NewID("msg", noon)))
			}
			wantEqual(t, hooks[0].Secrets.Newest, engine.Secret(secret))
			return out
		}
		var all sync.WaitGroup
		for range 3 { // processes
			all.Go(func() {
				for more := true; more; {
					var err error
					if more, err = s.FanOut(ctx, 2, fan); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		wantEqual(t, len(seen), 5)
		for id, n := range seen {
			wantEqual(t, n, 1)
			_ = id
		}
		wantEqual(t, len(got(s.Deliveries(ctx, "whk-1", engine.Page{}))(t)), 5)
	})
}

// What happens while the only webhook is disabled is not told when it is enabled.
func TestAWebhookThatIsEnabledBeginsAnew(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx, w, told := t.Context(), webhook("whk-1", "chat"), 0
		pass := func() {
			t.Helper()
			got(s.FanOut(ctx, 100, func(events []*engine.Event, _ []*engine.Webhook) []*engine.Delivery {
				for _, e := range events {
					if e.Action == "run.start" {
						told++
					}
				}
				return nil
			}))(t)
		}
		disabled := func(why string) {
			t.Helper()
			must(t, s.ChangeWebhook(ctx, "whk-1", func(w *engine.Webhook) (engine.Event, error) {
				w.DisabledWhy = why
				return event("webhook.update", ""), nil
			}))
		}
		must(t, s.CreateWebhook(ctx, w, event("webhook.create", "")))
		must(t, s.AddEvent(ctx, event("run.start", "shop"))) // before anybody has looked
		pass()
		wantEqual(t, told, 1)
		disabled("by ada")
		must(t, s.AddEvent(ctx, event("run.start", "shop")))
		pass()
		disabled("")
		disabled("") // which changes nothing
		pass()
		wantEqual(t, told, 1)
		must(t, s.AddEvent(ctx, event("run.start", "shop")))
		must(t, s.CreateWebhook(ctx, webhook("whk-2", "more"), event("webhook.create", "")))
		pass()
		wantEqual(t, told, 2)
	})
}

func TestAWebhookWithMuchToSayHoldsUpNoOther(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		must(t, s.CreateWebhook(ctx, webhook("whk-1", "chat"), event("webhook.create", "")))
		must(t, s.CreateWebhook(ctx, webhook("whk-2", "quiet"), event("webhook.create", "")))
		for _, id := range []string{"msg-1", "msg-2", "msg-3"} {
			must(t, s.AddDelivery(ctx, delivery(id)))
		}
		d := delivery("msg-4")
		d.Webhook, d.NextAt = "whk-2", noon.Add(time.Second)
		must(t, s.AddDelivery(ctx, d))
		var ids []string
		for _, d := range got(s.TakeDeliveries(ctx, noon.Add(time.Second), noon.Add(time.Hour), 3))(t) {
			ids = append(ids, d.ID)
		}
		wantEqual(t, ids, []string{"msg-1", "msg-4", "msg-2"})
	})
}

func TestDeliveriesAreTakenByOneProcess(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx, later := t.Context(), noon.Add(time.Minute)
		must(t, s.CreateWebhook(ctx, webhook("whk-1", "chat"), event("webhook.create", "")))
		must(t, s.AddDelivery(ctx, delivery("msg-1")))
		wantEqual(t, len(got(s.TakeDeliveries(ctx, noon.Add(-time.Microsecond), later, 8))(t)), 0)
		mine := got(s.TakeDeliveries(ctx, noon, later, 8))(t)
		wantEqual(t, mine[0].Attempts, 1)
		wantEqual(t, len(got(s.TakeDeliveries(ctx, noon, later, 8))(t)), 0)
		again := got(s.TakeDeliveries(ctx, later, later.Add(time.Minute), 8))(t) // the first has died with it
		wantEqual(t, again[0].Attempts, 2)
		d := again[0]
		d.NextAt, d.DoneAt, d.Status, d.Error, d.Took = time.Time{}, later, 500, "the receiver answers 500", time.Second
		must(t, s.NoteDelivery(ctx, d))
		wantEqual(t, got(s.Deliveries(ctx, "whk-1", engine.Page{}))(t), []*engine.Delivery{d})
		wantEqual(t, len(got(s.Deliveries(ctx, "whk-1", engine.Page{After: "msg-1"}))(t)), 0)
		must(t, s.DropDeliveries(ctx, later))
		wantEqual(t, len(got(s.Deliveries(ctx, "whk-1", engine.Page{}))(t)), 1)
		must(t, s.DropDeliveries(ctx, later.Add(time.Microsecond)))
		wantEqual(t, len(got(s.Deliveries(ctx, "whk-1", engine.Page{}))(t)), 0)
	})
}

func TestHooksAndTheirCallsAreKept(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		newStack(t, s, "shop")
		must(t, s.CreateHook(ctx, hook("hook-1"), event("hook.create", "shop")))
		wantEqual(t, got(s.Hook(ctx, "hook-1"))(t), hook("hook-1"))
		wantEqual(t, got(s.Hooks(ctx, "shop", engine.Page{}))(t), []*engine.Hook{hook("hook-1")})
		call := engine.HookCall{Hook: "hook-1", Message: "msg-1", Timestamp: "100", At: noon}
		old := noon.Add(-time.Hour)
		wantEqual(t, got(s.TakeCall(ctx, call, old))(t), "")
		_, err := s.TakeCall(ctx, call, old)
		wantKind(t, err, engine.ErrConflict)
		must(t, s.CallStarted(ctx, call, "run-1"))
		call.Timestamp = "101"
		wantEqual(t, got(s.TakeCall(ctx, call, old))(t), "run-1")
		call.Timestamp = "100"
		wantEqual(t, got(s.TakeCall(ctx, call, noon.Add(time.Microsecond)))(t), "") // long forgotten, and too old to be taken
		must(t, s.DeleteHook(ctx, "hook-1", event("hook.delete", "shop")))
		_, err = s.Hook(ctx, "hook-1")
		wantKind(t, err, engine.ErrNotFound)
	})
}

// Whoever changes what somebody else changes, or deletes, meanwhile neither undoes that
// nor brings it back.
func TestWebhooksAndHooksAreChangedByOneAtATime(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		newStack(t, s, "shop")
		must(t, s.CreateWebhook(ctx, webhook("whk-1", "chat"), event("webhook.create", "")))
		must(t, s.CreateHook(ctx, hook("hook-1"), event("hook.create", "shop")))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				must(t, s.ChangeWebhook(ctx, "whk-1", func(w *engine.Webhook) (engine.Event, error) {
					w.URL += "/a"
					return event("webhook.update", ""), nil
				}))
			})
			all.Go(func() {
				must(t, s.ChangeHook(ctx, "hook-1", func(h *engine.Hook) (engine.Event, error) {
					h.Secrets.Newest += "x"
					return event("hook.rotate", "shop"), nil
				}))
			})
		}
		all.Wait()
		wantEqual(t, got(s.Webhook(ctx, "whk-1"))(t).URL, webhook("", "").URL+strings.Repeat("/a", 8))
		wantEqual(t, got(s.Hook(ctx, "hook-1"))(t).Secrets.Newest, engine.Secret(secret+strings.Repeat("x", 8)))
		must(t, s.DeleteWebhook(ctx, "whk-1", event("webhook.delete", "")))
		must(t, s.DeleteHook(ctx, "hook-1", event("hook.delete", "shop")))
		wantKind(t, s.ChangeWebhook(ctx, "whk-1", nil), engine.ErrNotFound)
		wantKind(t, s.ChangeHook(ctx, "hook-1", nil), engine.ErrNotFound)
		must(t, s.NoteDelivery(ctx, delivery("msg-1"))) // of an attempt that was under way
		wantEqual(t, len(got(s.Deliveries(ctx, "whk-1", engine.Page{}))(t)), 0)
	})
}

func TestSigningSecretsAreSealed(t *testing.T) {
	url := sqliteURL(t)
	s := open(t, url)
	newStack(t, s, "shop")
	must(t, s.CreateWebhook(t.Context(), webhook("whk-1", public), event("webhook.create", "")))
	must(t, s.CreateHook(t.Context(), hook("hook-1"), event("hook.create", "shop")))
	if file := onDisk(t, url); bytes.Contains(file, []byte(secret)) || !bytes.Contains(file, []byte(public)) {
		t.Error("the file holds a signing secret in plain text, or nothing")
	}
}
