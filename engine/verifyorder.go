package engine

import "slices"

// fills reports whether the number was passed over, and takes it out of the gap.
func (v *Verifier) fills(seq int64) bool {
	for i, g := range v.gaps {
		if seq < g.from || seq > g.to {
			continue
		}
		rest := []span{{g.from, seq - 1}, {seq + 1, g.to}}
		rest = slices.DeleteFunc(rest, func(s span) bool { return s.from > s.to })
		v.gaps = slices.Replace(v.gaps, i, i+1, rest...)
		return true
	}
	return false
}

// settleRegion names the events that stand in another place: those that are not
// where sorting puts them or, if these are fewer, those without which the others
// are in order.
func (v *Verifier) settleRegion() {
	sorted := slices.Sorted(slices.Values(v.region))
	inOrder := longestRun(v.region)
	var swapped, moved []int64
	for i, seq := range v.region {
		if sorted[i] != seq {
			swapped = append(swapped, seq)
		}
		if len(inOrder) > 0 && inOrder[0] == seq {
			inOrder = inOrder[1:]
		} else {
			moved = append(moved, seq)
		}
	}
	if len(swapped) <= len(moved) {
		moved = swapped
	}
	for _, seq := range moved {
		v.found(BreachReordered, seq, seq, "it stands in another place")
	}
	v.region = nil
}

// longestRun is the longest list of numbers that rise, of those of seqs in
// their order. Source: M. L. Fredman, On computing the length of longest
// increasing subsequences, 1975.
func longestRun(seqs []int64) []int64 {
	var ends []int // by length: where the run with the lowest end ends
	before := make([]int, len(seqs))
	for i, seq := range seqs {
		n, _ := slices.BinarySearchFunc(ends, seq, func(at int, seq int64) int { return int(seqs[at] - seq) })
		before[i] = -1
		if n > 0 {
			before[i] = ends[n-1]
		}
		ends = append(ends[:n], append([]int{i}, ends[min(n+1, len(ends)):]...)...)
	}
	if len(ends) == 0 {
		return nil
	}
	var run []int64
	for i := ends[len(ends)-1]; i >= 0; i = before[i] {
		run = append(run, seqs[i])
	}
	slices.Reverse(run)
	return run
}
