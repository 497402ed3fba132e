package playbooks_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/cloudops-manager/cloudops/playbooks"
)

var update = flag.Bool("update", false, "rewrite the READMEs of the playbooks")

// spec is what a role's meta/argument_specs.yml says of its entry point.
type spec struct {
	Short       string            `yaml:"short_description"`
	Description []string          `yaml:"description"`
	Options     map[string]option `yaml:"options"`
}

type option struct {
	Type        string `yaml:"type"`
	Default     any    `yaml:"default"`
	Required    bool   `yaml:"required"`
	Description string `yaml:"description"`
}

func TestREADMEsAreMadeFromVariables(t *testing.T) {
	for _, name := range playbooks.Names() {
		t.Run(name, func(t *testing.T) {
			want := readme(name, readSpec(t, name))
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
				t.Errorf("README is stale; run: go test ./playbooks -run README -update (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVariablesHaveTheDefaultsThatAreDescribed(t *testing.T) {
	for _, name := range playbooks.Names() {
		described := map[string]any{}
		for variable, o := range readSpec(t, name).Options {
			if o.Description == "" || o.Type == "" {
				t.Errorf("%s: %s has no type or no description", name, variable)
			}
			if !o.Required {
				described[variable] = o.Default
			}
		}
		var defaults map[string]any
		read(t, name, "defaults/main.yml", &defaults)
		if diff := cmp.Diff(described, defaults); diff != "" {
			t.Errorf("%s: defaults (-described +true):\n%s", name, diff)
		}
	}
}

func readSpec(t *testing.T, name string) spec {
	t.Helper()
	var specs struct {
		Argument map[string]spec `yaml:"argument_specs"`
	}
	read(t, name, "meta/argument_specs.yml", &specs)
	return specs.Argument["main"]
}

// read decodes a file of the role that has the playbook's name, which Ansible
// wants without hyphens.
func read(t *testing.T, name, file string, into any) {
	t.Helper()
	b, err := fs.ReadFile(playbooks.FS(), name+"/roles/"+strings.ReplaceAll(name, "-", "_")+"/"+file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

// readme writes a playbook's page.
func readme(name string, s spec) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<!-- Made from the role's meta/argument_specs.yml by go test ./playbooks -run README -update -->\n")
	fmt.Fprintf(&b, "# %s\n\n%s.\n\n%s\n\n", name, s.Short, strings.Join(s.Description, "\n"))
	fmt.Fprintf(&b, "```hcl\nansible %q {\n  playbook = \"playbooks/%s\"\n\n", name, name)
	fmt.Fprintf(&b, "  inventory {\n    group \"%s\" {\n      hosts = terraform.hosts.outputs.hosts\n    }\n  }\n}\n```\n\n", name)
	fmt.Fprintf(&b, "## Variables\n\n| name | type | default | what it is |\n|---|---|---|---|\n")
	for _, variable := range slices.Sorted(maps.Keys(s.Options)) {
		o := s.Options[variable]
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", variable, o.Type, shown(o), strings.ReplaceAll(o.Description, "|", `\|`))
	}
	return b.Bytes()
}

func shown(o option) string {
	if o.Required {
		return "required"
	}
	v, err := json.Marshal(o.Default)
	if err != nil {
		return fmt.Sprint(o.Default)
	}
	return "`" + string(v) + "`"
}
