package blueprint

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// family is a block with for_each: a component for every key.
type family struct {
	instances []*component
	open      bool // the keys are not known, for want of a variable's value, or wrong
}

// instance returns the component with the key, or nil.
func (f *family) instance(key string) *component {
	for _, c := range f.instances {
		if c.key == key || f.open {
			return c
		}
	}
	return nil
}

func (f *family) keys() []string {
	keys := make([]string, len(f.instances))
	for i, c := range f.instances {
		keys[i] = c.key
	}
	return keys
}

// each is what a component's own expressions call each.
type each struct{ key, value cty.Value }

// keyRule is what stands well in addresses, in the names of folders and in tags.
var keyRule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`) })

// anyKey stands for a key that is not known.
const anyKey = "..."

// expand puts, in the place of each block with for_each, its instances.
func (d *decoder) expand(s *stack) {
	blocks, families := s.components, map[string]*family{}
	var all []*component
	for _, c := range blocks {
		instances := []*component{c}
		if a := c.attrs["for_each"]; a != nil {
			f := d.family(c, a)
			families[c.address()], instances = f, f.instances
		}
		all = append(all, instances...)
	}
	s.families, s.components, s.byAddress = families, all, map[string]*component{}
	for i, c := range all {
		c.position = i
		if s.byAddress[c.address()] == nil {
			s.byAddress[c.address()] = c
		}
	}
	if len(all) > MaxComponents {
		d.mistake(all[MaxComponents].at, "Too many components", "With all instances of for_each the stack has %d components, of at most %d. Split it into several.", len(all), MaxComponents)
		s.components = all[:MaxComponents] // the rest would take its time
	}
}

// family makes the instances of a block.
func (d *decoder) family(c *component, a *hcl.Attribute) *family {
	told := len(d.diags)
	v, ok := d.value(a, cty.DynamicPseudoType, "a map, or a set of texts")
	if !ok {
		f := &family{open: true}
		if len(d.diags) == told {
			f.instances = []*component{c.of(anyKey, each{cty.UnknownVal(cty.String), cty.DynamicVal})}
		}
		return f
	}
	t, f := v.Type(), &family{}
	if !t.IsMapType() && !t.IsObjectType() && !(t.IsSetType() && (t.ElementType() == cty.String || v.LengthInt() == 0)) {
		d.mistake(a.Expr.Range(), "Wrong type", "for_each is a map, or a set of texts. Make a set of a list with toset, as in: for_each = toset([\"eu\", \"us\"])")
		return &family{open: true}
	}
	if n := v.LengthInt(); n > MaxComponents {
		d.mistake(a.Expr.Range(), "Too many components", "for_each has %d keys, and a stack at most %d components. Split it into several.", n, MaxComponents)
		return &family{open: true}
	}
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if t.IsSetType() {
			key = value
		}
		if !keyRule().MatchString(key.AsString()) {
			d.mistake(a.Expr.Range(), "Unusable key", "%q cannot name an instance of %s: use up to 63 letters, digits, dots, _ and -, with a letter or digit at both ends.", key.AsString(), c.address())
			f.open = true
			continue
		}
		f.instances = append(f.instances, c.of(key.AsString(), each{key, value}))
	}
	return f
}

// of is the instance of a block for a key.
func (c *component) of(key string, e each) *component {
	in := *c
	in.key, in.each = key, e
	return &in
}

// in is the scope of a component's own expressions, in which each is its own.
func (sc *scope) in(c *component) *scope {
	own := *sc
	own.part = c
	return &own
}

// resolve finds what a traversal refers to, or says why there is no such thing.
func (sc *scope) resolve(t hcl.Traversal) (reference, *hcl.Diagnostic) {
	if t.RootName() != "each" || sc.part == nil || sc.part.key == "" {
		return sc.stack.resolve(t)
	}
	ref := reference{root: "each", at: t.SourceRange()}
	if names := staticNames(t); len(names) > 0 && (names[0] == "key" || names[0] == "value") {
		ref.name = names[0]
		return ref, nil
	}
	return ref, mistake(ref.at, "Unknown reference", "Of an instance there is each.key and each.value.")
}

// fixed turns an expression such as cloud.aws[each.key] into a traversal with
// the keys that it has here; ok is false where they are not known, or it is
// another kind of expression.
func (sc *scope) fixed(expr hcl.Expression) (t hcl.Traversal, ok bool) {
	switch e := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return e.Traversal, true
	case *hclsyntax.RelativeTraversalExpr:
		t, ok = sc.fixed(e.Source)
		return append(slices.Clone(t), e.Traversal...), ok
	case *hclsyntax.IndexExpr:
		if t, ok = sc.fixed(e.Collection); !ok {
			return nil, false
		}
		key, diags := sc.eval(e.Key)
		key, _ = key.Unmark()
		if diags.HasErrors() || !key.IsKnown() || key.IsNull() || key.Type() != cty.String {
			return nil, false
		}
		return append(slices.Clone(t), hcl.TraverseIndex{Key: key, SrcRange: e.SrcRange}), true
	}
	return nil, false
}

// traversals lists what an expression refers to. Where it picks an instance by
// a key that is known here, it is that instance and not all of them.
func (sc *scope) traversals(expr hcl.Expression) []hcl.Traversal {
	all := expr.Variables()
	node, ok := expr.(hclsyntax.Node)
	if !ok || len(sc.families) == 0 {
		return all
	}
	picked := map[hcl.Range]hcl.Traversal{} // by where they begin
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if e, ok := n.(hclsyntax.Expression); ok {
			if t, ok := sc.fixed(e); ok && picked[t[0].SourceRange()] == nil {
				picked[t[0].SourceRange()] = t
			}
		}
		return nil
	})
	for i, t := range all {
		if p := picked[t[0].SourceRange()]; p != nil {
			all[i] = p
		}
	}
	return all
}

// resolveInstance finds which instance of a family is meant, or that all are.
func (s *stack) resolveInstance(ref reference, f *family, names []string) (reference, *hcl.Diagnostic) {
	if len(names) == 1 {
		ref.family = f
		return ref, nil
	}
	address := "terraform." + ref.name
	if ref.part = f.instance(names[1]); ref.part == nil {
		if f.open {
			ref.family = f
			return ref, nil
		}
		if names[1] == "outputs" {
			return ref, mistake(ref.at, "Incomplete reference", "%s has for_each: name an instance, as in %s[%q].outputs.%s, or go through all of them with a for expression.", address, address, strings.Join(f.keys()[:min(1, len(f.keys()))], ""), suggestedOutput(names))
		}
		return ref, mistake(ref.at, "Unknown instance", "There is no %s[%q]; there is %s.%s", address, names[1], oneOf(f.keys()), didYouMean(names[1], f.keys()))
	}
	return s.resolveOutputs(ref, names[2:])
}
