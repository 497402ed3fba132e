package web_test

import (
	"net/http"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestVariableSetsAreKeptOnTheirPage(t *testing.T) {
	s := newSite(t)
	s.submit(map[string]string{"stack.hcl": `stack "lab" {}
variable "size" {
  type    = number
  default = 1
}
terraform "a" { source = "./a" }
`, "a/main.tf": ""})
	b := s.browser(engine.RoleAdmin)
	const path = "/variable-sets"
	token := b.get(path, http.StatusOK).has("No variable set yet", "Make or change a set").csrf()
	b.post(path, http.StatusOK, "set", "prod", "stacks", "lab, shop-*", "csrf_token", token).has("for lab, shop-*")
	b.post(path, http.StatusUnprocessableEntity, "set", "prod", "stacks", "[", "csrf_token", token).has("no pattern")
	b.post(path+"/prod/variables", http.StatusOK, "kind", "input", "name", "size", "value", "3", "csrf_token", token).has("&#34;3&#34;", "is at revision 2")
	b.post(path+"/prod/variables", http.StatusOK, "kind", "input", "name", "size", "value", "many", "csrf_token", token).has("stays as it is")
	b.post(path+"/prod/variables", http.StatusOK, "kind", "environment", "name", "TOKEN", "value", "swordfish", "secret", "1", "csrf_token", token).has("(secret)").lacks("swordfish")
	b.post(path+"/prod/unset", http.StatusOK, "kind", "environment", "name", "TOKEN", "csrf_token", token).lacks("TOKEN")
	s.browser(engine.RoleOperator).get(path, http.StatusOK).has("prod").lacks("Make or change a set", "Unset")
	b.post(path+"/prod/delete", http.StatusOK, "csrf_token", token).has("No variable set yet")
	b.post(path+"/prod/delete", http.StatusNotFound, "csrf_token", token)
}
