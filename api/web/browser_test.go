package web_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// window is a page in a real browser.
type window struct {
	t   testing.TB
	ctx context.Context
	s   *site
}

// window signs in as the user of the role in a real browser.
func (s *site) window(role engine.Role) *window {
	s.t.Helper()
	w := &window{t: s.t, ctx: enginetest.Chromium(s.t), s: s}
	w.do(chromedp.Navigate(s.url+"/login"), chromedp.SendKeys(`input[name="name"]`, string(role)),
		chromedp.SendKeys(`input[name="password"]`, password), chromedp.Click(`form.login button`), chromedp.WaitVisible(`.who`))
	return w
}

func (w *window) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	if err := chromedp.Do(w.ctx, actions...); err != nil {
		w.t.Fatal(err)
	}
}

// open goes to a page.
func (w *window) open(path string) {
	w.t.Helper()
	w.do(chromedp.Navigate(w.s.url+path), chromedp.WaitReady(`#main`))
}

// eventually waits until an expression is true on the page.
func (w *window) eventually(expression string, args ...any) {
	w.t.Helper()
	expression = fmt.Sprintf(expression, args...)
	if _, err := chromedp.Run(w.ctx, chromedp.Poll[bool](expression)); err != nil {
		w.t.Fatalf("%s: %v", expression, err)
	}
}

// eval gives an expression's value.
func eval[T any](w *window, expression string) T {
	w.t.Helper()
	v, err := chromedp.Run(w.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		w.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func TestRunIsFollowedFromPlanToEndWithoutAReload(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.start("shop", engine.RunApply)
	w := s.window(engine.RoleApprover)
	w.open("/runs/" + run.ID)
	eval[bool](w, `window.notReloaded = true`)
	s.planned(run.ID, "terraform.network", networkPlan())
	w.eventually(`document.querySelector(".change.update code")?.textContent === "aws_vpc.main"`)
	s.planned(run.ID, "terraform.database", engine.Plan{})
	s.planned(run.ID, "terraform.web", webPlan())
	s.planned(run.ID, "ansible.web", playPlan())
	w.do(chromedp.WaitVisible(`#approve`))
	w.eventually(`document.querySelectorAll(".change").length === 6`)
	w.do(enginetest.Shoot("planned"))
	w.eventually(`window.notReloaded === true`)

	w.do(chromedp.SendKeys(`#comment`, "looks right"), chromedp.Click(`#approve`), chromedp.WaitVisible(`.word q`))
	eval[bool](w, `window.notReloaded = true`)
	s.applied(run.ID, "terraform.network")
	tier := s.claim(run.ID, "terraform.web")
	s.print(tier, "\x1b[1maws_instance.web[1]: Creating...\x1b[0m\n")
	w.do(chromedp.WaitVisible(`.head .pill.is-applying`))
	w.eventually(`document.querySelector("details.log[open] .lines")?.textContent === "aws_instance.web[1]: Creating...\n"`)
	s.print(tier, "aws_instance.web[1]: Creation complete after 12s\naws_eip.old: Destroying...\n")
	w.eventually(`document.querySelector("details.log[open] .lines").textContent.endsWith("Destroying...\n")`)
	w.do(enginetest.Shoot("applying"))
	s.done(tier)
	s.applied(run.ID, "ansible.web")

	w.do(chromedp.WaitVisible(`.head .pill.is-succeeded`), chromedp.WaitVisible(`.recap`))
	w.do(enginetest.Shoot("succeeded"))
	w.eventually(`window.notReloaded === true`)
	w.open("/stacks/shop")
	w.do(enginetest.Shoot("stack"))
}

func TestWhatPeopleDoStaysWhenThePageIsToldOfChanges(t *testing.T) {
	s := newSite(t)
	s.submit(map[string]string{
		"stack.hcl": "stack \"lab\" {\n  approval {\n    approvals = 2\n  }\n}\nterraform \"a\" { source = \"./a\" }\n", "a/main.tf": "",
	})
	run := s.start("lab", engine.RunApply)
	s.planned(run.ID, "terraform.a", webPlan())
	w := s.window(engine.RoleApprover)
	w.open("/runs/" + run.ID)
	w.do(chromedp.SendKeys(`#comment`, "half a"))
	eval[bool](w, `!(document.querySelector(".change").open = false)`)

	_, err := s.runs.Approve(t.Context(), principal(engine.RoleAdmin), run.ID, s.read(run.ID).Digest, "")
	ok(t, err)

	w.eventually(`document.querySelector(".decide p")?.textContent.includes("1 of 2 approvals")`)
	w.do(chromedp.SendKeys(`#comment`, " sentence"))
	w.eventually(`document.querySelector("#comment").value === "half a sentence"`)
	w.eventually(`!document.querySelector(".change").open && document.querySelectorAll(".change[open]").length === 3`)
}

func TestPageLeadsToTheSignInOnceTheSessionIsOver(t *testing.T) {
	s := newSite(t)
	run := s.planLarge(300)
	w := s.window(engine.RoleApprover)
	w.open("/runs/" + run.ID)
	w.eventually(`document.querySelectorAll(".change").length === 200`)
	eval[bool](w, `!fetch("/logout", {method: "POST", body: new URLSearchParams(new FormData(document.querySelector(".who form")))}).then(() => window.left = true)`)
	w.eventually(`window.left === true`)

	s.cut() // the stream, so that the browser comes again

	w.do(chromedp.WaitVisible(`form.login`))
	w.eventually(`document.querySelector("input[name=next]").value === "/runs/%s"`, run.ID)
}

func TestLongLogShowsItsEnd(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.start("shop", engine.RunApply)
	step := s.claim(run.ID, "terraform.network")
	var log strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&log, "line %06d of a log that goes on and on, as logs of large plans do\n", i)
	}
	for text := log.String(); text != ""; {
		n := min(len(text), 4<<20)
		s.print(step, text[:n])
		text = text[n:]
	}
	w := s.window(engine.RoleViewer)
	began := time.Now()
	w.open("/runs/" + run.ID)
	w.eventually(`document.querySelector(".lines").textContent.endsWith("line 199999 of a log that goes on and on, as logs of large plans do\n")`)
	t.Logf("the end of 200,000 lines is there after %v", time.Since(began))

	s.print(step, "and one more\n")

	w.eventually(`document.querySelector(".lines").textContent.endsWith("and one more\n")`)
	w.eventually(`document.querySelector(".lines").scrollTop > 1000`)
	if n := eval[int](w, `document.querySelector(".lines").textContent.split("\n").length`); n > 5300 || n < 4900 {
		t.Errorf("%d lines are kept", n)
	}
	w.eventually(`document.querySelector("details[open] .state").textContent.includes("older lines are left out")`)
	w.do(enginetest.Shoot("log"))
}

