package blueprint

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestDOTDrawsWhatNeedsWhat(t *testing.T) {
	bp := engine.Blueprint{Name: "s", Components: []engine.Component{
		{Address: "terraform.a", Source: "./a"},
		{Address: "terraform.b", Source: `./"b"`, Needs: []string{"terraform.a"}, Refs: []engine.Ref{{Upstream: "terraform.a"}}},
		{Address: "ansible.c", Source: "./c.yml", Needs: []string{"terraform.b"}},
	}}
	want := `digraph "s" {
  rankdir = "RL"
  node [shape = "box"]
  "terraform.a" [label = "terraform.a\n./a"]
  "terraform.b" [label = "terraform.b\n./\"b\""]
  "ansible.c" [label = "ansible.c\n./c.yml"]
  "terraform.b" -> "terraform.a"
  "ansible.c" -> "terraform.b" [style = "dashed"]
}
`
	if diff := cmp.Diff(want, DOT(bp)); diff != "" {
		t.Errorf("graph (-want +got):\n%s", diff)
	}
}

func TestFormat(t *testing.T) {
	got := string(Format([]byte("stack \"s\" {\nlabels={a=1}\n  description   = \"x\"\n}\n")))
	want := "stack \"s\" {\n  labels      = { a = 1 }\n  description = \"x\"\n}\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("formatted (-want +got):\n%s", diff)
	}
}

func TestOverrideFilesAmendAModule(t *testing.T) {
	files := map[string]string{
		"m/main.tf":          "variable \"a\" {\n type = number\n sensitive = true\n}\noutput \"o\" {\n value = 1\n sensitive = true\n}\n",
		"m/main_override.tf": "variable \"a\" { default = 3 }\noutput \"o\" { value = 2 }\n",
		"m/old.tf":           "variable \"b\" {\n type = \"list\"\n default = []\n}\n",
	}
	text := "stack \"s\" {}\nterraform \"m\" {\n source = \"./m\"\n}\noutput \"o\" { value = terraform.m.outputs.o }\n"

	c := testCompiler()
	bp, sources, err := c.Compile(context.Background(), bundleWith(t, text, files), nil, engine.Pins{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.Outputs(context.Background(), &engine.Revision{Stack: bp.Name, Sources: sources}, nil)
	if err != nil || !out["o"].Sensitive || !out["o"].Unknown {
		t.Errorf("output = %+v, error = %v", out["o"], err)
	}
}

func TestOverrideFilesDoNotSetWhatIsOurs(t *testing.T) {
	const clouds = "cloud \"aws\" \"main\" {\n region = \"eu-west-1\"\n}\n"
	tests := map[string]struct{ file, text, want string }{
		"a backend":                      {"override.tf", "terraform {\n  backend \"local\" {}\n}", "m/override.tf:2: Module with a backend of its own"},
		"a cloud":                        {"a_override.tf", "terraform {\n  cloud {}\n}", "m/a_override.tf:2: Module with a backend of its own"},
		"the provider of the cloud":      {"override.tf", "\nprovider \"aws\" {\n  region = \"us-east-1\"\n}", "m/override.tf:2: Provider set by an override file"},
		"that provider in JSON":          {"override.tf.json", `{"provider": {"aws": {"region": "us-east-1"}}}`, "m/override.tf.json:1: Provider set by an override file"},
		"another provider":               {"override.tf", "provider \"random\" {}", ""},
		"another one of that provider":   {"override.tf", "provider \"aws\" {\n alias = \"b\"\n}", ""},
		"the provider in a file as such": {"providers.tf", "provider \"aws\" {\n max_retries = 3\n}", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := "stack \"s\" {}\n" + clouds
			for _, component := range []string{"a", "b"} { // told once
				text += "terraform \"" + component + "\" {\n source = \"./m\"\n cloud = cloud.aws.main\n}\n"
			}
			_, _, err := testCompiler().Compile(t.Context(), bundleWith(t, text, map[string]string{"m/" + tt.file: tt.text}), nil, engine.Pins{})
			var ds engine.Diagnostics
			if tt.want == "" && err == nil {
				return
			}
			if !errors.As(err, &ds) || len(ds) != 1 || line(ds[0].File, ds[0].Start.Line, ds[0].Summary) != tt.want {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestOnlyRecentStacksAreKept(t *testing.T) {
	r := newRecent()
	big := &stack{tree: Tree{"a": {Data: make([]byte, maxRecentBytes/2+1)}}}
	for i := range 3 {
		r.put(recentKey{number: i}, big)
	}
	if r.order.Len() != 1 || r.get(recentKey{number: 2}) == nil || r.get(recentKey{number: 1}) != nil || r.bytes > maxRecentBytes {
		t.Errorf("kept %d stacks of %d bytes", r.order.Len(), r.bytes)
	}
	for i := range 2 * maxRecent {
		r.put(recentKey{stack: "small", number: i}, &stack{})
	}
	if r.order.Len() != maxRecent || len(r.byKey) != maxRecent {
		t.Errorf("kept %d stacks", r.order.Len())
	}
}
