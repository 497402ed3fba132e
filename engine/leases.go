package engine

import (
	"sync"
	"time"
)

// Held is a step that a runner has in hand.
type Held struct {
	Step, Run string
	Attempt   int
	Until     time.Time // end of its lease, by the clock of who extended it
}

// PartAPI is the part of the server that beats for leases: while it is away no
// runner can renew.
const PartAPI = "api"

// BeatEvery is how often each process with the API beats.
const BeatEvery = 5 * time.Second

// heartStops is the pause between beats after which the API counts as away.
const heartStops = 3 * BeatEvery

// watch finds runners that fell silent. It goes by what it sees itself: how
// long, while the API was there, a lease was not extended. So neither a clock
// that jumps, nor an hour without database or API, makes a runner look lost.
type watch struct {
	mu    sync.Mutex
	seen  map[string]*silence
	at    time.Time // of the last look
	beats int64
	heard time.Time // when another beat was seen last; zero before
}

// silence is how long a step's lease has stayed as it is.
type silence struct {
	held  Held
	lasts time.Duration
}

// look takes what is held now, and how often the API has beaten, and returns
// what is lost.
func (w *watch) look(held []Held, beats int64, now time.Time) []Held {
	w.mu.Lock()
	defer w.mu.Unlock()
	passed := min(max(now.Sub(w.at), 0), heartStops) // this process may have stood still, too
	first := w.at.IsZero()
	w.at = now
	counts := w.listen(beats, now, first)
	seen := make(map[string]*silence, len(held))
	var lost []Held
	for _, h := range held {
		s := w.seen[h.Step]
		if s == nil || s.held != h || !counts {
			s = &silence{held: h}
		} else if s.lasts += passed; s.lasts >= Lease {
			lost = append(lost, h)
		}
		seen[h.Step] = s
	}
	w.seen = seen
	return lost
}

// listen reports whether the API has been there since the last look.
func (w *watch) listen(beats int64, now time.Time, first bool) bool {
	there := !w.heard.IsZero() && now.Sub(w.heard) <= heartStops
	if beats != w.beats && !first {
		w.heard = now
	}
	w.beats = beats
	return there
}
