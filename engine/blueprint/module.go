package blueprint

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
)

// module is what the engine has to know of a Terraform module: the interface
// that a component uses, and what a component must not have.
type module struct {
	variables map[string]*variable
	outputs   map[string]bool // name to whether it is sensitive
	children  []child
	backends  []hcl.Range // of backend and cloud blocks
	// overrides are the provider blocks without an alias in files that amend
	// others, by the provider's name.
	overrides map[string][]hcl.Range
}

// child is a module block.
type child struct {
	source string
	at     hcl.Range
}

// moduleFile reports whether Terraform reads the file as part of a module.
func moduleFile(name string) bool {
	return hasSuffix(name, []string{".tf", ".tf.json"}) && !strings.HasPrefix(path.Base(name), ".")
}

// override reports whether the file's blocks amend those of other files.
func override(name string) bool {
	base := strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".json"), ".tf")
	return base == "override" || strings.HasSuffix(base, "_override")
}

// readModule reads the files of one folder, those that amend others last.
func (s *stack) readModule(files map[string][]byte) (*module, hcl.Diagnostics) {
	m := &module{variables: map[string]*variable{}, outputs: map[string]bool{}, overrides: map[string][]hcl.Range{}}
	var diags hcl.Diagnostics
	for _, late := range []bool{false, true} {
		for _, name := range sortedKeys(files) {
			if override(name) == late {
				diags = append(diags, s.readModuleFile(m, name, files[name])...)
			}
		}
	}
	return m, diags
}

func (s *stack) readModuleFile(m *module, name string, text []byte) hcl.Diagnostics {
	body, diags := s.parseModuleFile(name, text)
	if body == nil {
		return diags
	}
	content, _, more := body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
		{Type: "variable", LabelNames: []string{"name"}},
		{Type: "output", LabelNames: []string{"name"}},
		{Type: "module", LabelNames: []string{"name"}},
		{Type: "provider", LabelNames: []string{"name"}},
		{Type: "terraform"},
	}})
	diags = append(diags, more...)
	for _, b := range content.Blocks {
		diags = append(diags, m.block(b)...)
	}
	return diags
}

func (s *stack) parseModuleFile(name string, text []byte) (hcl.Body, hcl.Diagnostics) {
	if !strings.HasSuffix(name, ".json") {
		return s.parseFile(name, text)
	}
	s.texts[name] = text
	if !json.Valid(text) { // also where it nests too deeply
		at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
		return nil, hcl.Diagnostics{mistake(at, "Not JSON", "The file cannot be read as JSON.")}
	}
	f, diags := hcljson.Parse(text, name)
	if f == nil {
		return nil, diags
	}
	return f.Body, diags
}

func (m *module) block(b *hcl.Block) hcl.Diagnostics {
	switch b.Type {
	case "variable":
		return m.variableBlock(b)
	case "output":
		return m.outputBlock(b)
	case "module":
		return m.moduleBlock(b)
	case "provider":
		return m.providerBlock(b)
	default:
		return m.terraformBlock(b)
	}
}

func (m *module) variableBlock(b *hcl.Block) hcl.Diagnostics {
	content, _, diags := b.Body.PartialContent(&hcl.BodySchema{Attributes: variableSchema().Attributes})
	v, more := decodeVariable(b, content)
	if before := m.variables[v.name]; before != nil {
		v.amend(before, content.Attributes)
	}
	m.variables[v.name] = v
	return append(diags, more...)
}

// amend keeps what an override file does not say.
func (v *variable) amend(before *variable, said hcl.Attributes) {
	if said["type"] == nil {
		v.kind, v.defaults = before.kind, before.defaults
	}
	if said["default"] == nil {
		v.fallback = before.fallback
	}
	if said["sensitive"] == nil {
		v.sensitive = before.sensitive
	}
	if said["nullable"] == nil {
		v.nullable = before.nullable
	}
}

func (m *module) outputBlock(b *hcl.Block) hcl.Diagnostics {
	content, _, diags := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "sensitive"}}})
	d := &decoder{}
	secret := d.literalBool(content.Attributes["sensitive"])
	m.outputs[b.Labels[0]] = secret || m.outputs[b.Labels[0]]
	return append(diags, d.diags...)
}

func (m *module) moduleBlock(b *hcl.Block) hcl.Diagnostics {
	content, _, diags := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "source"}}})
	a := content.Attributes["source"]
	if a == nil {
		return diags
	}
	if v, problems := a.Expr.Value(nil); !problems.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
		m.children = append(m.children, child{v.AsString(), a.Expr.Range()})
	}
	return diags
}

func (m *module) providerBlock(b *hcl.Block) hcl.Diagnostics {
	content, _, diags := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "alias"}}})
	if override(b.DefRange.Filename) && content.Attributes["alias"] == nil {
		m.overrides[b.Labels[0]] = append(m.overrides[b.Labels[0]], b.DefRange)
	}
	return diags
}

func (m *module) terraformBlock(b *hcl.Block) hcl.Diagnostics {
	content, _, diags := b.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
		{Type: "backend", LabelNames: []string{"type"}}, {Type: "cloud"},
	}})
	for _, inner := range content.Blocks {
		m.backends = append(m.backends, inner.DefRange)
	}
	return diags
}

// local reports whether the module block's source is a folder beside it.
func (c child) local() bool {
	return strings.HasPrefix(c.source, "./") || strings.HasPrefix(c.source, "../")
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
