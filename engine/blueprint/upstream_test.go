package blueprint

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

// neighbours are the other stacks that there are in tests.
func neighbours(_ context.Context, name string) (*engine.Blueprint, error) {
	switch name {
	case "shared-network":
		return &engine.Blueprint{Name: name, Outputs: []string{"vpc_id", "zone"}}, nil
	case "ring":
		return &engine.Blueprint{Name: name, Upstreams: []engine.Upstream{{Stack: "gone"}, {Stack: "shared-network"}, {Stack: "around"}}}, nil
	case "around":
		return &engine.Blueprint{Name: name, Upstreams: []engine.Upstream{{Stack: "ring"}, {Stack: "reader"}}}, nil
	}
	return nil, engine.NotFound("no stack %s", name)
}

func TestOutputsOfAnotherStackAreReadThroughAnUpstreamBlock(t *testing.T) {
	c := testCompiler()
	rev := compileFile(t, c, "upstream.hcl", nil)

	want := []engine.Upstream{{Name: "shared", Stack: "shared-network", Trigger: true, Outputs: []string{"vpc_id", "zone"}}}
	if diff := cmp.Diff(want, rev.Blueprint.Upstreams); diff != "" {
		t.Errorf("upstreams (-want +got):\n%s", diff)
	}
	web := rev.Blueprint.Component("terraform.web")
	if diff := cmp.Diff([]engine.Ref{{Input: "inputs.name", Upstream: "upstream.shared", Output: "vpc_id"}}, web.Refs); diff != "" || len(web.Needs) > 0 {
		t.Errorf("needs %v, refs (-want +got):\n%s", web.Needs, diff)
	}
	up := map[string]engine.Outputs{"upstream.shared": {"vpc_id": {Value: json.RawMessage(`"vpc-1"`), Sensitive: true}, "zone": value(`"a"`)}}
	job, err := c.Evaluate(t.Context(), rev, "terraform.web", false, up)
	if err != nil || string(job.Terraform.Inputs["name"]) != `"vpc-1"` || len(job.Mask) != 1 || len(job.Terraform.Sensitive) != 1 {
		t.Errorf("job = %+v, %v", job.Terraform, err)
	}
	out, err := c.Outputs(t.Context(), rev, up)
	if err != nil || !out["network"].Sensitive || out["zone"].Sensitive || string(out["zone"].Value) != `"a"` {
		t.Errorf("outputs = %+v, %v", out, err)
	}
	if dot := DOT(rev.Blueprint); !strings.Contains(dot, `"terraform.web" -> "upstream.shared"`) || !strings.Contains(dot, "stack shared-network") {
		t.Errorf("graph:\n%s", dot)
	}
}

func TestStacksThatReadEachOtherAreToldTheWholeWay(t *testing.T) {
	_, _, err := testCompiler().Compile(t.Context(), bundleWith(t, "stack \"reader\" {}\nupstream \"ring\" {}\n"), nil, engine.Pins{})

	wantInvalid(t, err, "reader -> ring -> around -> reader")
}
