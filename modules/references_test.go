package modules_test

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// reference checks what an expression names of a resource.
func (c *checker) reference(e hclsyntax.Expression) {
	names, ok := pathOf(e)
	block := "resource"
	if ok && len(names) > 0 && names[0] == "data" {
		block, names = "data", names[1:]
	}
	if !ok || len(names) < 2 {
		return
	}
	provider, _, _ := strings.Cut(names[0], "_")
	if _, ours := c.schemas[provider]; !ours || names[0] == provider {
		return
	}
	address := names[0] + "." + names[1]
	if block == "data" {
		address = "data." + address
	}
	if !c.declared[address] {
		c.add(e.Range(), "%s is not declared", address)
		return
	}
	known, place := members(nil), names[0]
	known, _ = c.members(block, names[0])
	for _, name := range names[2:] {
		m, ok := known[name]
		if known != nil && !ok {
			c.add(e.Range(), "%s has no %s", place, name)
		}
		if m.of == nil {
			return
		}
		known, place = m.of, name
	}
}

// pathOf lists the names along an expression such as a.b[0].c or a.b[*].c.
func pathOf(e hclsyntax.Expression) (names []string, ok bool) {
	switch e := e.(type) {
	case *hclsyntax.AnonSymbolExpr:
		return nil, true
	case *hclsyntax.ParenthesesExpr:
		return pathOf(e.Expression)
	case *hclsyntax.IndexExpr:
		return pathOf(e.Collection)
	case *hclsyntax.SplatExpr:
		each, _ := pathOf(e.Each)
		names, ok = pathOf(e.Source)
		return append(names, each...), ok
	case *hclsyntax.RelativeTraversalExpr:
		names, ok = pathOf(e.Source)
		return append(names, attributesOf(e.Traversal)...), ok
	case *hclsyntax.ScopeTraversalExpr:
		return append([]string{e.Traversal.RootName()}, attributesOf(e.Traversal[1:])...), true
	}
	return nil, false
}

func attributesOf(t hcl.Traversal) (names []string) {
	for _, step := range t {
		if a, ok := step.(hcl.TraverseAttr); ok {
			names = append(names, a.Name)
		}
	}
	return names
}
