package web_test

import (
	"net/http"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestVariablesAreSetAndUnsetOnTheStackPage(t *testing.T) {
	s := newSite(t)
	s.submit(map[string]string{"stack.hcl": `stack "lab" {}
variable "size" {
  type    = number
  default = 1
}
variable "password" {
  type      = string
  default   = ""
  sensitive = true
}
terraform "a" { source = "./a" }
`, "a/main.tf": ""})
	b := s.browser(engine.RoleOperator)
	token := b.get("/stacks/lab", http.StatusOK).has("Set a variable").csrf()
	set := func(status int, kind, name, value, secret string) string {
		return b.post("/stacks/lab/variables", status, "kind", kind, "name", name, "value", value, "secret", secret, "csrf_token", token).text
	}

	set(http.StatusSeeOther, "input", "size", "3", "")
	set(http.StatusSeeOther, "input", "password", "swordfish", "1")
	set(http.StatusSeeOther, "environment", "GREETING", "hello", "")
	set(http.StatusUnprocessableEntity, "input", "size", "many", "")
	set(http.StatusUnprocessableEntity, "input", "sise", "3", "")
	set(http.StatusUnprocessableEntity, "environment", "TF_LOG", "trace", "")
	set(http.StatusUnprocessableEntity, "else", "size", "3", "")

	b.get("/stacks/lab", http.StatusOK).has("&#34;3&#34;", "(secret)", "hello", "revision <strong>3</strong>").lacks("swordfish")
	b.post("/stacks/lab/variables/unset", http.StatusSeeOther, "kind", "input", "name", "size", "csrf_token", token)
	b.get("/stacks/lab", http.StatusOK).lacks("&#34;3&#34;").has("revision <strong>4</strong>")
	s.browser(engine.RoleViewer).get("/stacks/lab", http.StatusOK).has("GREETING").lacks("Set a variable", "Unset")
}
