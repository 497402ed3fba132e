package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestNothingThereSaysWhatToType(t *testing.T) {
	s := newSite(t)
	b := s.browser(engine.RoleOperator)
	s.browser(engine.RoleAuditor).get("/audit", http.StatusOK).has("session.create")
	b.get("/", http.StatusOK).has("cloudops stack apply -f stack.hcl")
	b.get("/runs", http.StatusOK).has("cloudops stack apply -f stack.hcl")
	b.get("/drift", http.StatusOK).has("cloudops drift STACK")
	b.get("/account", http.StatusOK).has("cloudops login")
	b.get("/stacks/none", http.StatusNotFound).has("there is no stack", "Sign out")
	b.get("/runs/run-none", http.StatusNotFound)
	b.get("/nowhere", http.StatusNotFound).has("there is nothing at /nowhere")
}

func TestStacksAreListedAndSearched(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	s.submit(map[string]string{"stack.hcl": "stack \"lab\" {}\n"})
	s.planShop()
	b := s.browser(engine.RoleViewer)

	b.get("/", http.StatusOK).has(`href="/stacks/shop"`, `href="/stacks/lab"`, "team=payments", "is-planned", "none yet")
	b.get("/?q=TIER+prod", http.StatusOK).has(`href="/stacks/shop"`).lacks(`href="/stacks/lab"`)
	b.get("/?q=nonsense", http.StatusOK).has("No stack has").lacks(`href="/stacks/lab"`)
}

func TestStackPageOffersWhatTheRoleMayDo(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	s.planShop()
	s.browser(engine.RoleViewer).get("/stacks/shop", http.StatusOK).
		has("Web shop", "terraform.network", "aws eu-west-1 · planned", "is-planned", "Larger web tier").lacks("Plan and apply", "Destroy this stack")
	s.browser(engine.RoleOperator).get("/stacks/shop", http.StatusOK).has("Plan and apply", "Check for drift", "Destroy this stack")
}

func TestRunsAreStartedOnTheStackPage(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	b := s.browser(engine.RoleOperator)
	token := b.get("/stacks/shop", http.StatusOK).csrf()

	b.post("/stacks/shop/runs", http.StatusConflict, "kind", "drift", "csrf_token", token).has("nothing of stack shop is applied yet")
	b.post("/stacks/shop/runs", http.StatusUnprocessableEntity, "kind", "everything", "csrf_token", token).has("role=\"alert\"")
	b.post("/stacks/shop/runs", http.StatusUnprocessableEntity, "kind", "destroy", "confirm", "shopp", "csrf_token", token).has("type its name: shop")
	p := b.post("/stacks/shop/runs", http.StatusSeeOther, "kind", "preview", "message", "look", "csrf_token", token)

	b.get(p.header.Get("Location"), http.StatusOK).has("Preview", "look", "is-planning", "Cancel the run")
	s.browser(engine.RoleViewer).post("/stacks/shop/runs", http.StatusForbidden, "kind", "apply",
		"csrf_token", "any").has("Forbidden")
}

func TestPlanIsReadOnTheRunPage(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.planShop()

	p := s.browser(engine.RoleApprover).get("/runs/"+run.ID, http.StatusOK)

	p.has("aws_vpc.main", "tags.Owner", "&#34;nobody&#34;", "&#34;payments&#34;", "forces replacement", "(sensitive)", "arn, id, private_ip",
		"because aws_eip.old is not in configuration", "output.url", "&lt;p&gt;Open&lt;/p&gt;", "web-2 does not exist yet",
		"#!/bin/sh\nset -e\n", "title=\"to replace\"", "no changes", run.Digest, "Approve and apply", `hx-sse:connect="/runs/`+run.ID+`/live"`)
	p.lacks("Loading the plan")
}

func TestPlansAreApprovedAndDiscardedOnTheRunPage(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.planShop()
	path := "/runs/" + run.ID
	s.browser(engine.RoleOperator).get(path, http.StatusOK).lacks("Approve and apply").has("waits for somebody who may approve it", "Cancel the run")
	b := s.browser(engine.RoleApprover)
	token := b.get(path, http.StatusOK).csrf()

	b.post(path+"/approve", http.StatusConflict, "digest", "another", "csrf_token", token).has("is not the one that waits for approval", "aws_vpc.main")
	b.post(path+"/approve", http.StatusSeeOther, "digest", run.Digest, "comment", " fine ", "csrf_token", token)
	b.post(path+"/approve", http.StatusConflict, "digest", run.Digest, "csrf_token", token).has("cannot become approved")
	b.post(path+"/discard", http.StatusConflict, "csrf_token", token).has("cannot become discarded")

	b.get(path, http.StatusOK).has("<strong>approver</strong> approved", "<q>fine</q>").lacks("Approve and apply")
}

