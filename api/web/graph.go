package web

import (
	"cmp"
	"fmt"
	"slices"
)

// node is one component of a graph.
type node struct {
	name, note, status string
	link               string // where it leads, "" for nowhere
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
	boxWidth  = 200
	boxHeight = 48
	gapX      = 60
	gapY      = 18
)

// arrange places the nodes by the longest way to each. Within a column they
// stand in the order of what they need, so that few lines cross.
func arrange(nodes []node) graph {
	g := graph{nodes: slices.Clone(nodes)}
	columns := columnsOf(g.nodes)
	at := map[string]*node{}
	for x, column := range columns {
		slices.SortStableFunc(column, func(a, b *node) int { return cmp.Compare(height(a, at), height(b, at)) })
		for y, n := range column {
			n.x, n.y = x*(boxWidth+gapX), y*(boxHeight+gapY)
			g.width, g.height = max(g.width, n.x+boxWidth), max(g.height, n.y+boxHeight)
			at[n.name] = n
		}
	}
	for i := range g.nodes {
		for _, need := range g.nodes[i].needs {
			if from, ok := at[need]; ok {
				g.edges = append(g.edges, edge{curve(from, &g.nodes[i])})
			}
		}
	}
	return g
}

// columnsOf sorts nodes by the longest way to each.
func columnsOf(nodes []node) [][]*node {
	byName := map[string]*node{}
	for i := range nodes {
		byName[nodes[i].name] = &nodes[i]
	}
	depth := map[string]int{}
	var columns [][]*node
	for i := range nodes {
		d := depthOf(&nodes[i], byName, depth)
		for len(columns) <= d {
			columns = append(columns, nil)
		}
		columns[d] = append(columns[d], &nodes[i])
	}
	return columns
}

// depthOf is the length of the longest way to n; what is not drawn counts for
// nothing. Cycles cannot be submitted; one would be cut, not followed.
func depthOf(n *node, byName map[string]*node, depth map[string]int) int {
	if d, ok := depth[n.name]; ok {
		return d
	}
	depth[n.name] = 0
	d := 0
	for _, need := range n.needs {
		if from, ok := byName[need]; ok {
			d = max(d, depthOf(from, byName, depth)+1)
		}
	}
	depth[n.name] = d
	return d
}

// height is the mean height of what n needs.
func height(n *node, at map[string]*node) int {
	sum, count := 0, 0
	for _, need := range n.needs {
		if from, ok := at[need]; ok {
			sum, count = sum+from.y, count+1
		}
	}
	return sum / max(1, count)
}

// curve is a line between two boxes, in the path language of SVG.
func curve(from, to *node) string {
	x1, y1 := from.x+boxWidth, from.y+boxHeight/2
	x2, y2 := to.x-2, to.y+boxHeight/2
	mid := (x1 + x2) / 2
	return fmt.Sprintf("M%d %d C%d %d %d %d %d %d", x1, y1, mid, y1, mid, y2, x2, y2)
}

func nodeNote(n node) string {
	if n.status == "" {
		return n.note
	}
	return n.note + " · " + n.status
}
