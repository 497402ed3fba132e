package web_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

func networkState(serial int, id string) []byte {
	return fmt.Appendf(nil, `{"version": 4, "serial": %d, "lineage": "l", "resources": [
		{"mode": "managed", "type": "aws_vpc", "name": "main", "instances": [{"attributes": {"id": %q}}]}]}`, serial, id)
}

// interruptShop loses the runner of the network in the middle of its apply.
func (s *site) interruptShop() *engine.Run {
	s.t.Helper()
	run := s.planShop()
	_, err := s.runs.Approve(s.t.Context(), principal(engine.RoleAdmin), run.ID, run.Digest, "")
	ok(s.t, err)
	step := s.claim(run.ID, "terraform.network")
	ok(s.t, s.states.Lock(s.t.Context(), engine.StateWriter{By: "operator", Run: run.ID, Step: step.ID, Attempt: step.Attempt}, "shop", "terraform.network", []byte(`{"ID": "l-1", "Operation": "OperationTypeApply"}`)))
	s.print(step, "aws_vpc.main: Creating...\naws_vpc.main: Creation complete after 2s [id=vpc-7]\naws_subnet.a: Creating...\n")
	ok(s.t, s.runs.Report(s.t.Context(), step, engine.Report{Outcome: engine.OutcomeInterrupted, Reason: "terraform apply was killed in the middle"}))
	ok(s.t, s.store.PutArtifact(s.t.Context(), step.ID, engine.ArtifactErrored, networkState(3, "vpc-7")))
	return s.read(run.ID)
}

func TestInterruptedApplyIsToldAndMended(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.interruptShop()
	s.browser(engine.RoleViewer).get("/runs/"+run.ID, http.StatusOK).
		has("there is no state", "finished: aws_vpc.main (vpc-7) created, and in no state", "not known: whether aws_subnet.a was created")
	s.browser(engine.RoleViewer).get("/stacks/shop", http.StatusOK).has("its apply was interrupted").lacks("Break the lock")

	b := s.browser(engine.RoleAdmin)
	token := b.get("/stacks/shop", http.StatusOK).has("is locked by run "+run.ID, "Recover the state", "Break the lock").csrf()
	b.post("/stacks/shop/recover", http.StatusUnprocessableEntity, "component", "terraform.network", "reason", " ", "csrf_token", token).has("Say why")
	b.post("/stacks/shop/recover", http.StatusSeeOther, "component", "terraform.network", "reason", "the worker burnt down", "csrf_token", token)

	b.get("/stacks/shop", http.StatusOK).lacks("Recover the state", "is locked by").has("terraform.network", "State versions")
	b.get("/audit", http.StatusOK).has("state.recover", "the worker burnt down")
	b.get("/runs/"+run.ID, http.StatusOK).has("the last state has serial 3").lacks("in no state")
}

func TestInterruptedPlayIsToldAndItsLockBroken(t *testing.T) {
	s := newSite(t)
	s.submit(map[string]string{"site.yml": shopFiles["site.yml"], "stack.hcl": "stack \"shop\" {}\nansible \"web\" {\n  playbook = \"./site.yml\"\n" +
		"  inventory {\n    group \"web\" { hosts = [{ name = \"web-1\", address = \"10.0.0.4\" }] }\n  }\n}\n"})
	run := s.start("shop", engine.RunApply)
	s.planned(run.ID, "ansible.web", playPlan())
	run = s.read(run.ID)
	_, err := s.runs.Approve(t.Context(), principal(engine.RoleAdmin), run.ID, run.Digest, "")
	ok(t, err)
	step := s.claim(run.ID, "ansible.web")
	s.print(step, "PLAY [web] ***\n\nTASK [Install] ***\nchanged: [web-1]\n\nTASK [Start] ***\n")
	ok(t, s.runs.Report(t.Context(), step, engine.Report{Outcome: engine.OutcomeInterrupted, Reason: "ansible-playbook was killed in the middle"}))

	b := s.browser(engine.RoleAdmin)
	b.get("/runs/"+run.ID, http.StatusOK).has("finished on web-1: 1 task, with changes by Install", "whether task &#34;Start&#34; ended on web-1").lacks("there is no state")
	token := b.get("/stacks/shop", http.StatusOK).has("is locked by run "+run.ID, "may still run", "Break the lock").lacks("Recover the state").csrf()
	b.post("/stacks/shop/unlock", http.StatusSeeOther, "component", "ansible.web", "reason", "nothing runs", "csrf_token", token)
	b.get("/stacks/shop", http.StatusOK).lacks("is locked by")
}

func TestLockIsBrokenAndAStateRestoredOnTheStackPage(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	me := engine.StateWriter{By: "operator"}
	for serial, id := range []string{"vpc-1", "vpc-2"} {
		_, err := s.states.Put(t.Context(), me, "shop", "terraform.network", "", networkState(serial+1, id))
		ok(t, err)
	}
	ok(t, s.states.Lock(t.Context(), me, "shop", "terraform.network", []byte(`{"ID": "l-1", "Operation": "OperationTypePlan"}`)))
	b := s.browser(engine.RoleAdmin)
	p := b.get("/stacks/shop", http.StatusOK).has("is locked by operator", "OperationTypePlan")
	form := []string{"version", p.hidden("version"), "component", "terraform.network", "reason", "it was left behind", "csrf_token", p.csrf()}

	b.post("/stacks/shop/restore", http.StatusConflict, form...).has("is locked by operator")
	b.post("/stacks/shop/unlock", http.StatusSeeOther, form...)
	b.post("/stacks/shop/restore", http.StatusSeeOther, form...)

	last, err := s.store.LatestState(t.Context(), "shop", "terraform.network")
	ok(t, err)
	if last.Serial != 3 || last.By != "admin" {
		t.Errorf("newest state: serial %d by %s", last.Serial, last.By)
	}
	s.browser(engine.RoleViewer).post("/stacks/shop/unlock", http.StatusForbidden, form...)
}

func TestMendingInABrowser(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.interruptShop()
	w := s.window(engine.RoleAdmin)
	w.open("/runs/" + run.ID)
	w.do(enginetest.Shoot("interrupted"))
	w.open("/stacks/shop")
	w.do(chromedp.Click(`.lock details summary`), enginetest.Shoot("locked"))
	w.eventually(`document.documentElement.scrollWidth <= document.documentElement.clientWidth`)
	w.do(chromedp.SendKeys(`.lock details[open] input[name=reason]`, "the worker burnt down"), chromedp.Click(`.lock details[open] button`), chromedp.WaitVisible(`#states`))
	w.eventually(`document.querySelector(".lock") === null`)
	w.do(enginetest.Shoot("recovered"))
}
