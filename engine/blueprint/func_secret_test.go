package blueprint

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

const keptStack = `
stack "s" {}
variable "token" {
  type = string
  validation {
    condition     = length(var.token) > 100
    error_message = "too short"
  }
}
locals { db = secret("env://STACK_DB") }
terraform "ledger" {
  source = "./ledger"
  inputs = { name = "l" }
}
terraform "web" {
  source = "./web"
  inputs = INPUTS
}`

// What is put into inputs shows where the secrets go: S is what stands in.
func TestSecretsArePutWhereTheyBelong(t *testing.T) {
	vars := map[string]json.RawMessage{"token": []byte(`"secret(\"vault://kv/a#token\")"`)}
	const db, token = "env://STACK_DB", "vault://kv/a#token"
	tests := map[string]struct {
		inputs, want string
		references   []string
		wantErr      string
	}{
		"alone":                       {inputs: `{ password = secret("env://A") }`, want: `"S"`, references: []string{"env://A"}},
		"through a local":             {inputs: `{ password = local.db }`, want: `"S"`, references: []string{db}},
		"through a variable":          {inputs: `{ password = var.token }`, want: `"S"`, references: []string{token}},
		"within a text":               {inputs: `{ password = "pg://app:${local.db}@h/${var.token}" }`, want: `"pg://app:S@h/S"`, references: []string{db, token}},
		"within a text by a function": {inputs: `{ password = join("@", ["a", format("%s:%v", local.db, "x")]) }`, want: `"a@S:x"`, references: []string{db}},
		"through collections":         {inputs: `merge({ password = lookup({ a = local.db }, "a", "") }, {})`, want: `"S"`, references: []string{db}},
		"beside an output":            {inputs: `{ password = "${local.db}@${terraform.ledger.outputs.url}" }`, want: `"S@u"`, references: []string{db}},
		"by a condition":              {inputs: `{ password = true ? local.db : var.token }`, want: `"S"`, references: []string{db}},

		"made into JSON":       {inputs: `{ password = jsonencode({ a = local.db }) }`, wantErr: "known only when a step runs"},
		"made into base64":     {inputs: `{ password = base64encode(local.db) }`, wantErr: "known only when a step runs"},
		"made into capitals":   {inputs: `{ password = upper("a${var.token}") }`, wantErr: "known only when a step runs"},
		"cut":                  {inputs: `{ password = substr(local.db, 0, 3) }`, wantErr: "known only when a step runs"},
		"quoted":               {inputs: `{ password = format("%q", local.db) }`, wantErr: "by %s only"},
		"shown":                {inputs: `{ password = nonsensitive(local.db) }`, wantErr: "known only when a step runs"},
		"compared":             {inputs: `{ password = local.db == "" ? "x" : "y" }`, wantErr: "known only when a step runs"},
		"compared to choose":   {inputs: `{ password = local.db == "" ? "x" : var.token }`, wantErr: "known only when a step runs"},
		"counted":              {inputs: `{ instances = length(local.db) }`, wantErr: "known only when a step runs"},
		"taken for a number":   {inputs: `{ instances = local.db }`, wantErr: "number"},
		"put into a set":       {inputs: `{ subnet_ids = toset([local.db]) }`, wantErr: "known only when a step runs"},
		"kept nowhere we know": {inputs: `{ password = secret("file:///etc/passwd") }`, wantErr: "none of them"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := testCompiler()
			text := strings.ReplaceAll(keptStack, "INPUTS", tt.inputs)
			if tt.wantErr != "" {
				_, _, err := c.Compile(t.Context(), bundleWith(t, text), vars, engine.Pins{})
				wantInvalid(t, err, tt.wantErr)
				return
			}
			got, err := c.Evaluate(t.Context(), compileText(t, c, text, vars), "terraform.web", false, map[string]engine.Outputs{"terraform.ledger": {"url": value(`"u"`)}})
			if err != nil {
				t.Fatal(err)
			}
			shown := string(got.Terraform.Inputs["password"])
			for standIn := range got.Secrets {
				shown = strings.ReplaceAll(shown, standIn, "S")
			}
			if shown != tt.want {
				t.Errorf("password = %s, want %s", shown, tt.want)
			}
			if refs := slices.Sorted(maps.Values(got.Secrets)); !slices.Equal(refs, tt.references) {
				t.Errorf("references = %q, want %q", refs, tt.references)
			}
			if !slices.Contains(got.Terraform.Sensitive, "password") {
				t.Error("password is not sensitive")
			}
		})
	}
}

func TestSecretsAreNoPartOfWhatEverybodySees(t *testing.T) {
	for name, text := range map[string]string{
		"outputs":                      `stack "s" {}` + "\n" + `output "o" { value = "x-${secret("env://A")}" }`,
		"names of hosts":               playOn(`[{ name = "h-${secret("env://A")}", address = "10.0.0.1" }]`),
		"addresses of hosts":           playOn(`[{ name = "h", address = secret("env://A") }]`),
		"users of hosts":               playOn(`concat([], [merge({ name = "h", address = "10.0.0.1" }, { user = secret("env://A") })])`),
		"hosts that are their address": playOn(`[secret("env://A")]`),
		"host keys":                    playOn(`[{ name = "h", address = "10.0.0.1", host_keys = [secret("env://A")] }]`),
		"descriptions":                 `stack "s" { description = secret("env://A") }`,
		"cloud blocks":                 `stack "s" {}` + "\n" + `cloud "aws" "a" { region = secret("env://A") }`,
	} {
		_, _, err := testCompiler().Compile(t.Context(), bundleWith(t, text), nil, engine.Pins{})
		if err == nil || !regexp.MustCompile("Sensitive value|kept elsewhere|Secret is not known here").MatchString(err.Error()) {
			t.Errorf("%s take a secret: %v", name, err)
		}
	}
}

func playOn(hosts string) string {
	return `stack "s" {}
ansible "page" {
  playbook = "./playbooks/web.yml"
  inventory {
    group "g" {
      hosts = ` + hosts + `
    }
  }
}`
}

func TestSecretIsWhereAHostConnectsWithIt(t *testing.T) {
	c := testCompiler()
	rev := compileText(t, c, playOn(`[{ name = "h", address = "10.0.0.1", vars = { ansible_password = secret("env://A") } }]`), nil)
	got, err := c.Evaluate(t.Context(), rev, "ansible.page", false, nil)
	if err != nil || len(got.Secrets) != 1 {
		t.Errorf("%v, %v", got.Secrets, err)
	}
}

// What stands in is made with a nonce of the stack in memory: nobody can write
// it down, or bring it in by an output.
func TestStandInsCannotBeForged(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		c := testCompiler()
		got, err := c.Evaluate(t.Context(), compileText(t, c, strings.ReplaceAll(keptStack, "INPUTS", `{ password = local.db }`), map[string]json.RawMessage{"token": []byte(`"` + strings.Repeat("x", 101) + `"`)}), "terraform.web", false, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen[string(got.Terraform.Inputs["password"])] = true
	}
	if len(seen) != 2 {
		t.Errorf("two compilers make the same: %v", seen)
	}
}