func TestApprovalThatTheRuleForbidsIsNotOffered(t *testing.T) {
	s := newSite(t)
	s.submit(map[string]string{
		"stack.hcl": "stack \"lab\" {\n  approval {\n    approvals = 2\n    roles = [\"approver\", \"admin\"]\n  }\n}\nterraform \"a\" { source = \"./a\" }\n",
		"a/main.tf": "",
	})
	run, err := s.runs.Start(t.Context(), principal(engine.RoleApprover), engine.StartRequest{Stack: "lab", Kind: engine.RunApply})
	ok(t, err)
	s.planned(run.ID, "terraform.a", networkPlan())
	path := "/runs/" + run.ID

	s.browser(engine.RoleApprover).get(path, http.StatusOK).lacks("Approve and apply").has("You can&#39;t approve this plan because you started run", "0 of 2 approvals", "Discard")
	b := s.browser(engine.RoleAdmin)
	b.post(path+"/approve", http.StatusSeeOther, "digest", s.read(run.ID).Digest, "csrf_token", b.get(path, http.StatusOK).csrf())
	b.get(path, http.StatusOK).has("1 of 2 approvals", "because you have approved it already").lacks("Approve and apply")
}

func TestFailureIsToldOnTheRunPage(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.planShop()
	_, err := s.runs.Approve(t.Context(), principal(engine.RoleAdmin), run.ID, run.Digest, "")
	ok(t, err)
	s.applied(run.ID, "terraform.network")
	ok(t, s.runs.Report(t.Context(), s.claim(run.ID, "terraform.web"), engine.Report{
		Outcome: engine.OutcomeFailed, Reason: "quota of t3.small is used up", Walls: "files, TCP to 443", Applied: engine.Summary{Create: 1},
	}))

	s.browser(engine.RoleViewer).get("/runs/"+run.ID, http.StatusOK).
		has(`class="reason is-failed"`, "terraform.web: quota of t3.small is used up", "is-skipped", "done:", "Walls: files, TCP to 443").lacks("hx-sse:connect")
}

func TestRunThatIsStoppedCanBeKilled(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.start("shop", engine.RunApply)
	s.claim(run.ID, "terraform.network")
	b := s.browser(engine.RoleOperator)
	path := "/runs/" + run.ID
	b.post(path+"/cancel", http.StatusSeeOther, "csrf_token", b.get(path, http.StatusOK).csrf())

	b.get(path, http.StatusOK).has("operator asked to stop it", "Kill what still runs")
}

func TestDriftIsListedWithItsHistory(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	record := func(found []engine.Change) {
		ok(t, s.store.RecordFindings(t.Context(), "shop", "terraform.network", "run-1", found, clock()()))
	}
	record(networkPlan().Changes)
	b := s.browser(engine.RoleViewer)
	b.get("/drift?stack=shop", http.StatusOK).has("aws_vpc.main", "tags.Owner", "first seen")
	b.get("/", http.StatusOK).has("1 open")
	b.get("/stacks/shop", http.StatusOK).has("aws_vpc.main", "history=1")
	record(nil)

	b.get("/drift?stack=shop", http.StatusOK).has("No drift is known")
	b.get("/drift?stack=shop&history=1", http.StatusOK).has("aws_vpc.main", "is-resolved")
}

func TestFilesBesideThePages(t *testing.T) {
	s := newSite(t)
	b := s.browser("")
	_, rest, _ := strings.Cut(b.get("/login", http.StatusOK).text, `/static/page.js?v=`)
	version, _, _ := strings.Cut(rest, `"`)
	for name, kind := range map[string]string{"style.css": "text/css", "page.js": "text/javascript", "htmx.min.js": "text/javascript", "icon.svg": "image/svg+xml"} {
		p := b.get("/static/"+name+"?v="+version, http.StatusOK)
		if got := p.header.Get("Content-Type"); !strings.HasPrefix(got, kind) || !strings.Contains(p.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s comes as %s, %s", name, got, p.header.Get("Cache-Control"))
		}
	}
	for _, path := range []string{"/static/", "/static/../web.go", "/static/none.js"} {
		b.get(path, http.StatusNotFound)
	}
}

func TestPagesRunNoCodeOfTheirOwn(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.planShop()
	b := s.browser(engine.RoleAdmin)
	for _, path := range []string{"/", "/stacks/shop", "/runs", "/runs/" + run.ID, "/drift", "/audit", "/account"} {
		b.get(path, http.StatusOK).lacks("<style", " style=", "onclick=", "hx-on", "<script>", `src="http`, `href="http`, `="//`)
	}
}

func TestLargePlanIsShownInParts(t *testing.T) {
	s := newSite(t)
	run := s.planLarge(450)
	b := s.browser(engine.RoleViewer)
	step := run.Step("terraform.a").ID

	p := b.get("/runs/"+run.ID, http.StatusOK).has("aws_subnet.a[199]", "Show 200 more").lacks("aws_subnet.a[200]")
	p.has(`hx-get="/runs/` + run.ID + `/steps/` + step + `/changes?from=200"`)
	b.get("/runs/"+run.ID+"/steps/"+step+"/changes?from=400", http.StatusOK).has("aws_subnet.a[449]").lacks("more", "<html")
	b.get("/runs/"+run.ID+"?all=1", http.StatusOK).has("aws_subnet.a[449]").lacks("Show 200 more")
	b.get("/runs/"+run.ID+"/steps/other/changes", http.StatusNotFound)
	b.get("/runs/"+run.ID+"/steps/"+step+"/changes?from=x", http.StatusUnprocessableEntity)
}
