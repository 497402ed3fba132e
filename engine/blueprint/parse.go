package blueprint

import (
	"crypto/rand"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/cloudops-manager/cloudops/engine"
)

// blocks is what a stack's files may hold at the top.
func blocks() *hcl.BodySchema {
	return &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
		{Type: "stack", LabelNames: []string{"name"}},
		{Type: "variable", LabelNames: []string{"name"}},
		{Type: "locals"},
		{Type: "cloud", LabelNames: []string{"kind", "name"}},
		{Type: "terraform", LabelNames: []string{"name"}},
		{Type: "ansible", LabelNames: []string{"name"}},
		{Type: "upstream", LabelNames: []string{"name"}},
		{Type: "output", LabelNames: []string{"name"}},
	}}
}

// parse reads the blocks of the files in the tree's root. It goes on after a
// mistake, so that one run shows them all.
func parse(tree Tree) (*stack, hcl.Diagnostics) {
	s := &stack{
		tree: tree, texts: map[string][]byte{}, variables: map[string]*variable{},
		locals: map[string]*hcl.Attribute{}, byAddress: map[string]*component{},
		neighbours: map[string]*neighbour{},
	}
	s.functions, s.nonce = sync.OnceValue(s.functionTable), rand.Text()
	var diags hcl.Diagnostics
	for _, name := range stackFiles(tree) {
		diags = append(diags, s.file(name)...)
	}
	switch {
	case len(s.texts) == 0:
		diags = append(diags, misgiven("No stack file", "The folder holds no stack.hcl and no *.stack.hcl at its top. Describe the stack in stack.hcl."))
	case s.head == nil && !diags.HasErrors():
		diags = append(diags, misgiven("No stack block", `No file says what the stack is called. Add: stack "name" {}`))
	}
	return s, append(diags, s.duplicates()...)
}

func stackFiles(tree Tree) []string {
	var names []string
	for _, name := range tree.names() {
		if path.Dir(name) == "." && (name == "stack.hcl" || strings.HasSuffix(name, ".stack.hcl")) {
			names = append(names, name)
		}
	}
	return names
}

func (s *stack) file(name string) hcl.Diagnostics {
	body, diags := s.parseFile(name, s.tree[name].Data)
	if body == nil {
		return diags
	}
	content, more := body.Content(blocks())
	diags = append(diags, more...)
	for _, b := range content.Blocks {
		diags = append(diags, s.block(b)...)
	}
	return diags
}

// parseFile parses HCL and keeps its text for snippets. The body is nil where
// nothing of it can be used.
func (s *stack) parseFile(name string, text []byte) (hcl.Body, hcl.Diagnostics) {
	s.texts[name] = text
	if d := tooDeep(text, name); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	f, diags := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	if f == nil || f.Body == nil {
		return nil, diags
	}
	count(f.Body.(*hclsyntax.Body))
	return f.Body, diags
}

func (s *stack) block(b *hcl.Block) hcl.Diagnostics {
	switch b.Type {
	case "stack":
		return s.stackBlock(b)
	case "variable":
		return s.variableBlock(b)
	case "locals":
		return s.localsBlock(b)
	case "cloud":
		return s.cloudBlock(b)
	case "terraform":
		return s.terraformBlock(b)
	case "ansible":
		return s.ansibleBlock(b)
	case "upstream":
		return s.upstreamBlock(b)
	default:
		return s.outputBlock(b)
	}
}

func (s *stack) stackBlock(b *hcl.Block) hcl.Diagnostics {
	if s.head != nil {
		return hcl.Diagnostics{mistake(b.DefRange, "Second stack block", "The stack was already described at %s:%d. A folder describes one stack.", s.head.DefRange.Filename, s.head.DefRange.Start.Line)}
	}
	s.head, s.name = b, b.Labels[0]
	if err := engine.CheckName("stack", s.name); err != nil {
		return hcl.Diagnostics{mistake(b.LabelRanges[0], "Unusable stack name", "%v.", err)}
	}
	return nil
}

func (s *stack) localsBlock(b *hcl.Block) hcl.Diagnostics {
	attrs, diags := b.Body.JustAttributes()
	for name, a := range attrs {
		if old, dup := s.locals[name]; dup {
			first, second := order(old.NameRange, a.NameRange)
			diags = append(diags, duplicate(second, "local value", name, first))
			continue
		}
		s.locals[name] = a
	}
	return diags
}

func (s *stack) outputBlock(b *hcl.Block) hcl.Diagnostics {
	content, diags := b.Body.Content(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{
		{Name: "value", Required: true}, {Name: "description"}, {Name: "sensitive"},
	}})
	diags = append(diags, checkLabel(b, "output")...)
	d := &decoder{}
	o := &output{name: b.Labels[0], at: b.DefRange, sensitive: d.literalBool(content.Attributes["sensitive"])}
	d.literalText(content.Attributes["description"])
	if a := content.Attributes["value"]; a != nil {
		o.value = a.Expr
		s.outputs = append(s.outputs, o)
	}
	return append(diags, d.diags...)
}

// duplicates finds names that are taken twice.
func (s *stack) duplicates() (diags hcl.Diagnostics) {
	first := map[string]hcl.Range{}
	check := func(what, name string, at hcl.Range) {
		if before, dup := first[what+" "+name]; dup {
			diags = append(diags, duplicate(at, what, name, before))
			return
		}
		first[what+" "+name] = at
	}
	for _, c := range s.clouds {
		check("cloud", c.kind+"."+c.label, c.at)
	}
	for _, c := range s.components {
		check("component", c.address(), c.at)
	}
	for _, o := range s.outputs {
		check("output", o.name, o.at)
	}
	return diags
}

func duplicate(at hcl.Range, what, name string, before hcl.Range) *hcl.Diagnostic {
	article := "a"
	if strings.ContainsAny(what[:1], "aeiou") {
		article = "an"
	}
	return mistake(at, "Duplicate "+what, "There is %s %s %q already at %s:%d. Rename or remove one of them.", article, what, name, before.Filename, before.Start.Line)
}

// order returns the earlier of two places first.
func order(a, b hcl.Range) (hcl.Range, hcl.Range) {
	if b.Filename < a.Filename || b.Filename == a.Filename && b.Start.Byte < a.Start.Byte {
		return b, a
	}
	return a, b
}

var labelRule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,62}$`) })

// checkLabel refuses a name that an expression could not refer to. The name is
// the last label.
func checkLabel(b *hcl.Block, what string) hcl.Diagnostics {
	i := len(b.Labels) - 1
	if labelRule().MatchString(b.Labels[i]) {
		return nil
	}
	return hcl.Diagnostics{mistake(b.LabelRanges[i], "Unusable name", "%q cannot name a block of type %s: use up to 63 letters, digits, _ and -, with a letter first.", b.Labels[i], what)}
}
