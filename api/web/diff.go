package web

import (
	"fmt"
	"slices"
	"strings"
)

// diffLine is one line of a comparison: added, removed, the same, or meta for
// what is said about the lines.
type diffLine struct{ class, text string }

// maxDiff is how many lines a text may have to be compared line by line; the
// work grows with its square.
const maxDiff = 600

// around is how many lines that stay are shown around one that changes.
const around = 3

// compare tells two texts apart line by line; nil where they are too long.
func compare(before, after string) []diffLine {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	if len(a) > maxDiff || len(b) > maxDiff {
		return nil
	}
	var lines []diffLine
	common := commonLines(a, b)
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, diffLine{"same", "  " + a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, diffLine{"removed", "- " + a[i]})
			i++
		default:
			lines = append(lines, diffLine{"added", "+ " + b[j]})
			j++
		}
	}
	return fold(lines)
}

// commonLines counts, for each place in a and b, the lines that both still
// have in common from there on, in order: the longest common subsequence.
func commonLines(a, b []string) [][]int {
	n := make([][]int, len(a)+1)
	n[len(a)] = make([]int, len(b)+1)
	for i := len(a) - 1; i >= 0; i-- {
		n[i] = make([]int, len(b)+1)
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				n[i][j] = n[i+1][j+1] + 1
			} else {
				n[i][j] = max(n[i+1][j], n[i][j+1])
			}
		}
	}
	return n
}

// fold leaves out long stretches that stay the same.
func fold(lines []diffLine) []diffLine {
	near := make([]bool, len(lines))
	for i, l := range lines {
		if l.class != "same" {
			for j := max(0, i-around); j <= min(len(lines)-1, i+around); j++ {
				near[j] = true
			}
		}
	}
	var kept []diffLine
	for i := 0; i < len(lines); i++ {
		if near[i] {
			kept = append(kept, lines[i])
			continue
		}
		n := slices.Index(near[i:], true)
		if n < 0 {
			n = len(lines) - i
		}
		kept = append(kept, diffLine{"meta", fmt.Sprintf("  … %s the same", plural(n, "line"))})
		i += n - 1
	}
	return kept
}

// toolDiff reads a diff that a tool made.
func toolDiff(text string) []diffLine {
	var lines []diffLine
	for line := range strings.Lines(text) {
		lines = append(lines, diffLine{diffClass(line), strings.TrimRight(line, "\n")})
	}
	return lines
}

func diffClass(line string) string {
	switch {
	case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"), strings.HasPrefix(line, "@@"):
		return "meta"
	case strings.HasPrefix(line, "+"):
		return "added"
	case strings.HasPrefix(line, "-"):
		return "removed"
	}
	return "same"
}
