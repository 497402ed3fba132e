package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// browserStack waits, while it is applied, for a file that the test makes.
const browserStack = `stack "pages" {
  description = "Looked at in a browser"
}

variable "dir" { type = string }

terraform "first" {
  source = "./first"
  inputs = { dir = var.dir }
}

terraform "second" {
  source = "modules/local/greeting"
  inputs = { name = terraform.first.outputs.name }
}
`

const browserModule = `variable "dir" { type = string }

resource "terraform_data" "x" {
  input = "browser"

  provisioner "local-exec" {
    command = "echo the log is live; until [ -e ${var.dir}/go ]; do sleep 0.1; done"
  }
}

output "name" { value = terraform_data.x.input }
`

func TestPlannedRunIsApprovedInTheBrowserAndSeenToItsEnd(t *testing.T) {
	eachPair(t, func(t *testing.T, start func(...string) *testServer) { approveInBrowser(t, start()) })
}

func approveInBrowser(t *testing.T, s *testServer) {
	ctx := enginetest.Chromium(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"stack.hcl": browserStack, "first/main.tf": browserModule} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.cli(t, "", "stack", "apply", "-f", dir, "--var", "dir="+dir, "--plan-only")

	steps := []struct {
		what string
		do   []chromedp.Action[chromedp.Void]
	}{
		{"sign in with a wrong password", []chromedp.Action[chromedp.Void]{
			chromedp.Navigate(s.url + "/"), chromedp.WaitVisible(`input[name="password"]`), enginetest.Shoot("login"),
			chromedp.SendKeys(`input[name="name"]`, "admin"), chromedp.SendKeys(`input[name="password"]`, "wrong"),
			chromedp.Click(`form.login button`), chromedp.WaitVisible(`.problem`)}},
		{"sign in", []chromedp.Action[chromedp.Void]{
			chromedp.SendKeys(`input[name="name"]`, "admin"), chromedp.SendKeys(`input[name="password"]`, testPassword),
			chromedp.Click(`form.login button`), chromedp.WaitVisible(`a.name`), enginetest.Shoot("stacks")}},
		{"open the stack", []chromedp.Action[chromedp.Void]{
			chromedp.Click(`a.name`), chromedp.WaitVisible(`.drawing svg`), enginetest.Shoot("stack")}},
		{"open the planned run", []chromedp.Action[chromedp.Void]{
			chromedp.Click(`td a[href^="/runs/"]`), chromedp.WaitVisible(`#approve`), chromedp.WaitVisible(`.change.create`), enginetest.Shoot("planned")}},
		{"approve it", []chromedp.Action[chromedp.Void]{
			chromedp.SendKeys(`#comment`, "looks right"), chromedp.Click(`#approve`),
			chromedp.WaitVisible(`.head .pill.is-applying`)}},
	}
	for _, step := range steps {
		if err := chromedp.Do(ctx, step.do...); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
	}
	// From here on the page is not loaded again: a mark on it stays.
	mark(t, ctx)
	eventually(t, ctx, `document.querySelector("details.log[open] pre")?.textContent.includes("the log is live")`)
	if err := chromedp.Do(ctx, enginetest.Shoot("applying")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.WaitVisible(`.head .pill.is-succeeded`), enginetest.Shoot("succeeded")); err != nil {
		t.Fatal(err)
	}
	eventually(t, ctx, `window.notReloaded === true`)
	if out := s.cli(t, "", "run", "list", "--stack", "pages"); !strings.Contains(out, "succeeded") {
		t.Errorf("runs:\n%s", out)
	}
}

func mark(t *testing.T, ctx context.Context) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.notReloaded = true`)); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until an expression is true on the page.
func eventually(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression)); err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
}
