package blueprint

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

func wantInvalid(t *testing.T, err error, part string) {
	t.Helper()
	if !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), part) {
		t.Errorf("error = %v, want ErrInvalid with %q", err, part)
	}
}

func wantNot(t *testing.T, text, part string) {
	t.Helper()
	if strings.Contains(text, part) {
		t.Errorf("%q holds %q", text, part)
	}
}

func raw(values map[string]string) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for name, text := range values {
		out[name] = json.RawMessage(text)
	}
	return out
}

func value(text string) engine.Output { return engine.Output{Value: json.RawMessage(text)} }

func secret(text string) engine.Output {
	return engine.Output{Value: json.RawMessage(text), Type: json.RawMessage(`"string"`), Sensitive: true}
}

const hostsText = `[{"name":"web-1","address":"10.0.0.5","user":"admin","port":2222,"vars":{"rack":"a"},"resource":"aws_instance.this[0]","id":"i-1"}]`

func TestTerraformComponentsAreEvaluated(t *testing.T) {
	c := testCompiler()
	rev := compileFile(t, c, "payments.hcl", map[string]json.RawMessage{"env": []byte(`"dev"`)})
	upstream := map[string]engine.Outputs{"terraform.network": {"private_subnet_ids": value(`["s-1","s-2"]`)}}

	got, err := c.Evaluate(context.Background(), rev, "terraform.web", false, upstream)
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Evaluated{Terraform: &engine.TerraformJob{
		Source: "./web",
		Inputs: raw(map[string]string{"subnet_ids": `["s-1","s-2"]`, "instances": `1`}),
		Providers: []engine.ProviderSettings{{
			Name: "aws", Settings: raw(map[string]string{"region": `"eu-west-1"`}),
			DefaultTags: map[string]string{"cloudops:stack": "payments", "cloudops:component": "terraform.web"},
		}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("evaluated (-want +got):\n%s", diff)
	}
}

func TestCloudSettingsBecomeProviderSettings(t *testing.T) {
	tests := map[string]struct {
		cloud string
		want  engine.ProviderSettings
	}{
		"aws with tags and a block": {
			cloud: "cloud \"aws\" \"main\" {\n region = \"eu-west-1\"\n tags = { team = \"x\" }\n assume_role {\n role_arn = \"r\"\n }\n}",
			want: engine.ProviderSettings{
				Name: "aws", Settings: raw(map[string]string{"region": `"eu-west-1"`, "assume_role": `{"role_arn":"r"}`}),
				DefaultTags: map[string]string{"team": "x", "cloudops:stack": "s", "cloudops:component": "terraform.a"},
			},
		},
		"azure always has features, and no location": {
			cloud: `cloud "azure" "main" { location = "westeurope" }`,
			want: engine.ProviderSettings{
				Name: "azurerm", Settings: raw(map[string]string{"features": `{}`}),
				DefaultTags: map[string]string{"cloudops:stack": "s", "cloudops:component": "terraform.a"},
			},
		},
		"google has labels that it accepts": {
			cloud: "cloud \"gcp\" \"main\" {\n project = \"p\"\n region = \"europe-west6\"\n}",
			want: engine.ProviderSettings{
				Name: "google", Settings: raw(map[string]string{"project": `"p"`, "region": `"europe-west6"`}),
				DefaultTags: map[string]string{"cloudops-stack": "s", "cloudops-component": "terraform-a"},
			},
		},
		"a repeated block is a list": {
			cloud: "cloud \"aws\" \"main\" {\n ignore_tags {\n keys = [\"a\"]\n }\n ignore_tags {\n keys = [\"b\"]\n }\n}",
			want: engine.ProviderSettings{
				Name: "aws", Settings: raw(map[string]string{"ignore_tags": `[{"keys":["a"]},{"keys":["b"]}]`}),
				DefaultTags: map[string]string{"cloudops:stack": "s", "cloudops:component": "terraform.a"},
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := testCompiler()
			kind := strings.Fields(strings.ReplaceAll(tt.cloud, `"`, ""))[1]
			rev := compileText(t, c, "stack \"s\" {}\n"+tt.cloud+"\nterraform \"a\" {\n cloud = cloud."+kind+".main\n source = \"modules/local/greeting\"\n}", nil)
			got, err := c.Evaluate(context.Background(), rev, "terraform.a", false, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]engine.ProviderSettings{tt.want}, got.Terraform.Providers); diff != "" {
				t.Errorf("providers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnsibleComponentsAreEvaluated(t *testing.T) {
	c := testCompiler()
	rev := compileFile(t, c, "payments.hcl", nil)
	upstream := map[string]engine.Outputs{
		"terraform.web":    {"hosts": value(hostsText)},
		"terraform.ledger": {"url": secret(`"postgres://u:hunter2@db"`)},
	}
	want := engine.Evaluated{
		Ansible: &engine.AnsibleJob{
			Playbook: "./playbooks/web.yml",
			Inventory: engine.Inventory{Groups: []engine.Group{{
				Name: "web", Vars: raw(map[string]string{"tier": `"front"`}),
				Hosts: []engine.Host{{
					Name: "web-1", Address: "10.0.0.5", User: "admin", Port: 2222, Resource: "aws_instance.this[0]",
					Vars: raw(map[string]string{"rack": `"a"`}),
				}},
			}}},
			Vars:      raw(map[string]string{"db_url": `"postgres://u:hunter2@db"`}),
			Sensitive: []string{"db_url"},
			Ready:     &engine.Readiness{Port: 22, Timeout: 5 * time.Minute},
		},
		Mask: []string{"postgres://u:hunter2@db"},
	}
	got, err := c.Evaluate(context.Background(), rev, "ansible.web", false, upstream)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("evaluated (-want +got):\n%s", diff)
	}

	want.Ansible.Playbook = "./playbooks/decommission.yml"
	got, err = c.Evaluate(context.Background(), rev, "ansible.web", true, upstream)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decommission (-want +got):\n%s", diff)
	}
}

func TestWhatIsNotKnownYet(t *testing.T) {
	c := testCompiler()
	rev := compileFile(t, c, "payments.hcl", nil)
	unknown := map[string]engine.Outputs{"terraform.network": {"private_subnet_ids": {Unknown: true}}}
	tests := map[string]struct {
		address  string
		upstream map[string]engine.Outputs
		wantErr  string
	}{
		"an output that is not known": {address: "terraform.web", upstream: unknown, wantErr: "input subnet_ids waits for terraform.network.outputs.private_subnet_ids, which is not known yet"},
		"an output that is missing":   {address: "terraform.web", upstream: nil, wantErr: "input subnet_ids waits for terraform.network.outputs.private_subnet_ids, which is not known yet"},
		"a variable of a play":        {address: "ansible.web", upstream: map[string]engine.Outputs{"terraform.web": {"hosts": value(`[]`)}}, wantErr: "variable db_url waits for terraform.ledger.outputs.url"},
		"hosts":                       {address: "ansible.web", upstream: map[string]engine.Outputs{"terraform.ledger": {"url": secret(`"x"`)}}, wantErr: "group web waits for terraform.web.outputs.hosts"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.Evaluate(context.Background(), rev, tt.address, false, tt.upstream)
			wantInvalid(t, err, tt.wantErr)
		})
	}
	t.Run("is null when the component is destroyed", func(t *testing.T) {
		got, err := c.Evaluate(context.Background(), rev, "terraform.web", true, unknown)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(raw(map[string]string{"subnet_ids": `null`, "instances": `3`}), got.Terraform.Inputs); diff != "" {
			t.Errorf("inputs (-want +got):\n%s", diff)
		}
		play, err := c.Evaluate(context.Background(), rev, "ansible.web", true, nil)
		if err != nil || len(play.Ansible.Inventory.Groups) != 1 || len(play.Ansible.Inventory.Groups[0].Hosts) != 0 {
			t.Errorf("play = %+v, error = %v", play.Ansible, err)
		}
	})
}

func TestAStackMadeAgainUnderItsNameIsNotTakenFromMemory(t *testing.T) {
	c := testCompiler()
	const text = "stack \"s\" {}\nvariable \"v\" {}\noutput \"o\" { value = var.v }"
	for _, v := range []string{`"a"`, `"b"`} {
		rev := compileText(t, c, text, map[string]json.RawMessage{"v": []byte(v)})
		got, err := c.Outputs(context.Background(), rev, nil)
		if err != nil || string(got["o"].Value) != v {
			t.Errorf("output = %s, want %s; error %v", got["o"].Value, v, err)
		}
	}
}

func TestInputsThatADestroyCannotKnowAreNull(t *testing.T) {
	c := testCompiler()
	rev := compileText(t, c, `
stack "s" {}
terraform "a" { source = "./web" }
terraform "b" {
  source = "modules/aws/network"
  inputs = merge(terraform.a.outputs.url, {})
}`, nil)

	got, err := c.Evaluate(context.Background(), rev, "terraform.b", true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(raw(map[string]string{"name": `null`, "cidr": `null`}), got.Terraform.Inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	_, err = c.Evaluate(context.Background(), rev, "terraform.b", false, nil)
	wantInvalid(t, err, "inputs waits for terraform.a.outputs.url")
}

func TestManyStepsAreEvaluatedAtOnce(t *testing.T) {
	c := testCompiler()
	rev := compileFile(t, c, "payments.hcl", nil)
	upstream := map[string]engine.Outputs{
		"terraform.web":    {"hosts": value(hostsText)},
		"terraform.ledger": {"url": secret(`"postgres://u:hunter2@db"`)},
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for _, address := range []string{"terraform.network", "terraform.ledger", "ansible.web"} {
				if _, err := c.Evaluate(context.Background(), rev, address, false, upstream); err != nil {
					t.Error(err)
				}
			}
			if _, err := c.Outputs(context.Background(), rev, upstream); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestMistakesAreBounded(t *testing.T) {
	text := "stack \"s\" {}\nlocals { a = [" + strings.Repeat("var.x, ", 1000) + "] }\n"

	_, _, err := testCompiler().Compile(context.Background(), bundleWith(t, text), nil, engine.Pins{})

	var ds engine.Diagnostics
	if !errors.As(err, &ds) || len(ds) != maxMistakes+1 || !strings.Contains(ds[maxMistakes].Detail, "800 more") {
		t.Fatalf("%d mistakes, the last is %v", len(ds), ds[len(ds)-1])
	}
	if n := len(ds[0].Snippet); n > 2*maxLine {
		t.Errorf("snippet of %d bytes", n)
	}
}
