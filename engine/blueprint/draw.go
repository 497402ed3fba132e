package blueprint

import (
	"fmt"
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
	for _, c := range bp.Components {
		for _, need := range c.Needs {
			fmt.Fprintf(&b, "  %q -> %q%s\n", c.Address, need, edgeStyle(c, need))
		}
	}
	b.WriteString("}\n")
	return b.String()
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
