package modules_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/cloudops-manager/cloudops/modules"
)

// schema is what a provider knows, as schema/extract.mjs writes it.
type schema struct {
	Resource map[string]members `json:"resource"`
	Data     map[string]members `json:"data"`
}

// members are what a resource, or a block in it, has by name.
type members map[string]member

// member is an attribute, or a block with members of its own.
type member struct {
	is []string // words such as required, computed, block and one
	of members  // nil for a plain attribute
}

func (m member) has(word string) bool { return slices.Contains(m.is, word) }

func (m *member) UnmarshalJSON(b []byte) error {
	var plain string
	if json.Unmarshal(b, &plain) == nil {
		m.is = strings.Fields(plain)
		return nil
	}
	var nested struct {
		Is string  `json:"is"`
		Of members `json:"of"`
	}
	err := json.Unmarshal(b, &nested)
	m.is, m.of = strings.Fields(nested.Is), nested.Of
	return err
}

func readSchemas(t *testing.T) map[string]schema {
	t.Helper()
	all := map[string]schema{}
	for _, provider := range []string{"azurerm", "google", "random"} {
		b, err := os.ReadFile(filepath.Join("schema", provider+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var s schema
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatal(provider, err)
		}
		all[provider] = s
	}
	return all
}

func TestModulesFitTheSchemasOfTheirProviders(t *testing.T) {
	schemas := readSchemas(t)
	for _, name := range modules.Names() {
		if cloud := path.Dir(name); cloud != "azure" && cloud != "gcp" {
			continue
		}
		files, err := filepath.Glob(filepath.Join(name, "*.tf"))
		if err != nil {
			t.Fatal(err)
		}
		c := newChecker(schemas)
		for _, file := range files {
			_, body := parse(t, file)
			c.declare(body)
		}
		for _, found := range c.check() {
			t.Errorf("%s: %s", name, found)
		}
	}
}

func TestTheSchemaCheckFindsMistakes(t *testing.T) {
	const good = `resource "random_password" "x" { length = 8 }
resource "azurerm_dns_a_record" "x" {
  count               = 2
  name                = random_password.x.result
  resource_group_name = "g"
  ttl                 = 300
  zone_name           = "z"
  lifecycle { ignore_changes = [tags] }
}
output "o" { value = azurerm_dns_a_record.x[*].fqdn }
`
	tests := map[string]struct{ from, to, want string }{
		"nothing wrong":                {"", "", ""},
		"an unknown resource":          {`"azurerm_dns_a_record" "x"`, `"azurerm_dns_b_record" "x"`, "no resource azurerm_dns_b_record"},
		"an unknown attribute":         {"zone_name           =", "zone_nmae           =", "azurerm_dns_a_record has no zone_nmae"},
		"a missing argument":           {"  ttl                 = 300\n", "", "azurerm_dns_a_record needs ttl"},
		"an attribute that is read":    {"ttl                 = 300", "ttl                 = 300\n  fqdn = \"x\"", "fqdn of azurerm_dns_a_record can only be read"},
		"an unknown block":             {"lifecycle {", "lifecicle {", "azurerm_dns_a_record has no block lifecicle"},
		"an unknown part of a block":   {"ttl                 = 300", "ttl                 = 300\n  timeouts { creat = \"1h\" }", "timeouts has no creat"},
		"the same in a dynamic block":  {"ttl                 = 300", "ttl                 = 300\n  dynamic \"timeouts\" {\n for_each = []\n content { creat = \"1h\" }\n }", "timeouts has no creat"},
		"a block that may be once":     {"ttl                 = 300", "ttl                 = 300\n  timeouts {}\n  timeouts {}", "timeouts more than once"},
		"a reference to nothing":       {"random_password.x.result", "random_password.y.result", "random_password.y is not declared"},
		"a reference to no attribute":  {"random_password.x.result", "random_password.x.value", "random_password has no value"},
		"an unknown attribute of many": {"x[*].fqdn", "x[*].fqdm", "azurerm_dns_a_record has no fqdm"},
		"the same of one of them":      {"x[*].fqdn", "x[0].fqdm", "azurerm_dns_a_record has no fqdm"},
	}
	schemas := readSchemas(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			parsed, diags := hclsyntax.ParseConfig([]byte(strings.Replace(good, tt.from, tt.to, 1)), "main.tf", hcl.InitialPos)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			c := newChecker(schemas)
			c.declare(parsed.Body.(*hclsyntax.Body))
			found := strings.Join(c.check(), "\n")
			if tt.want == "" && found != "" || !strings.Contains(found, tt.want) {
				t.Errorf("found %q, want %q", found, tt.want)
			}
		})
	}
}

