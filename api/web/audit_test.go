package web_test

import (
	"net/http"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestAuditLogIsSearched(t *testing.T) {
	s := newSite(t)
	b := s.browser(engine.RoleAuditor)
	b.get("/audit", http.StatusOK).has("session.create", "127.0.0.1", "/v1/audit/export?format=csv")
	b.get("/audit?action=user", http.StatusOK).has("user.create", "Everything")
	b.get("/audit?action=nothing&actor=ada&from=2020-01-01&to=2020-01-02&text=x&subject=y&address=z&stack=none", http.StatusOK).has("Nothing has happened", `value="2020-01-02"`)
	b.get("/audit?from=yesterday", http.StatusUnprocessableEntity).has("a day is written as 2026-01-31")
}
