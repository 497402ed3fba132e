package blueprint

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestSensitiveValuesStayMarked(t *testing.T) {
	const text = `
stack "s" {}
variable "token" {
  type      = string
  sensitive = true
}
variable "key" {
  type      = object({ id = number, pem = string })
  sensitive = true
}
locals { wrapped = { deep = ["x-${var.token}"] } }
terraform "ledger" {
  source = "./ledger"
  inputs = { name = "l" }
}
terraform "web" {
  source = "./web"
  inputs = INPUTS
}`
	vars := map[string]json.RawMessage{"token": []byte(`"hunter2"`), "key": []byte(`{"id":1234567,"pem":"line one\nline two\n"}`)}
	upstream := map[string]engine.Outputs{"terraform.ledger": {"url": secret(`"pg://swordfish"`)}}
	tests := map[string]struct {
		inputs    string
		sensitive []string
		mask      []string
	}{
		"through a template":               {inputs: `{ subnet_ids = ["a-${var.token}"] }`, sensitive: []string{"subnet_ids"}, mask: []string{"a-hunter2", "hunter2"}},
		"through a local":                  {inputs: `{ subnet_ids = local.wrapped.deep }`, sensitive: []string{"subnet_ids"}, mask: []string{"hunter2", "x-hunter2"}},
		"through a function":               {inputs: `{ subnet_ids = split("", upper(var.token)) }`, sensitive: []string{"subnet_ids"}, mask: []string{"hunter2"}},
		"through base64":                   {inputs: `{ subnet_ids = [base64encode(var.token)] }`, sensitive: []string{"subnet_ids"}, mask: []string{"aHVudGVyMg==", "hunter2"}},
		"through a condition":              {inputs: `{ instances = var.token == "x" ? 1 : 2 }`, sensitive: []string{"instances"}, mask: []string{"hunter2"}},
		"through the whole map":            {inputs: `merge({ instances = 1 }, { subnet_ids = [var.token] })`, sensitive: []string{"subnet_ids"}, mask: []string{"hunter2"}},
		"line by line":                     {inputs: `{ subnet_ids = [var.key.pem] }`, sensitive: []string{"subnet_ids"}, mask: []string{"1234567", "line one", "line one\nline two\n", "line two"}},
		"numbers with enough digits":       {inputs: `{ instances = sensitive(98765) }`, sensitive: []string{"instances"}, mask: []string{"98765"}},
		"short numbers would hide the log": {inputs: `{ instances = sensitive(-123) }`, sensitive: []string{"instances"}},
		"from outputs":                     {inputs: `{ subnet_ids = [terraform.ledger.outputs.url] }`, sensitive: []string{"subnet_ids"}, mask: []string{"pg://swordfish"}},
		"by the word of the module":        {inputs: `{ password = "in the sources" }`, sensitive: []string{"password"}, mask: []string{"in the sources"}},
		"by the word of sensitive":         {inputs: `{ subnet_ids = [sensitive("plain")] }`, sensitive: []string{"subnet_ids"}, mask: []string{"plain"}},
		"unless nonsensitive says so":      {inputs: `{ subnet_ids = [nonsensitive(substr(var.token, 0, 1))] }`, mask: []string{"hunter2"}},
		"and nothing else is":              {inputs: `{ instances = 2 }`},
		"issensitive can be asked":         {inputs: `{ subnet_ids = [tostring(issensitive(var.token))] }`, mask: []string{"hunter2"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := testCompiler()
			rev := compileText(t, c, strings.ReplaceAll(text, "INPUTS", tt.inputs), vars)
			got, err := c.Evaluate(context.Background(), rev, "terraform.web", false, upstream)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.sensitive, got.Terraform.Sensitive); diff != "" {
				t.Errorf("sensitive (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.mask, got.Mask); diff != "" {
				t.Errorf("mask (-want +got):\n%s", diff)
			}
		})
	}
}
