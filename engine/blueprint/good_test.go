package blueprint

import (
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

// compileFile compiles a fixture of testdata/good and returns it as a revision.
func compileFile(t testing.TB, c *Compiler, file string, vars map[string]json.RawMessage) *engine.Revision {
	t.Helper()
	text, err := os.ReadFile("testdata/good/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return compileText(t, c, string(text), vars)
}

func compileText(t testing.TB, c *Compiler, text string, vars map[string]json.RawMessage) *engine.Revision {
	t.Helper()
	bp, sources, err := c.Compile(context.Background(), bundleWith(t, text), vars, engine.Pins{})
	if err != nil {
		t.Fatal(err)
	}
	return &engine.Revision{Stack: bp.Name, Number: 1, Blueprint: bp, Sources: sources, Variables: vars}
}

func TestABlueprintTellsTheEngineWhatItNeeds(t *testing.T) {
	rev := compileFile(t, testCompiler(), "payments.hcl", nil)

	want := engine.Blueprint{
		Name: "payments", Description: "Card payments: web tier on AWS, ledger on Azure",
		Labels: map[string]string{"team": "payments", "env": "prod"},
		Approval: engine.ApprovalRule{Approvals: 1, Roles: []engine.Role{"approver"}, NotAuthor: true, AutoApprove: "no_changes", OnDeferred: "ask", Expires: 72 * time.Hour,
			Classes: map[engine.Class]engine.ClassRule{engine.ClassDestroy: {Approvals: 2, Roles: []engine.Role{"dba"}, NotAuthor: true}},
			Freeze:  []engine.Window{{Name: "weekend", From: "Fri 16:00", To: "Mon 07:00", Timezone: "Europe/Zurich"}, {Name: "year-end", From: "2026-12-18", To: "2027-01-05"}},
		},
		Drift: engine.DriftRule{Schedule: "0 */6 * * *", Timezone: "Europe/Zurich", Remediate: "none", Ignore: []string{"terraform.network:aws_vpc.main.tags.LastSeen"}},
		Components: []engine.Component{
			{Address: "terraform.network", Kind: "terraform", Cloud: "aws", Region: "eu-west-1", Credentials: "aws-payments", Source: "modules/aws/network"},
			{
				Address: "terraform.web", Kind: "terraform", Cloud: "aws", Region: "eu-west-1", Credentials: "aws-payments", Source: "./web",
				Needs: []string{"terraform.network"},
				Refs:  []engine.Ref{{Input: "inputs.subnet_ids", Upstream: "terraform.network", Output: "private_subnet_ids"}},
			},
			{
				Address: "terraform.ledger", Kind: "terraform", Cloud: "azure", Region: "westeurope", Credentials: "azure-ledger", Source: "./ledger",
				Needs: []string{"terraform.network"},
			},
			{
				Address: "ansible.web", Kind: "ansible", Cloud: "local", Source: "./playbooks/web.yml", OnDestroy: true,
				Needs: []string{"terraform.web", "terraform.ledger"},
				Refs: []engine.Ref{
					{Input: "vars.db_url", Upstream: "terraform.ledger", Output: "url"},
					{Input: "inventory.web.hosts", Upstream: "terraform.web", Output: "hosts"},
				},
			},
		},
		Outputs: []string{"url"},
	}
	if diff := cmp.Diff(want, rev.Blueprint); diff != "" {
		t.Errorf("blueprint (-want +got):\n%s", diff)
	}
}

func TestReferencesAreFoundThroughLocalsAndWholeOutputs(t *testing.T) {
	rev := compileFile(t, testCompiler(), "locals.hcl", nil)

	var order []string
	for _, c := range rev.Blueprint.Components {
		order = append(order, c.Address)
	}
	if diff := cmp.Diff([]string{"terraform.network", "terraform.web", "ansible.setup", "terraform.greeting"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	want := map[string][]engine.Ref{
		"terraform.web": {{Input: "inputs.subnet_ids", Upstream: "terraform.network", Output: "private_subnet_ids"}},
		"ansible.setup": {{Input: "vars.all", Upstream: "terraform.web", Output: "hosts"}, {Input: "vars.all", Upstream: "terraform.web", Output: "url"}},
	}
	for address, refs := range want {
		if diff := cmp.Diff(refs, rev.Blueprint.Component(address).Refs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", address, diff)
		}
	}
}

func TestValidateWorksWithoutValuesOfVariables(t *testing.T) {
	dir := t.TempDir()
	text := `
stack "s" { labels = { env = var.env } }
variable "env" { type = string }
terraform "a" {
  source = "modules/local/greeting"
  inputs = { name = var.env }
}`
	if err := os.WriteFile(dir+"/stack.hcl", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}

	bp, err := testCompiler().CompileDir(context.Background(), dir, nil)

	if err != nil || bp.Name != "s" || len(bp.Components) != 1 {
		t.Errorf("blueprint = %+v, error = %v", bp, err)
	}
}

func TestVariables(t *testing.T) {
	const head = "stack \"s\" {}\n"
	tests := map[string]struct {
		block, given string // given is JSON
		want         string // JSON of the value, or
		wantErr      string // a part of the mistake
	}{
		"a text becomes a number like in Terraform":    {block: `type = number`, given: `"5"`, want: `5`},
		"a number becomes a text like in Terraform":    {block: `type = string`, given: `5`, want: `"5"`},
		"a collection may be given as an expression":   {block: `type = list(string)`, given: `"[\"a\", \"b\"]"`, want: `["a","b"]`},
		"optional attributes get their defaults":       {block: `type = object({ a = optional(number, 3) })`, given: `{}`, want: `{"a":3}`},
		"a default stands in":                          {block: `default = [1, "a"]`, want: `[1,"a"]`},
		"null is a value where it is allowed":          {block: "type = string\ndefault = \"x\"", given: `null`, want: `null`},
		"null means the default where it is not":       {block: "type = string\ndefault = \"x\"\nnullable = false", given: `null`, want: `"x"`},
		"null without a default is a mistake":          {block: "type = string\nnullable = false", given: `null`, wantErr: "not nullable"},
		"a wrong type is a mistake":                    {block: `type = number`, given: `"five"`, wantErr: "a number is required"},
		"a wrong type inside names the place":          {block: `type = object({ a = list(number) })`, given: `{"a":["x"]}`, wantErr: `.a[0]: a number is required`},
		"what is not JSON is a mistake":                {block: `type = number`, given: `{`, wantErr: "not JSON"},
		"a value is needed without a default":          {block: `type = number`, wantErr: "no default"},
		"a rule that holds says nothing":               {block: "type = number\nvalidation {\n condition = var.v > 3\n error_message = \"more\"\n}", given: `4`, want: `4`},
		"a rule that is broken gives its own message":  {block: "type = number\nvalidation {\n condition = var.v > 3\n error_message = \"more than ${1 + 2}\"\n}", given: `3`, wantErr: "more than 3"},
		"a message does not give a secret away":        {block: "sensitive = true\nvalidation {\n condition = false\n error_message = \"not ${var.v}\"\n}", given: `"hunter2"`, wantErr: "cannot be shown"},
		"a complaint of a function hides a secret too": {block: "sensitive = true\nvalidation {\n condition = parseint(var.v, 10) == 1\n error_message = \"x\"\n}", given: `"hunter2"`, wantErr: `cannot parse "(sensitive value)"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			vars := map[string]json.RawMessage{}
			if tt.given != "" {
				vars["v"] = json.RawMessage(tt.given)
			}
			text := head + "variable \"v\" {\n" + tt.block + "\n}\noutput \"o\" { value = var.v }\n"
			c := testCompiler()
			bp, sources, err := c.Compile(context.Background(), bundleWith(t, text), vars, engine.Pins{})
			if tt.wantErr != "" {
				wantInvalid(t, err, tt.wantErr)
				wantNot(t, err.Error(), "hunter2")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			out, err := c.Outputs(context.Background(), &engine.Revision{Stack: bp.Name, Sources: sources, Variables: vars}, nil)
			if err != nil || string(out["o"].Value) != tt.want {
				t.Errorf("value = %s, want %s; error %v", out["o"].Value, tt.want, err)
			}
		})
	}
	_, _, err := testCompiler().Compile(context.Background(), bundleWith(t, head+`variable "region" { default = "" }`), map[string]json.RawMessage{"regoin": []byte(`"x"`)}, engine.Pins{})
	wantInvalid(t, err, `Did you mean "region"?`)
}
