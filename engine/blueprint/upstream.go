package blueprint

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/cloudops-manager/cloudops/engine"
)

// neighbour is an upstream block: another stack whose outputs are read.
type neighbour struct {
	name  string
	at    hcl.Range
	attrs hcl.Attributes

	stack   string
	stackAt hcl.Range
	trigger bool
	reads   map[string]hcl.Range // outputs that are referred to, and where
}

func (n *neighbour) address() string { return engine.Upstream{Name: n.name}.Address() }

func (s *stack) upstreamBlock(b *hcl.Block) hcl.Diagnostics {
	d := &decoder{}
	n := &neighbour{name: b.Labels[0], at: b.DefRange, reads: map[string]hcl.Range{}}
	n.attrs, _ = d.content(b, []string{"stack", "trigger"})
	d.add(checkLabel(b, "upstream"))
	n.trigger = d.literalBool(n.attrs["trigger"])
	if before, dup := s.neighbours[n.name]; dup {
		d.diags = append(d.diags, duplicate(n.at, "upstream", n.name, before.at))
		return d.diags
	}
	s.neighbours[n.name] = n
	return d.diags
}

// resolveUpstream works out which stack a block stands for: the one named like
// it, where it says nothing else.
func (d *decoder) resolveUpstream(s *stack, n *neighbour) {
	n.stack, n.stackAt = n.name, n.at
	if a := n.attrs["stack"]; a != nil {
		n.stack, n.stackAt = d.text(a), a.Expr.Range()
	}
	switch {
	case n.stack == "": // told, or a variable without a value
	case n.stack == s.name:
		d.mistake(n.stackAt, "Self reference", "A stack cannot read its own outputs. Refer to its components, as in terraform.<component>.outputs.<name>.")
	default:
		if err := engine.CheckName("stack", n.stack); err != nil {
			n.stack = ""
			d.mistake(n.stackAt, "Unusable stack name", "%v. Say which stack is meant, as in: stack = \"shared-network\"", err)
		}
	}
}

// resolveNeighbour finds which output of another stack is meant.
func (s *stack) resolveNeighbour(ref reference, names []string) (reference, *hcl.Diagnostic) {
	if len(names) < 3 || names[1] != "outputs" {
		return ref, mistake(ref.at, "Incomplete reference", "Refer to an output of another stack by its upstream block, as in upstream.<name>.outputs.<output>.")
	}
	ref, problem := resolveIn(ref, names, "upstream", s.neighbours)
	ref.output = names[2]
	return ref, problem
}

// reading notes what is read of other stacks, and where.
func (sc *scope) reading() {
	note := func(uses []use) {
		for _, u := range uses {
			if name, ok := strings.CutPrefix(u.address, "upstream."); ok {
				sc.neighbours[name].reads[u.output] = u.at
			}
		}
	}
	for _, c := range sc.components {
		own := sc.in(c)
		for _, p := range c.places() {
			note(own.uses(p.expr))
		}
	}
	for _, o := range sc.outputs {
		note(sc.uses(o.value))
	}
}

// upstreams tells the engine which stacks are read.
func (s *stack) upstreams() (list []engine.Upstream) {
	for _, name := range sortedKeys(s.neighbours) {
		n := s.neighbours[name]
		list = append(list, engine.Upstream{Name: name, Stack: n.stack, Trigger: n.trigger, Outputs: sortedKeys(n.reads)})
	}
	return list
}

// checkUpstreams looks up the stacks that are read. Without a server there is
// nothing to look in.
func (c *Compiler) checkUpstreams(ctx context.Context, s *stack) (diags hcl.Diagnostics, err error) {
	if c.Stack == nil {
		return nil, nil
	}
	for _, name := range sortedKeys(s.neighbours) {
		n := s.neighbours[name]
		if n.stack == "" || n.stack == s.name {
			continue
		}
		bp, err := c.Stack(ctx, n.stack)
		if errors.Is(err, engine.ErrNotFound) {
			diags = append(diags, mistake(n.stackAt, "Unknown stack", "There is no stack %q with a revision. Submit it first, or correct the name.", n.stack))
			continue
		}
		if err != nil {
			return nil, err
		}
		diags = append(diags, n.unknownOutputs(bp)...)
		circle, err := c.circle(ctx, bp, s.name, []string{s.name})
		if err != nil {
			return nil, err
		}
		if circle != nil {
			diags = append(diags, mistake(n.at, "Cycle", "These stacks read each other, and none can come first: %s. Take one of the upstream blocks out.", strings.Join(circle, " -> ")))
		}
	}
	return diags, nil
}

// unknownOutputs finds references to what the other stack does not put out.
func (n *neighbour) unknownOutputs(bp *engine.Blueprint) (diags hcl.Diagnostics) {
	for _, output := range slices.Sorted(maps.Keys(n.reads)) {
		if !slices.Contains(bp.Outputs, output) {
			known := slices.Sorted(slices.Values(bp.Outputs))
			diags = append(diags, mistake(n.reads[output], "Unknown output", "Stack %s has no output %q; it has %s.%s", n.stack, output, oneOf(known), didYouMean(output, known)))
		}
	}
	return diags
}

// circle follows what a stack reads until it comes back to the one named start,
// and gives the way there; nil where it never does.
func (c *Compiler) circle(ctx context.Context, bp *engine.Blueprint, start string, path []string) ([]string, error) {
	if slices.Contains(path[1:], bp.Name) { // seen on this way; that circle is not ours
		return nil, nil
	}
	path = append(slices.Clone(path), bp.Name)
	for _, u := range bp.Upstreams {
		if u.Stack == start {
			return append(path, start), nil
		}
		next, err := c.Stack(ctx, u.Stack)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if found, err := c.circle(ctx, next, start, path); found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}
