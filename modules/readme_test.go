package modules_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/modules"
)

var update = flag.Bool("update", false, "rewrite the READMEs of the modules")

func TestREADMEsAreMadeFromVariablesAndOutputs(t *testing.T) {
	for _, name := range modules.Names() {
		t.Run(name, func(t *testing.T) {
			want := readme(readModule(t, name))
			file := filepath.Join(name, "README.md")
			if *update {
				if err := os.WriteFile(file, want, 0o644); err != nil {
					t.Fatal(err)
				}
			}

			got, err := os.ReadFile(file)

			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("README is stale; run: go test ./modules -run README -update (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryInputAndOutputIsDescribed(t *testing.T) {
	for _, name := range modules.Names() {
		m := readModule(t, name)
		for _, v := range append(m.inputs, m.outputs...) {
			if v.about == "" {
				t.Errorf("%s: %s has no description", name, v.name)
			}
		}
		if m.about == "" {
			t.Errorf("%s: main.tf does not begin with a comment that says what the module is for", name)
		}
	}
}

// readme writes a module's page.
func readme(m module) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<!-- Made from the module's files by go test ./modules -run README -update -->\n")
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", m.name, m.about)
	writeExample(&b, m)
	writeInputs(&b, m.inputs)
	fmt.Fprintf(&b, "## Outputs\n\n| name | what it is |\n|---|---|\n")
	for _, o := range m.outputs {
		fmt.Fprintf(&b, "| `%s` | %s |\n", o.name, cell(o.about))
	}
	return b.Bytes()
}

func writeExample(b *bytes.Buffer, m module) {
	cloud, purpose := path.Split(m.name)
	fmt.Fprintf(b, "```hcl\nterraform %q {\n", strings.ReplaceAll(purpose, "-", "_"))
	if cloud = path.Clean(cloud); cloud != "local" {
		fmt.Fprintf(b, "  cloud  = cloud.%s.main\n", cloud)
	}
	fmt.Fprintf(b, "  source = \"modules/%s\"\n  inputs = {\n", m.name)
	for _, line := range m.example {
		fmt.Fprintf(b, "    %s\n", line)
	}
	fmt.Fprintf(b, "  }\n}\n```\n\n")
}

// writeInputs puts those that must be given before those that may.
func writeInputs(b *bytes.Buffer, inputs []value) {
	fmt.Fprintf(b, "## Inputs\n\n| name | type | default | what it is |\n|---|---|---|---|\n")
	for _, required := range []bool{true, false} {
		for _, in := range inputs {
			if required != (in.fallback == "") {
				continue
			}
			fallback := "required"
			if !required {
				fallback = "`" + cell(in.fallback) + "`"
			}
			fmt.Fprintf(b, "| `%s` | `%s` | %s | %s |\n", in.name, cell(in.kind), fallback, cell(in.about))
		}
	}
	fmt.Fprintln(b)
}

// cell keeps text from ending a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
