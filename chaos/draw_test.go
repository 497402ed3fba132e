package chaos

import (
	"math/rand/v2"
	"slices"
	"time"
)

// fault is one thing that goes wrong.
type fault struct {
	at    time.Duration // from the beginning
	kind  kind
	index int           // picks the victim
	lasts time.Duration // of what ends by itself
}

// kind is a kind of fault. It is drawn by its weight, or comes once in so much
// time where the torture lasts long enough for it.
type kind struct {
	name        string
	weight      int
	each, least time.Duration
	min, max    time.Duration // how long it lasts
	hits        string        // what it takes away
	spares      []string      // what nothing else takes away while it lasts
	do          func(*world, fault)
}

const (
	firstFault = 5 * time.Second
	meanGap    = 4 * time.Second  // between two faults
	aftermath  = 10 * time.Second // until all is there again
)

// draw lists the faults of so much time.
func draw(r *rand.Rand, kinds []kind, length time.Duration) []fault {
	drawn := strew(r, rare(kinds, length), length)
	var lots []kind
	for _, k := range kinds {
		lots = append(lots, slices.Repeat([]kind{k}, k.weight)...)
	}
	for at := firstFault; at <= length; at += time.Duration(r.ExpFloat64() * float64(meanGap)) {
		f := lots[r.IntN(len(lots))].fault(r, at)
		for slices.ContainsFunc(drawn, f.clashes) {
			f = lots[r.IntN(len(lots))].fault(r, at)
		}
		drawn = append(drawn, f)
	}
	slices.SortStableFunc(drawn, func(a, b fault) int { return int(a.at - b.at) })
	return drawn
}

// fault is one of its kind.
func (k kind) fault(r *rand.Rand, at time.Duration) fault {
	f := fault{at: at, kind: k, index: r.IntN(1 << 20), lasts: k.min}
	if k.max > k.min {
		f.lasts += time.Duration(r.Int64N(int64(k.max - k.min)))
	}
	return f
}

// clashes reports whether one of two faults takes away what the other spares,
// while both last.
func (f fault) clashes(g fault) bool {
	apart := f.at > g.at+g.lasts+aftermath || g.at > f.at+f.lasts+aftermath
	return !apart && (slices.Contains(f.kind.spares, g.kind.hits) || slices.Contains(g.kind.spares, f.kind.hits))
}

// rare lists what comes once in so much time.
func rare(kinds []kind, length time.Duration) (all []kind) {
	for _, k := range kinds {
		if k.each > 0 && length >= k.least {
			all = append(all, slices.Repeat([]kind{k}, max(1, int(length/k.each)))...)
		}
	}
	return all
}

// strew puts them at random times, one after the other is over.
func strew(r *rand.Rand, kinds []kind, length time.Duration) (strewn []fault) {
	r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	free := length - firstFault
	for _, k := range kinds {
		f := k.fault(r, 0)
		strewn = append(strewn, f)
		free -= f.lasts + aftermath
	}
	pauses := make([]time.Duration, len(strewn)) // before each, and all before it
	for i := range pauses {
		pauses[i] = time.Duration(r.Int64N(int64(max(free, 1))))
	}
	slices.Sort(pauses)
	at := firstFault
	for i := range strewn {
		strewn[i].at = at + pauses[i]
		at += strewn[i].lasts + aftermath
	}
	return strewn
}
