package blueprint

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/cloudops-manager/cloudops/engine"
)

// connect fills in what each component refers to and needs.
func (sc *scope) connect() (diags hcl.Diagnostics) {
	for _, c := range sc.components {
		needs := map[string]bool{}
		c.refs = sc.in(c).refsOf(c)
		for _, r := range c.refs {
			if sc.component(r.Upstream) != nil { // and not another stack
				needs[r.Upstream] = true
			}
		}
		for _, dep := range c.dependsOn {
			needs[dep.address] = true
		}
		if needs[c.address()] {
			diags = append(diags, mistake(sc.in(c).selfReference(c), "Self reference", "%s refers to itself. Take the reference out.", c.address()))
			delete(needs, c.address())
		}
		c.needs = sc.inOrder(needs)
	}
	return diags
}

// refsOf lists what a component's inputs are made from, each once.
func (sc *scope) refsOf(c *component) []engine.Ref {
	var refs []engine.Ref
	for _, p := range c.places() {
		for _, u := range sc.uses(p.expr) {
			r := engine.Ref{Input: p.input, Upstream: u.address, Output: u.output}
			if u.address != "" && !slices.Contains(refs, r) {
				refs = append(refs, r)
			}
		}
	}
	return refs
}

func (sc *scope) selfReference(c *component) hcl.Range {
	for _, dep := range c.dependsOn {
		if dep.address == c.address() {
			return dep.at
		}
	}
	for _, p := range c.places() {
		for _, u := range sc.uses(p.expr) {
			if u.address == c.address() {
				return u.at
			}
		}
	}
	return c.at
}

// inOrder lists addresses as the sources have them.
func (s *stack) inOrder(addresses map[string]bool) []string {
	var list []string
	for address := range addresses {
		list = append(list, address)
	}
	slices.SortFunc(list, func(a, b string) int { return s.component(a).position - s.component(b).position })
	return list
}

// arrange brings the components into an order in which each follows what it
// needs, and otherwise into that of the sources.
func (s *stack) arrange() hcl.Diagnostics {
	w := &walk{stack: s, state: map[string]int{}}
	for _, c := range s.components {
		w.visit(c)
	}
	if !w.diags.HasErrors() {
		s.components = w.order
	}
	return w.diags
}

// walk goes through the graph depth first.
type walk struct {
	*stack
	state map[string]int // 0 not seen, 1 on the path, 2 done
	path  []string
	order []*component
	diags hcl.Diagnostics
}

func (w *walk) visit(c *component) {
	address := c.address()
	if w.component(address) != c { // a duplicate, which is told elsewhere
		return
	}
	switch w.state[address] {
	case 1:
		w.cycle(c)
		return
	case 2:
		return
	}
	w.state[address] = 1
	w.path = append(w.path, address)
	for _, need := range c.needs {
		w.visit(w.component(need))
	}
	w.path = w.path[:len(w.path)-1]
	w.state[address] = 2
	w.order = append(w.order, c)
}

func (w *walk) cycle(c *component) {
	members := w.path[slices.Index(w.path, c.address()):]
	around := append(slices.Clone(members), members[0])
	w.diags = append(w.diags, mistake(c.at, "Cycle", "These components need each other, and none can come first: %s. Take one of the references out.", strings.Join(around, " -> ")))
}
