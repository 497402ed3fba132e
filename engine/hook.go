package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Hook starts a run of a stack for whoever has its secret.
type Hook struct {
	ID        string
	Stack     string
	Name      string
	Kind      RunKind // apply, preview or drift
	Secrets   SigningSecrets
	CreatedBy string // whose rights it has
	CreatedAt time.Time
}

// HookCall is one signed call of a hook.
type HookCall struct {
	Hook, Message, Timestamp string
	At                       time.Time
}

// Hooks keeps hooks and takes their calls.
type Hooks struct {
	Store interface {
		WebhookStore
		StackStore
	}
	Runs interface {
		Start(ctx context.Context, p Principal, req StartRequest) (*Run, error)
	}
	// Rights gives somebody's present rights; it wraps ErrNotFound or ErrForbidden
	// where there are none any more.
	Rights func(ctx context.Context, user string) (Principal, error)
	Now    func() time.Time
}

// Add makes a hook and returns its secret, which is shown this once.
func (s *Hooks) Add(ctx context.Context, p Principal, h *Hook) (Secret, error) {
	if p.Limit != nil {
		return "", limitedHook(p)
	}
	if err := CheckName("hook", h.Name); err != nil {
		return "", err
	}
	if h.Kind != RunApply && h.Kind != RunPreview && h.Kind != RunDrift {
		return "", Invalid("a hook starts an apply, preview or drift run, not %q", h.Kind)
	}
	if _, err := s.Store.Stack(ctx, h.Stack); err != nil {
		return "", err
	}
	now := s.Now()
	secret := NewWebhookSecret()
	h.ID, h.Secrets, h.CreatedBy, h.CreatedAt = NewID("hook", now), SigningSecrets{Newest: secret}, p.User, now
	return secret, s.Store.CreateHook(ctx, h, newEvent(now, p.User, "hook.create", h.Stack, h.ID, map[string]any{"name": h.Name, "kind": h.Kind}).changing(nil, h.told()))
}

// of gives a hook to who may start what it starts. Others are told that there is none.
func (s *Hooks) of(ctx context.Context, p Principal, id string) (*Hook, error) {
	h, err := s.Store.Hook(ctx, id)
	if err == nil && !p.May(MayPlan, StackScope(h.Stack)) {
		return nil, Hidden("there is no hook %s", id)
	}
	return h, err
}

// Rotate gives a hook a new secret; the one before is taken beside it for a day.
// Of who did not make the hook it becomes theirs, and the one before ends: who
// holds a secret starts runs in their own name, and with their own rights.
func (s *Hooks) Rotate(ctx context.Context, p Principal, id string) (secret Secret, err error) {
	if _, err := s.of(ctx, p, id); err != nil {
		return "", err
	}
	if p.Limit != nil {
		return "", limitedHook(p)
	}
	now := s.Now()
	err = s.Store.ChangeHook(ctx, id, func(h *Hook) (Event, error) {
		before := h.told()
		h.Secrets = h.Secrets.replaced(now)
		if secret = h.Secrets.Newest; h.CreatedBy != p.User {
			h.CreatedBy, h.Secrets = p.User, SigningSecrets{Newest: secret}
		}
		return newEvent(now, p.User, "hook.rotate", h.Stack, h.ID, nil).changing(before, h.told()), nil
	})
	return secret, err
}

// limitedHook refuses a hook to a token that is limited: a hook is as good as who
// made it, and does not end with the token.
func limitedHook(p Principal) error {
	return Forbidden("a hook has the rights of %s for good, which a token that is limited cannot give; use one that is not", p.User)
}

// Delete removes a hook.
func (s *Hooks) Delete(ctx context.Context, p Principal, id string) error {
	h, err := s.of(ctx, p, id)
	if err != nil {
		return err
	}
	return s.Store.DeleteHook(ctx, id, newEvent(s.Now(), p.User, "hook.delete", h.Stack, h.ID, nil).changing(h.told(), nil))
}

// nobodys is what is compared with where there is no hook, so that it takes as long.
var nobodys = NewWebhookSecret()

// Call starts what a hook is for and returns the run. It answers a hook that is
// not there like a signature that is wrong. A message that comes again after its
// run was started is answered with that run; the very same call is refused.
func (s *Hooks) Call(ctx context.Context, id string, m SignedMessage, body []byte) (run string, err error) {
	now := s.Now()
	h, err := s.Store.Hook(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", err
	}
	secrets := []Secret{nobodys}
	if h != nil {
		secrets = h.Secrets.at(now)
	}
	if !m.SignedBy(secrets, body, now) || h == nil {
		return "", Hidden("there is no such hook, or the signature or its time is wrong")
	}
	call := HookCall{Hook: h.ID, Message: m.ID, Timestamp: m.Timestamp, At: now}
	if run, err = s.Store.TakeCall(ctx, call, now.Add(-2*SignatureWindow)); err != nil || run != "" {
		return run, err
	}
	return s.start(ctx, h, call, body)
}

// start starts the run with the rights that the hook's maker has now.
func (s *Hooks) start(ctx context.Context, h *Hook, call HookCall, body []byte) (string, error) {
	p, err := s.Rights(ctx, h.CreatedBy)
	if err == nil {
		err = p.Check(MayPlan, StackScope(h.Stack))
	}
	if err != nil {
		return "", Forbidden("hook %s has the rights of %s, who may not start runs of %s any more", h.Name, h.CreatedBy, h.Stack)
	}
	run, err := s.Runs.Start(ctx, p, StartRequest{
		Stack: h.Stack, Kind: h.Kind, Message: hookMessage(h, body), Origin: h.ID + "@" + call.Message,
	})
	if err != nil {
		return "", err
	}
	return run.ID, s.Store.CallStarted(context.WithoutCancel(ctx), call, run.ID)
}

// hookMessage says what started the run, with what the caller says about it.
func hookMessage(h *Hook, body []byte) string {
	var said struct {
		Message string `json:"message"`
	}
	text := "hook " + h.Name
	if json.Unmarshal(body, &said) == nil && said.Message != "" {
		text += ": " + Printable(said.Message, 200)
	}
	return text
}
