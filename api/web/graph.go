package web

import (
	"fmt"
	"slices"
)

// node is one component of a graph.
type node struct {
	name, note, status string
	needs              []string
	x, y               int
}

// edge is a line from one component to one that needs it.
type edge struct{ path string }

// graph is a drawing of components in columns: each stands to the right of
// all that it needs.
type graph struct {
	nodes         []node
	edges         []edge
	width, height int
}

// The sizes of a drawing, in pixels.
const (
	boxWidth  = 190
	boxHeight = 46
	gapX      = 56
	gapY      = 18
)

// arrange places the nodes by the longest way to each.
func arrange(nodes []node) graph {
	g := graph{nodes: slices.Clone(nodes)}
	column := map[string]int{}
	for range nodes { // as many rounds as the longest way can have
		for _, n := range nodes {
			for _, need := range n.needs {
				if c, ok := column[need]; ok || slices.ContainsFunc(nodes, func(m node) bool { return m.name == need }) {
					column[n.name] = max(column[n.name], c+1)
				}
			}
		}
	}
	rows := map[int]int{}
	at := map[string]node{}
	for i := range g.nodes {
		n := &g.nodes[i]
		c := column[n.name]
		n.x, n.y = c*(boxWidth+gapX), rows[c]*(boxHeight+gapY)
		rows[c]++
		g.width, g.height = max(g.width, n.x+boxWidth), max(g.height, n.y+boxHeight)
		at[n.name] = *n
	}
	for _, n := range g.nodes {
		for _, need := range n.needs {
			if from, ok := at[need]; ok {
				g.edges = append(g.edges, edge{curve(from, n)})
			}
		}
	}
	return g
}

// curve is a line between two boxes, in the path language of SVG.
func curve(from, to node) string {
	x1, y1 := from.x+boxWidth, from.y+boxHeight/2
	x2, y2 := to.x, to.y+boxHeight/2
	mid := (x1 + x2) / 2
	return fmt.Sprintf("M%d %d C%d %d %d %d %d %d", x1, y1, mid, y1, mid, y2, x2, y2)
}
