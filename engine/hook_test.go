package engine

import (
	"context"
	"errors"
	"testing"
	"time"
)

// hookStore has one hook and its calls, and notes the runs that it starts.
type hookStore struct {
	WebhookStore
	StackStore
	hook    *Hook
	calls   map[HookCall]string
	started []StartRequest
}

func (s *hookStore) Hook(_ context.Context, id string) (*Hook, error) {
	if id != s.hook.ID {
		return nil, NotFound("there is no hook %s", id)
	}
	return s.hook, nil
}

func (s *hookStore) TakeCall(_ context.Context, c HookCall, _ time.Time) (run string, err error) {
	c.At = time.Time{}
	if _, taken := s.calls[c]; taken {
		return "", Conflict("taken before")
	}
	for old, r := range s.calls {
		if old.Message == c.Message && r != "" {
			run = r
		}
	}
	s.calls[c] = ""
	return run, nil
}

func (s *hookStore) CallStarted(_ context.Context, c HookCall, run string) error {
	c.At = time.Time{}
	s.calls[c] = run
	return nil
}

func (s *hookStore) Stack(context.Context, string) (*Stack, error) { return &Stack{}, nil }

func (s *hookStore) CreateHook(_ context.Context, h *Hook, _ Event) error {
	s.hook = h
	return nil
}

func (s *hookStore) ChangeHook(_ context.Context, _ string, edit func(*Hook) (Event, error)) error {
	_, err := edit(s.hook)
	return err
}

func (s *hookStore) Start(_ context.Context, _ Principal, req StartRequest) (*Run, error) {
	s.started = append(s.started, req)
	return &Run{ID: "run-1"}, nil
}

func (s *hookStore) PutHook(_ context.Context, h *Hook, _ Event) error {
	s.hook = h
	return nil
}

func TestHookIsOfWhoeverHoldsItsSecret(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for who, secrets := range map[string]int{"ada": 2, "bob": 1} {
		first := NewWebhookSecret()
		store := &hookStore{hook: &Hook{ID: "hook-1", Stack: "web", Kind: RunApply, Secrets: SigningSecrets{Newest: first}, CreatedBy: "ada"}}
		s := &Hooks{Store: store, Now: func() time.Time { return now }}
		secret, err := s.Rotate(t.Context(), Principal{User: who, Rights: Everywhere(RoleOperator)}, "hook-1")
		good := store.hook.Secrets.at(now)
		if err != nil || store.hook.CreatedBy != who || len(good) != secrets || good[0] != secret || secret == first {
			t.Errorf("rotated by %s it starts runs as %s with %d secrets, %v", who, store.hook.CreatedBy, len(good), err)
		}
	}
}

func TestACallStartsARunOnce(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	secret := NewWebhookSecret()
	store := &hookStore{calls: map[HookCall]string{}, hook: &Hook{ID: "hook-1", Stack: "web", Name: "ci", Kind: RunApply, Secrets: SigningSecrets{Newest: secret}, CreatedBy: "ada"}}
	role := RoleOperator
	s := &Hooks{Store: store, Runs: store, Now: func() time.Time { return now },
		Rights: func(_ context.Context, user string) (Principal, error) {
			return Principal{User: user, Rights: Everywhere(role)}, nil
		}}
	body := []byte("{\"message\":\"merged #7\\u001b[31m\\nforged\"}")
	call := func(id string, m SignedMessage) (string, error) { return s.Call(t.Context(), id, m, body) }
	first := Sign([]Secret{secret}, "msg-1", now, body)

	if run, err := call("hook-1", first); err != nil || run != "run-1" {
		t.Fatalf("run %s, %v", run, err)
	}
	if want := (StartRequest{Stack: "web", Kind: RunApply, Message: "hook ci: merged #7[31m forged", Origin: "hook-1@msg-1"}); len(store.started) != 1 || store.started[0].Message != want.Message || store.started[0].Origin != want.Origin {
		t.Errorf("started %+v", store.started)
	}
	if _, err := call("hook-1", first); !errors.Is(err, ErrConflict) {
		t.Errorf("the same call again: %v, want ErrConflict", err)
	}
	now = now.Add(time.Minute)
	if run, err := call("hook-1", Sign([]Secret{secret}, "msg-1", now, body)); err != nil || run != "run-1" || len(store.started) != 1 {
		t.Errorf("the same message, signed anew: %s, %v, %d runs", run, err, len(store.started))
	}
	unknown, wrong := Sign([]Secret{secret}, "msg-2", now, body), Sign([]Secret{NewWebhookSecret()}, "msg-2", now, body)
	_, a := call("hook-2", unknown)
	_, b := call("hook-1", wrong)
	if !errors.Is(a, ErrNotFound) || !errors.Is(b, ErrNotFound) || a.Error() != b.Error() {
		t.Errorf("a hook that is not there: %v; a wrong signature: %v", a, b)
	}
	role = RoleViewer // ada's rights are what they are now
	if _, err := call("hook-1", unknown); !errors.Is(err, ErrForbidden) || len(store.started) != 1 {
		t.Errorf("error = %v, %d runs", err, len(store.started))
	}
}

func TestLimitedTokensMakeAndRotateNoHooks(t *testing.T) {
	store := &hookStore{}
	s := &Hooks{Store: store, Now: time.Now}
	ada := Principal{User: "ada", Rights: Everywhere(RoleOperator)}
	limited := ada
	limited.Limit = &Limit{Permissions: []Permission{MayPlan}}
	hook := func() *Hook { return &Hook{Stack: "web", Name: "ci", Kind: RunApply} }
	if _, err := s.Add(t.Context(), limited, hook()); !errors.Is(err, ErrForbidden) || store.hook != nil {
		t.Errorf("made: %v", err)
	}
	if _, err := s.Add(t.Context(), ada, hook()); err != nil {
		t.Fatal(err)
	}
	if secret, err := s.Rotate(t.Context(), limited, store.hook.ID); !errors.Is(err, ErrForbidden) || secret != "" {
		t.Errorf("rotated: %q, %v", secret, err)
	}
}
