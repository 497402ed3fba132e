package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// otherwise is what an auditor may not read, or may change, and why.
var otherwise = map[string]string{
	"GET /v1/state-versions/:version":    "a state holds secrets as they are",
	"GET /v1/projects/:project/bindings": "is part of GET /v1/bindings",
	"POST /v1/audit/checkpoint":          "signs what is there, as a proof to take away",
	"POST /v1/runs/:run/break-glass":     "takes approve or apply behind the door",
}

// TestAuditorReadsEverythingButSecretsAndChangesNothing goes through the table.
func TestAuditorReadsEverythingButSecretsAndChangesNothing(t *testing.T) {
	s := newSystem(t)
	for route, perm := range s.server.permissions {
		if perm == public || perm == asRunner || perm == signedIn || perm == engine.MaySelf || perm == asState {
			continue
		}
		reads := strings.HasPrefix(route, "GET ")
		if _, odd := otherwise[route]; (engine.RoleAuditor.May(perm) == reads) == odd {
			t.Errorf("%s, which takes %q: an auditor may: %v", route, perm, engine.RoleAuditor.May(perm))
		}
	}
}

func TestAuditorSeesTokensOfOthersAndWhereWebhooksPost(t *testing.T) {
	s := newSystem(t)
	const address = "https://chat.example.com/services/hunter2"
	_, _, err := s.as(engine.RoleAdmin).CreateWebhook(t.Context(), client.CreateWebhook{Name: "chat", URL: address, Events: []string{"run.*"}})
	s.ok(err)
	for who, want := range map[engine.Role]string{engine.RoleAdmin: address, engine.RoleAuditor: "https://chat.example.com/...", engine.RoleViewer: "https://chat.example.com/..."} {
		hooks, err := s.as(who).Webhooks(t.Context())
		s.ok(err)
		if len(hooks) != 1 || hooks[0].URL != want {
			t.Errorf("%s sees %+v", who, hooks)
		}
		if _, err := s.as(who).Deliveries(t.Context(), hooks[0].ID); err != nil {
			t.Errorf("%s: %v", who, err)
		}
		if tokens, err := s.as(who).Tokens(t.Context(), "operator"); (err == nil) != (who != engine.RoleViewer) || err == nil && len(tokens) == 0 {
			t.Errorf("%s: %d tokens of somebody else, %v", who, len(tokens), err)
		}
	}
	s.must(s.request("DELETE", "/v1/webhooks/whk-none", engine.RoleAuditor, nil), http.StatusForbidden)
}
