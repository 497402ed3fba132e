package modules_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// module is what the tests look at in a module's files.
type module struct {
	name    string
	about   string // the comment at the top of main.tf
	inputs  []value
	outputs []value
	example []string // the inputs its own tests give, line by line
	blocks  []string // types of top-level blocks, and of those in terraform {}
}

// value is an input or an output; an output has neither kind, fallback nor rules.
type value struct {
	name, kind, fallback, about string
	rules                       []string // what it must be and what is said where it is not, as written
}

func readModule(t *testing.T, name string) module {
	t.Helper()
	m := module{name: name, example: example(t, name)}
	files, err := filepath.Glob(filepath.Join(name, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		src, body := parse(t, file)
		if filepath.Base(file) == "main.tf" {
			m.about = leadingComment(src)
		}
		for _, b := range body.Blocks {
			m.add(src, b)
		}
	}
	return m
}

func (m *module) add(src []byte, b *hclsyntax.Block) {
	m.blocks = append(m.blocks, b.Type)
	switch b.Type {
	case "variable":
		m.inputs = append(m.inputs, value{b.Labels[0], written(src, b, "type"), written(src, b, "default"), description(b), rules(src, b)})
	case "output":
		m.outputs = append(m.outputs, value{name: b.Labels[0], about: description(b)})
	case "terraform":
		for _, inner := range b.Body.Blocks {
			m.blocks = append(m.blocks, inner.Type)
		}
	}
}

// example returns what is inside the variables block of a module's tests:
// inputs that are known to work.
func example(t *testing.T, name string) []string {
	t.Helper()
	src, body := parse(t, filepath.Join(name, "tests", "main.tftest.hcl"))
	for _, b := range body.Blocks {
		if b.Type == "variables" {
			inside := src[b.OpenBraceRange.End.Byte:b.CloseBraceRange.Start.Byte]
			return trimmedLines(string(inside))
		}
	}
	return nil
}

func parse(t *testing.T, file string) ([]byte, *hclsyntax.Body) {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parsed, diags := hclsyntax.ParseConfig(src, file, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return src, parsed.Body.(*hclsyntax.Body)
}

// written returns an attribute's value as it is written, put on one line.
func written(src []byte, b *hclsyntax.Block, attr string) string {
	a := b.Body.Attributes[attr]
	if a == nil {
		return ""
	}
	var line string
	for _, next := range trimmedLines(string(a.Expr.Range().SliceBytes(src))) {
		switch {
		case line == "":
		case strings.HasSuffix(line, "{"), strings.HasPrefix(next, "}"):
			line += " "
		default:
			line += ", "
		}
		line += strings.Join(strings.Fields(next), " ")
	}
	return line
}

func rules(src []byte, variable *hclsyntax.Block) (list []string) {
	for _, b := range variable.Body.Blocks {
		if b.Type == "validation" {
			list = append(list, written(src, b, "condition")+" "+written(src, b, "error_message"))
		}
	}
	return list
}

func description(b *hclsyntax.Block) string {
	a := b.Body.Attributes["description"]
	if a == nil {
		return ""
	}
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() {
		return ""
	}
	return v.AsString()
}

func leadingComment(src []byte) string {
	var said []string
	for line := range strings.Lines(string(src)) {
		text, ok := strings.CutPrefix(line, "#")
		if !ok {
			break
		}
		said = append(said, strings.TrimSpace(text))
	}
	return strings.Join(said, "\n")
}

func trimmedLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