func TestLargePlanOpensAtOnce(t *testing.T) {
	s := newSite(t)
	run := s.planLarge(5000)
	w := s.window(engine.RoleApprover)
	began := time.Now()
	w.open("/runs/" + run.ID)
	w.do(chromedp.WaitVisible(`#approve`), chromedp.WaitVisible(`.change.create`))
	t.Logf("a plan of 5,000 resources is open after %v", time.Since(began))

	w.do(chromedp.Click(`.more button`))
	w.eventually(`document.querySelectorAll(".change").length === 400 && document.querySelector(".more").textContent.includes("or all 4600")`)
	s.print(&engine.Step{ID: run.Steps[0].ID}, "a line\n")
	s.bell.Ring(engine.TopicRun(run.ID))
	began = time.Now()
	w.open("/runs/" + run.ID + "?all=1")
	w.eventually(`document.querySelectorAll(".change").length === 5000`)
	t.Logf("all of it is open after %v", time.Since(began))
}

func TestOtherPagesInABrowser(t *testing.T) {
	s := newSite(t)
	s.submit(shopFiles)
	run := s.planShop()
	ok(t, s.store.RecordFindings(t.Context(), "shop", "terraform.network", run.ID, networkPlan().Changes, time.Now()))
	ok(t, s.store.RecordFindings(t.Context(), "shop", "ansible.web", run.ID, playPlan().Changes, time.Now()))
	w := s.window(engine.RoleAdmin)
	for name, path := range map[string]string{"stacks": "/", "runs": "/runs", "drift": "/drift", "audit": "/audit", "account": "/account", "drifted": "/stacks/shop", "missing": "/stacks/none"} {
		w.open(path)
		w.eventually(`document.documentElement.scrollWidth <= document.documentElement.clientWidth`)
		w.do(enginetest.Shoot(name))
	}
}