// checker holds a module's resources against schemas.
type checker struct {
	schemas  map[string]schema
	bodies   []*hclsyntax.Body
	declared map[string]bool // "random_password.x", "data.azurerm_location.here"
	found    []string
}

func newChecker(schemas map[string]schema) *checker {
	return &checker{schemas: schemas, declared: map[string]bool{}}
}

func (c *checker) declare(body *hclsyntax.Body) {
	c.bodies = append(c.bodies, body)
	for _, b := range body.Blocks {
		switch b.Type {
		case "resource":
			c.declared[b.Labels[0]+"."+b.Labels[1]] = true
		case "data":
			c.declared["data."+b.Labels[0]+"."+b.Labels[1]] = true
		}
	}
}

func (c *checker) check() []string {
	for _, body := range c.bodies {
		for _, b := range body.Blocks {
			if b.Type == "resource" || b.Type == "data" {
				c.resource(b)
			}
		}
		_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
			if e, ok := n.(hclsyntax.Expression); ok {
				c.reference(e)
			}
			return nil
		})
	}
	return c.found
}

func (c *checker) add(at hcl.Range, format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf("%s:%d: ", filepath.Base(at.Filename), at.Start.Line)+fmt.Sprintf(format, args...))
}

// members finds what a resource has; false for one of Terraform's own.
func (c *checker) members(block, kind string) (members, bool) {
	provider, _, _ := strings.Cut(kind, "_")
	s := c.schemas[provider]
	if block == "data" {
		return s.Data[kind], provider != "terraform"
	}
	return s.Resource[kind], provider != "terraform"
}

func (c *checker) resource(b *hclsyntax.Block) {
	known, ours := c.members(b.Type, b.Labels[0])
	switch {
	case !ours:
	case known == nil:
		c.add(b.DefRange(), "there is no %s %s", b.Type, b.Labels[0])
	default:
		c.body(b.Labels[0], b.Body, known, "count", "for_each", "depends_on", "provider", "lifecycle")
	}
}

// body checks what a block has and lacks; meta names what Terraform adds.
func (c *checker) body(place string, body *hclsyntax.Body, known members, meta ...string) {
	given := map[string]int{}
	for name, a := range body.Attributes {
		given[name]++
		m, ok := known[name]
		switch {
		case slices.Contains(meta, name):
		case !ok:
			c.add(a.SrcRange, "%s has no %s", place, name)
		case m.has("computed") && !m.has("optional"):
			c.add(a.SrcRange, "%s of %s can only be read", name, place)
		case m.has("block"):
			c.add(a.SrcRange, "%s of %s is a block", name, place)
		}
	}
	for _, b := range body.Blocks {
		name, inner := b.Type, b.Body
		if name == "dynamic" {
			name, inner = b.Labels[0], contentOf(b)
		}
		given[name]++
		c.block(place, name, b, inner, known, meta)
	}
	for name, m := range known {
		switch {
		case m.has("required") && given[name] == 0:
			c.add(body.SrcRange, "%s needs %s", place, name)
		case m.of != nil && (m.has("one") || m.has("single")) && given[name] > 1:
			c.add(body.SrcRange, "%s has %s more than once", place, name)
		}
	}
}

func (c *checker) block(place, name string, b *hclsyntax.Block, inner *hclsyntax.Body, known members, meta []string) {
	m, ok := known[name]
	switch {
	case slices.Contains(meta, name):
	case !ok || !m.has("block"):
		c.add(b.DefRange(), "%s has no block %s", place, name)
	case inner != nil:
		c.body(name, inner, m.of)
	}
}

func contentOf(dynamic *hclsyntax.Block) *hclsyntax.Body {
	for _, b := range dynamic.Body.Blocks {
		if b.Type == "content" {
			return b.Body
		}
	}
	return nil
}
