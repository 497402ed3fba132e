package blueprint

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestForEachMakesAComponentForEveryKey(t *testing.T) {
	rev := compileFile(t, testCompiler(), "each.hcl", nil)
	got := map[string][]string{}
	for _, c := range rev.Blueprint.Components {
		got[c.Address] = append([]string{c.Region}, c.Needs...)
	}
	want := map[string][]string{
		`terraform.region["eu"]`: {"eu-west-1"},
		`terraform.region["us"]`: {"us-east-1"},
		`terraform.app["eu"]`:    {"", `terraform.region["eu"]`}, // and not that of us
		`terraform.app["us"]`:    {"", `terraform.region["us"]`},
		"terraform.one":          {"", `terraform.region["us"]`},
		"terraform.sum":          {"", `terraform.region["eu"]`, `terraform.region["us"]`, `terraform.app["eu"]`, `terraform.app["us"]`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
	ref := engine.Ref{Input: "inputs.name", Upstream: `terraform.region["eu"]`, Output: "message"}
	if refs := rev.Blueprint.Component(`terraform.app["eu"]`).Refs; !slices.Contains(refs, ref) || len(refs) != 1 {
		t.Errorf("refs = %v", refs)
	}
}

func TestInstancesAreEvaluatedOnTheirOwn(t *testing.T) {
	c := testCompiler()
	rev := compileFile(t, c, "each.hcl", nil)
	up := map[string]engine.Outputs{
		`terraform.region["eu"]`: {"message": value(`"Bonjour"`)},
		`terraform.region["us"]`: {"message": value(`"Hi"`)},
	}
	for address, want := range map[string]string{
		`terraform.region["eu"]`: `"Hello, Europe"`, `terraform.region["us"]`: `"Hello, America"`,
		`terraform.app["eu"]`: `"Bonjour"`, `terraform.app["us"]`: `"Hi"`, "terraform.one": `"Hi"`, "terraform.sum": `"eu: Bonjour, us: Hi"`,
	} {
		got, err := c.Evaluate(context.Background(), rev, address, false, up)
		if err != nil || string(got.Terraform.Inputs["name"]) != want {
			t.Errorf("%s: %s, %v", address, got.Terraform.Inputs["name"], err)
		}
	}
	got, err := c.Evaluate(context.Background(), rev, `terraform.region["eu"]`, false, nil)
	if err != nil || got.Terraform.Providers[0].DefaultTags["cloudops:component"] != "terraform.region.eu" {
		t.Errorf("providers: %v, %v", got.Terraform.Providers, err)
	}
	_, err = c.Evaluate(context.Background(), rev, `terraform.app["eu"]`, false, map[string]engine.Outputs{`terraform.region["us"]`: up[`terraform.region["us"]`]})
	wantInvalid(t, err, `waits for terraform.region["eu"].outputs.message`)

	outputs, err := c.Outputs(context.Background(), rev, up)
	if err != nil || string(outputs["messages"].Value) != `{"eu":"Bonjour","us":"Hi"}` || string(outputs["nothing"].Value) != "[]" {
		t.Errorf("outputs: %v, %v", outputs, err)
	}
}

func TestKeysFollowVariables(t *testing.T) {
	c := testCompiler()
	rev := compileFile(t, c, "each.hcl", map[string]json.RawMessage{"regions": []byte(`{"us": {"name": "America", "cloud": "us"}}`)})
	if rev.Blueprint.Component(`terraform.region["eu"]`) != nil || rev.Blueprint.Component(`terraform.region["us"]`) == nil {
		t.Errorf("components: %v", rev.Blueprint.Components)
	}
	_, _, err := c.Compile(context.Background(), bundleWith(t, "stack \"s\" {}\nterraform \"a\" {\n source = \"modules/local/greeting\"\n for_each = toset([for i in range(1001) : \"k${i}\"])\n inputs = { name = each.key }\n}\n"), nil, engine.Pins{})
	wantInvalid(t, err, "for_each has 1001 keys")
	_, _, err = c.Compile(context.Background(), bundleWith(t, "stack \"s\" {}\nterraform \"a\" {\n source = \"modules/local/greeting\"\n for_each = toset([for i in range(1000) : \"k${i}\"])\n inputs = { name = each.key }\n}\nterraform \"b\" {\n source = \"modules/local/greeting\"\n}\n"), nil, engine.Pins{})
	wantInvalid(t, err, "1001 components, of at most 1000")
}

func TestFolderWithUnknownKeysIsChecked(t *testing.T) {
	const text = `stack "s" {}
variable "regions" { type = map(string) }
terraform "a" {
  for_each = var.regions
  source   = "modules/local/greeting"
  inputs   = { nam = each.value }
}
output "o" { value = { for k, r in terraform.a : k => r.outputs.message } }
output "eu" { value = terraform.a["eu"].outputs.message }
`
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "stack.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := testCompiler().CompileDir(context.Background(), dir, nil)
	var ds engine.Diagnostics
	if !errors.As(err, &ds) || len(ds) != 1 || ds[0].Summary != "Unknown input" {
		t.Errorf("error = %v", err)
	}
}
