package blueprint

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// reference is what a traversal such as terraform.web.outputs.url refers to.
type reference struct {
	root   string // var, local, cloud, terraform, upstream or path
	name   string
	cloud  *cloud
	part   *component // of terraform
	family *family    // all instances of a block, where none is named
	output string     // of part, where empty means all of them, or of another stack
	at     hcl.Range
}

// use is one place where an expression rests on an output of a component, or
// on a variable.
type use struct {
	variable        string
	address, output string
	at              hcl.Range
}

// resolve finds what a traversal refers to, or says why there is no such thing.
func (s *stack) resolve(t hcl.Traversal) (reference, *hcl.Diagnostic) {
	names := staticNames(t)
	ref := reference{root: t.RootName(), at: t.SourceRange()}
	switch ref.root {
	case "var":
		return resolveIn(ref, names, "variable", s.variables)
	case "local":
		return resolveIn(ref, names, "local value", s.locals)
	case "path":
		return resolveIn(ref, names, "path", map[string]bool{"module": true, "root": true})
	case "cloud":
		return s.resolveCloud(ref, names)
	case "terraform":
		return s.resolveOutput(ref, names)
	case "upstream":
		return s.resolveNeighbour(ref, names)
	}
	return ref, s.unknownRoot(ref)
}

func (s *stack) unknownRoot(ref reference) *hcl.Diagnostic {
	switch ref.root {
	case "ansible":
		return mistake(ref.at, "Unknown reference", "A playbook has no outputs. To run after it, name it in depends_on.")
	case "each":
		return mistake(ref.at, "Unknown reference", "each is there only in a component that has for_each.")
	case "count", "self":
		return mistake(ref.at, "Unknown reference", "%s is not there in a stack. A component can have for_each, and its instances each.key and each.value.", ref.root)
	}
	known := []string{"var", "local", "terraform", "upstream", "cloud", "path"}
	hint := didYouMean(ref.root, append(known, "locals", "variable"))
	if s.component("terraform."+ref.root) != nil {
		hint = " Did you mean \"terraform." + ref.root + ".outputs\"?"
	}
	return mistake(ref.at, "Unknown reference", "There is nothing called %q. Expressions refer to var.<name>, local.<name>, cloud.<kind>.<name>, terraform.<component>.outputs.<name> and upstream.<name>.outputs.<output>.%s", ref.root, hint)
}

// resolveIn looks a name up among what there is.
func resolveIn[T any](ref reference, names []string, what string, known map[string]T) (reference, *hcl.Diagnostic) {
	if len(names) == 0 {
		return ref, mistake(ref.at, "Incomplete reference", "Name the %s, as in %s.<name>.", what, ref.root)
	}
	ref.name = names[0]
	if _, ok := known[ref.name]; !ok {
		return ref, mistake(ref.at, "Unknown "+what, "There is no %s %q in the stack.%s", what, ref.name, didYouMean(ref.name, slices.Sorted(maps.Keys(known))))
	}
	return ref, nil
}

func (s *stack) resolveCloud(ref reference, names []string) (reference, *hcl.Diagnostic) {
	if len(names) < 2 {
		return ref, mistake(ref.at, "Incomplete reference", "Name a cloud block by both of its labels, as in cloud.aws.main.")
	}
	var known []string
	for _, c := range s.clouds {
		if c.kind == names[0] && c.label == names[1] {
			ref.cloud = c
			return ref, nil
		}
		known = append(known, c.address())
	}
	address := "cloud." + names[0] + "." + names[1]
	return ref, mistake(ref.at, "Unknown cloud", "There is no block %s in the stack; there is %s.%s", address, oneOf(known), didYouMean(address, known))
}

func (s *stack) resolveOutput(ref reference, names []string) (reference, *hcl.Diagnostic) {
	if len(names) == 0 {
		return ref, mistake(ref.at, "Incomplete reference", "Refer to an output of a component, as in terraform.<component>.outputs.<name>.")
	}
	ref.name = names[0]
	address := "terraform." + ref.name
	if f := s.families[address]; f != nil {
		return s.resolveInstance(ref, f, names)
	}
	if ref.part = s.component(address); ref.part == nil {
		return ref, mistake(ref.at, "Unknown component", "There is no component %q in the stack.%s", address, didYouMean(address, s.addresses()))
	}
	return s.resolveOutputs(ref, names[1:])
}

