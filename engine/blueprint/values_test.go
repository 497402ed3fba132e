package blueprint

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestOutputsOfAStack(t *testing.T) {
	const text = `
stack "s" {}
terraform "ledger" {
  source = "./ledger"
  inputs = { name = "l" }
}
terraform "web" { source = "./web" }
output "url" { value = "see ${terraform.web.outputs.url}" }
output "db" { value = terraform.ledger.outputs.url }
output "hidden" {
  value     = 1
  sensitive = true
}`
	c := testCompiler()
	rev := compileText(t, c, text, nil)
	known := map[string]engine.Outputs{"terraform.web": {"url": value(`"http://x"`)}}

	got, err := c.Outputs(context.Background(), rev, known)
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Outputs{
		"url":    {Value: []byte(`"see http://x"`), Type: []byte(`"string"`)},
		"db":     {Unknown: true, Sensitive: true},
		"hidden": {Value: []byte(`1`), Type: []byte(`"number"`), Sensitive: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}

	known["terraform.ledger"] = engine.Outputs{"url": secret(`"pg://x"`)}
	got, err = c.Outputs(context.Background(), rev, known)
	if err != nil || !got["db"].Sensitive || string(got["db"].Value) != `"pg://x"` {
		t.Errorf("db = %+v, error = %v", got["db"], err)
	}
}

func TestValuesThatDoNotFitAreTold(t *testing.T) {
	c := testCompiler()
	rev := compileFile(t, c, "payments.hcl", nil)
	tests := map[string]struct {
		address  string
		upstream map[string]engine.Outputs
		wantErr  string
	}{
		"an input of another type":      {address: "terraform.web", upstream: map[string]engine.Outputs{"terraform.network": {"private_subnet_ids": value(`"one"`)}}, wantErr: `Input "subnet_ids" of terraform.web does not fit`},
		"a host without an address":     {address: "ansible.web", upstream: map[string]engine.Outputs{"terraform.ledger": {"url": value(`""`)}, "terraform.web": {"hosts": value(`[{"name":"a","address":"b"},{"name":"c"}]`)}}, wantErr: `Group "web" of ansible.web: hosts[1] (c) has no address`},
		"hosts that are no list":        {address: "ansible.web", upstream: map[string]engine.Outputs{"terraform.ledger": {"url": value(`""`)}, "terraform.web": {"hosts": value(`{"a":1}`)}}, wantErr: "hosts is a list"},
		"a component that is not there": {address: "terraform.gone", wantErr: ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.Evaluate(context.Background(), rev, tt.address, false, tt.upstream)
			if tt.wantErr == "" {
				if !errors.Is(err, engine.ErrNotFound) {
					t.Errorf("error = %v, want ErrNotFound", err)
				}
				return
			}
			wantInvalid(t, err, tt.wantErr)
		})
	}
}
