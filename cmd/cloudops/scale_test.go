package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

const scaledStack = `stack "scaled" {
  description = "Goes up and down"
}

upstream "shared" { trigger = true }

variable "count" {
  type    = number
  default = 2
  scale {
    min = 1
    max = 5
  }
}

terraform "web" {
  source = "./web"
  inputs = { copies = var.count, name = upstream.shared.outputs.name }
}

ansible "web" {
  playbook = "./site.yml"
  inventory {
    group "web" { hosts = terraform.web.outputs.hosts }
  }
}
`

const scaledModule = `variable "copies" { type = number }
variable "name" { type = string }
resource "terraform_data" "server" {
  count = var.copies
  input = "${var.name}-${count.index + 1}"
}
output "hosts" {
  value = [for i, s in terraform_data.server : { name = s.input, address = "127.0.0.1", resource = "terraform_data.server[${i}]", vars = { ansible_connection = "local" } }]
}
`

func TestAStackIsScaledInTheBrowser(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, start func(...string) *testServer) {
		ctx, s, dir := enginetest.Chromium(t), start(), t.TempDir()
		for name, text := range map[string]string{
			"shared/stack.hcl": "stack \"shared\" {}\nterraform \"a\" { source = \"./a\" }\noutput \"name\" { value = terraform.a.outputs.name }\n",
			"shared/a/main.tf": `output "name" { value = "web" }`,
			"scaled/stack.hcl": scaledStack, "scaled/web/main.tf": scaledModule,
			"scaled/site.yml": "- hosts: web\n  tasks:\n    - name: Say hello\n      ansible.builtin.command: echo hello\n",
		} {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		s.cli(t, "", "stack", "apply", "-f", filepath.Join(dir, "shared"), "--yes")
		s.cli(t, "", "stack", "apply", "-f", filepath.Join(dir, "scaled"), "--yes")
		s.cli(t, "", "variable-set", "put", "prod", "--stack", "scal*", "--description", "what production has")
		s.cli(t, "", "variable-set", "set", "prod", "AWS_MAX_ATTEMPTS", "5", "--env")

		field := `form[action$="/scale"] input[name="value"]`
		steps := []struct {
			what string
			do   []chromedp.Action[chromedp.Void]
		}{
			{"sign in", []chromedp.Action[chromedp.Void]{
				chromedp.Navigate(s.url + "/variable-sets"), chromedp.WaitVisible(`input[name="password"]`),
				chromedp.SendKeys(`input[name="name"]`, "admin"), chromedp.SendKeys(`input[name="password"]`, testPassword),
				chromedp.Click(`form.login button`), chromedp.WaitVisible(`nav`)}},
			{"look at the sets", []chromedp.Action[chromedp.Void]{
				chromedp.Navigate(s.url + "/variable-sets"), chromedp.WaitVisible(`#prod`), enginetest.Shoot("sets")}},
			{"look at the stack", []chromedp.Action[chromedp.Void]{
				chromedp.Navigate(s.url + "/stacks/scaled"), chromedp.WaitVisible(field), chromedp.WaitVisible(`#hosts`), enginetest.Shoot("scale")}},
			{"scale it", []chromedp.Action[chromedp.Void]{
				chromedp.SetValue(field, "3"), chromedp.SendKeys(`form[action$="/scale"] input[name="message"]`, "sale on Friday"),
				chromedp.Click(`form[action$="/scale"] button`), chromedp.WaitVisible(`#approve`), chromedp.WaitVisible(`.change.create`), enginetest.Shoot("scaled")}},
			{"approve it", []chromedp.Action[chromedp.Void]{chromedp.Click(`#approve`), chromedp.WaitVisible(`.head .pill.is-succeeded`)}},
		}
		for _, step := range steps {
			if err := chromedp.Do(ctx, step.do...); err != nil {
				t.Fatalf("%s: %v", step.what, err)
			}
		}
		out := s.cli(t, "", "host", "list", "scaled")
		for i := range 3 {
			if want := fmt.Sprintf("terraform.web:terraform_data.server[%d]", i); !strings.Contains(out, want) {
				t.Errorf("the hosts lack %s:\n%s", want, out)
			}
		}
	})
}
