package web_test

import (
	"net/http"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

const alwaysFrozen = "freeze {\n  window \"a\" {\n    from = \"Mon 00:00\"\n    to = \"Sun 00:00\"\n  }\n  window \"b\" {\n    from = \"Sat 00:00\"\n    to = \"Mon 12:00\"\n  }\n}"

func TestRulesAreWrittenOnTheirPage(t *testing.T) {
	s := newSite(t)
	b := s.browser(engine.RoleAdmin)
	token := b.get("/rules?project=default", http.StatusOK).has("the installation", "project default", "No rule").csrf()
	b.post("/rules", http.StatusUnprocessableEntity, "rule", "approval { approvals = 99 }", "csrf_token", token).has("Out of range", "approvals = 99")
	b.post("/rules", http.StatusSeeOther, "rule", "approval { approvals = 2 }", "csrf_token", token)
	b.post("/projects/default/rule", http.StatusSeeOther, "rule", "approval { expires = \"2h\" }", "csrf_token", token)
	b.post("/projects/nowhere/rule", http.StatusNotFound, "rule", "approval {}", "csrf_token", token)
	b.get("/rules", http.StatusOK).has("2 approvals, by others than who started the run or wrote what it brings", "a plan expires after 2h", "written by admin")
	s.browser(engine.RoleViewer).get("/rules", http.StatusOK).has("approval { approvals = 2 }").lacks("Save", "Delete")
	b.post("/rules/delete", http.StatusSeeOther, "csrf_token", token)
	b.post("/projects/default/rule/delete", http.StatusSeeOther, "csrf_token", token)
	b.get("/rules", http.StatusOK).lacks("2 approvals", "expires after")
}

func TestFreezeIsBrokenOnTheRunPage(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.planShop()
	path := "/runs/" + run.ID
	admin := s.browser(engine.RoleAdmin)
	admin.post("/rules", http.StatusSeeOther, "rule", alwaysFrozen, "csrf_token", admin.get("/rules", http.StatusOK).csrf())
	b := s.browser(engine.RoleApprover)
	token := b.get(path, http.StatusOK).has("Frozen until", "Ask for break-glass", "Rules in force", "no apply begins from Mon 00:00").lacks("Confirm break-glass").csrf()
	b.post(path+"/break-glass", http.StatusUnprocessableEntity, "digest", run.Digest, "reason", " ", "csrf_token", token).has("takes a reason")
	b.post(path+"/break-glass", http.StatusSeeOther, "digest", run.Digest, "reason", "<fire>", "csrf_token", token)
	admin.get(path, http.StatusOK).has("asked to apply in a freeze", "&lt;fire&gt;", "Confirm break-glass")
	admin.post(path+"/break-glass", http.StatusSeeOther, "digest", run.Digest, "csrf_token", admin.get(path, http.StatusOK).csrf())
	s.browser(engine.RoleViewer).get(path, http.StatusOK).has("confirmed by admin", "is-approved").lacks("Ask for break-glass")
}

func TestApprovedPlanIsAppliedOnTheRunPage(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.planShop()
	path := "/runs/" + run.ID
	b := s.browser(engine.RoleDeployer)
	token := b.get(path, http.StatusOK).has("Approve and apply", `action="`+path+`/apply"`).lacks("Discard").csrf()
	b.post(path+"/apply", http.StatusSeeOther, "digest", run.Digest, "csrf_token", token)
	b.get(path, http.StatusOK).has("is-approved", "<strong>deployer</strong> approved")
}
