package blueprint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/cloudops-manager/cloudops/engine"
)

// DOT draws the graph of a stack in the language of Graphviz: an arrow from
// each component to what it needs, dashed where it takes no output.
func DOT(bp engine.Blueprint) string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n  rankdir = \"RL\"\n  node [shape = \"box\"]\n", bp.Name)
	for _, c := range bp.Components {
		fmt.Fprintf(&b, "  %q [label = \"%s\\n%s\"]\n", c.Address, dotText(c.Address), dotText(c.Source))
	}
	for _, u := range bp.Upstreams {
		fmt.Fprintf(&b, "  %q [label = \"stack %s\", shape = \"ellipse\"]\n", u.Address(), dotText(u.Stack))
	}
	for _, c := range bp.Components {
		for _, up := range upstreamsOf(bp, c) {
			fmt.Fprintf(&b, "  %q -> %q\n", c.Address, up)
		}
		for _, need := range c.Needs {
			fmt.Fprintf(&b, "  %q -> %q%s\n", c.Address, need, edgeStyle(c, need))
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// upstreamsOf lists, each once, the other stacks whose outputs a component reads.
func upstreamsOf(bp engine.Blueprint, c engine.Component) (list []string) {
	for _, r := range c.Refs {
		if bp.Upstream(r.Upstream) != nil && !slices.Contains(list, r.Upstream) {
			list = append(list, r.Upstream)
		}
	}
	return list
}

func edgeStyle(c engine.Component, need string) string {
	for _, r := range c.Refs {
		if r.Upstream == need {
			return ""
		}
	}
	return " [style = \"dashed\"]"
}

func dotText(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) }

// Format lays HCL out the way everybody does.
func Format(src []byte) []byte {
	if tooDeep(src, "") != nil {
		return src
	}
	return hclwrite.Format(src)
}