// resolveOutputs takes the rest of a reference to a component.
func (s *stack) resolveOutputs(ref reference, names []string) (reference, *hcl.Diagnostic) {
	if len(names) == 0 || names[0] != "outputs" {
		return ref, mistake(ref.at, "Incomplete reference", "Only the outputs of a component can be referred to: write %s.outputs.%s.", ref.part.address(), suggestedOutput(append([]string{""}, names...)))
	}
	if len(names) > 1 {
		ref.output = names[1]
		return ref, s.checkOutput(ref, ref.part.address())
	}
	return ref, nil
}

func suggestedOutput(names []string) string {
	if len(names) > 1 {
		return names[len(names)-1]
	}
	return "<name>"
}

// checkOutput looks an output up in the component's module, where that is known.
func (s *stack) checkOutput(ref reference, address string) *hcl.Diagnostic {
	m := s.modules[address]
	if m == nil {
		return nil
	}
	if _, ok := m.outputs[ref.output]; ok {
		return nil
	}
	known := slices.Sorted(maps.Keys(m.outputs))
	return mistake(ref.at, "Unknown output", "The module of %s has no output %q; it has %s.%s", address, ref.output, oneOf(known), didYouMean(ref.output, known))
}

// staticNames lists the names after the root, as far as they are written out.
func staticNames(t hcl.Traversal) []string {
	var names []string
	for _, step := range t[min(1, len(t)):] {
		switch step := step.(type) {
		case hcl.TraverseAttr:
			names = append(names, step.Name)
		case hcl.TraverseIndex:
			if step.Key.Type().FriendlyName() != "string" || !step.Key.IsKnown() || step.Key.IsNull() {
				return names
			}
			names = append(names, step.Key.AsString())
		default:
			return names
		}
	}
	return names
}

// uses lists the outputs and variables that the expression rests on, through
// locals and cloud blocks too.
func (sc *scope) uses(expr hcl.Expression) []use {
	var all []use
	for _, t := range sc.traversals(expr) {
		ref, d := sc.resolve(t)
		if d != nil {
			continue
		}
		for _, o := range sc.usesOf(ref) {
			o.at = ref.at
			all = append(all, o)
		}
	}
	return all
}

func (sc *scope) usesOf(ref reference) []use {
	switch ref.root {
	case "var":
		return []use{{variable: ref.name}}
	case "terraform":
		return sc.outputUses(ref)
	case "upstream":
		return []use{{address: sc.neighbours[ref.name].address(), output: ref.output, at: ref.at}}
	case "local":
		return sc.usesOnce("local."+ref.name, sc.locals[ref.name].Expr)
	case "cloud":
		var all []use
		for _, a := range ref.cloud.attributes {
			all = append(all, sc.usesOnce(ref.cloud.address()+"."+a.Name, a.Expr)...)
		}
		return all
	}
	return nil
}

// usesOnce remembers what a named expression rests on. A cycle, which eval
// reports, ends here.
func (sc *scope) usesOnce(name string, expr hcl.Expression) []use {
	if uses, ok := sc.used[name]; ok {
		return uses
	}
	sc.used[name] = nil
	uses := sc.uses(expr)
	sc.used[name] = uses
	return uses
}

// outputUses spells out a reference to all outputs of a component, or of all
// instances of one.
func (sc *scope) outputUses(ref reference) []use {
	if ref.output != "" {
		return []use{{address: ref.part.address(), output: ref.output, at: ref.at}}
	}
	parts := []*component{ref.part}
	if ref.family != nil {
		parts = ref.family.instances
	}
	var all []use
	for _, part := range parts {
		if m := sc.modules[part.address()]; m != nil {
			for _, name := range slices.Sorted(maps.Keys(m.outputs)) {
				all = append(all, use{address: part.address(), output: name, at: ref.at})
			}
		}
	}
	return all
}
