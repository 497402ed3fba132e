package web_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestWebhooksAreMadeAndTestedOnAPage(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer receiver.Close()
	s := newSite(t)
	b := s.browser(engine.RoleAdmin)
	token := b.get("/webhooks", http.StatusOK).has("No webhook yet").csrf()

	b.post("/webhooks", http.StatusUnprocessableEntity, "csrf_token", token, "name", "chat", "url", "https://10.0.0.1/in", "events", "run.*").
		has("10.0.0.1:443 leads to a private address")
	made := b.post("/webhooks", http.StatusOK, "csrf_token", token, "name", "chat", "url", receiver.URL+"/hunter2", "events", "run.*, drift.*").
		has("shown this once", "whsec_", "run.*, drift.* of all stacks")
	path := "/webhooks/" + regexp.MustCompile(`whk-\w+`).FindString(made.text)
	b.get("/webhooks", http.StatusOK).has("/hunter2").lacks("whsec_")
	s.browser(engine.RoleAuditor).get("/webhooks", http.StatusOK).has(receiver.URL+"/...").lacks("hunter2", "Send a test", "Make a webhook")
	b.post(path+"/test", http.StatusOK, "csrf_token", token).has("The test was given up: the receiver answers 418", "webhook.test")
	secret := regexp.MustCompile(`whsec_[A-Za-z0-9+/=]+`)
	if anew := b.post(path+"/rotate", http.StatusOK, "csrf_token", token).has("shown this once", "whsec_"); secret.FindString(anew.text) == secret.FindString(made.text) {
		t.Error("the new secret is the old one")
	}
	b.post(path+"/switch", http.StatusOK, "csrf_token", token, "off", "1").has("by admin", "Enable")
	b.post(path+"/switch", http.StatusOK, "csrf_token", token).has("Disable")
	b.post(path+"/delete", http.StatusOK, "csrf_token", token).has("No webhook yet")
	b.post("/webhooks", http.StatusOK, "csrf_token", token, "name", "of-project", "url", receiver.URL, "events", "run.*", "project", "default").has("run.* of project:default")
	b.post(path+"/test", http.StatusNotFound, "csrf_token", token).has("there is no webhook")
}
