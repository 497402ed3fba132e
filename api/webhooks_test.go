package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// call calls a hook with a signed message.
func (s *system) call(id string, m engine.SignedMessage, body string) response {
	s.t.Helper()
	return s.send("POST", "/v1/hooks/"+id, "", strings.NewReader(body),
		"webhook-id", m.ID, "webhook-timestamp", m.Timestamp, "webhook-signature", m.Signature, "Content-Type", "application/json")
}

func TestWebhooksTellAReceiverWhatHappens(t *testing.T) {
	s := newSystem(t)
	var secret engine.Secret
	got := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		m := engine.SignedMessage{ID: r.Header.Get("webhook-id"), Timestamp: r.Header.Get("webhook-timestamp"), Signature: r.Header.Get("webhook-signature")}
		if !m.SignedBy([]engine.Secret{secret}, b, s.clock.now()) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		got <- string(b)
	}))
	defer receiver.Close()
	s.submit()
	admin := s.as(engine.RoleAdmin)
	id, secret, err := admin.CreateWebhook(t.Context(), client.CreateWebhook{Name: "chat", URL: receiver.URL + "/t0ken", Events: []string{"run.*"}, Stack: "hello"})
	s.ok(err)
	pass := func() { _, err := s.server.Webhooks.Pass(t.Context()); s.ok(err) }
	pass() // begins here
	s.plan(s.start("apply"))
	pass()
	told := <-got + <-got // in any order
	for _, want := range []string{"run.start", "run.planned"} {
		if !strings.Contains(told, `"type":"`+want+`"`) {
			t.Errorf("told %s, want %s", told, want)
		}
	}
	d, err := admin.TestWebhook(t.Context(), id)
	if err != nil || d.Error != "" || d.Status != http.StatusOK {
		t.Errorf("%+v, %v", d, err)
	}
	secret, err = admin.RotateWebhook(t.Context(), id)
	s.ok(err)
	if d, err := admin.TestWebhook(t.Context(), id); err != nil || d.Error != "" {
		t.Errorf("with the new secret: %+v, %v", d, err)
	}
	all, err := admin.Deliveries(t.Context(), id)
	if err != nil || len(all) != 4 || all[0].DoneAt == nil {
		t.Errorf("%+v, %v", all, err)
	}
	seen := string(s.must(s.request("GET", "/v1/webhooks", engine.RoleApprover, nil), http.StatusOK).body)
	if !strings.Contains(seen, receiver.URL+"/...") || strings.Contains(seen, "t0ken") {
		t.Errorf("who may not change it sees %s", seen)
	}
	off := true
	w, err := admin.UpdateWebhook(t.Context(), id, client.UpdateWebhook{Disabled: &off})
	if err != nil || w.Disabled != "by admin" {
		t.Errorf("%+v, %v", w, err)
	}
	s.ok(admin.DeleteWebhook(t.Context(), id))
}

func TestAHookStartsARunForWhoHasItsSecret(t *testing.T) {
	s := newSystem(t)
	s.submit()
	operator := s.as(engine.RoleOperator)
	id, secret, err := operator.CreateHook(t.Context(), "hello", client.CreateHook{Name: "ci", Kind: "preview"})
	s.ok(err)
	const body = `{"message": "merged #7"}`
	m := engine.Sign([]engine.Secret{secret}, "msg-1", s.clock.now(), []byte(body))

	var called client.Called
	s.must(s.call(id, m, body), http.StatusAccepted).json(t, &called)
	if run := s.read(called.Run); run.Kind != "preview" || run.Message != "hook ci: merged #7" || run.StartedBy != "operator" {
		t.Errorf("run %+v", run)
	}
	s.must(s.call(id, m, body), http.StatusConflict) // the very same
	unknown := s.must(s.call("hook-none", m, body), http.StatusNotFound)
	wrong := s.must(s.call(id, engine.Sign([]engine.Secret{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "msg-2", s.clock.now(), []byte(body)), body), http.StatusNotFound)
	if string(unknown.body) != string(wrong.body) {
		t.Errorf("they read apart: %s and %s", unknown.body, wrong.body)
	}
	s.must(s.call(id, engine.SignedMessage{}, strings.Repeat("x", maxHookBody+1)), http.StatusRequestEntityTooLarge)

	disabled := true
	s.ok(s.as(engine.RoleAdmin).UpdateUser(t.Context(), "operator", client.UpdateUser{Disabled: &disabled}))
	s.must(s.call(id, engine.Sign([]engine.Secret{secret}, "msg-3", s.clock.now(), []byte(body)), body), http.StatusForbidden)
	for range hookCalls {
		s.call("hook-none", m, "")
	}
	s.must(s.call(id, m, body), http.StatusTooManyRequests)
}

func TestTryingOutTokensIsSlowedDown(t *testing.T) {
	s := newSystem(t)
	s.tokens["guess"] = "cop_guess"
	for range badTokens {
		s.must(s.request("GET", "/v1/whoami", "guess", nil), http.StatusUnauthorized)
	}
	s.must(s.request("GET", "/v1/whoami", "guess", nil), http.StatusTooManyRequests)
	s.must(s.request("GET", "/v1/whoami", engine.RoleAdmin, nil), http.StatusTooManyRequests) // a guess that is right is none the wiser
	s.clock.add(loginWindow)
	s.must(s.request("GET", "/v1/whoami", engine.RoleAdmin, nil), http.StatusOK)
}
