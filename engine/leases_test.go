package engine

import (
	"testing"
	"time"
)

func TestRunnerIsLostOnceItWasSilentWhileTheAPIWasThere(t *testing.T) {
	type look struct {
		after   time.Duration // since the look before
		beat    bool          // of the API since then
		renewed bool          // since then
		lost    bool
	}
	repeat := func(n int, l look) []look {
		looks := make([]look, n)
		for i := range looks {
			looks[i] = l
		}
		return looks
	}
	start := repeat(2, look{after: BeatEvery, beat: true})
	tests := map[string][]look{
		"one that renews is never lost": append(start, repeat(60, look{after: BeatEvery, beat: true, renewed: true})...),
		"one that is silent for as long as a lease is lost": append(append(start,
			repeat(int(Lease/BeatEvery)-1, look{after: BeatEvery, beat: true})...), look{after: BeatEvery, beat: true, lost: true}),
		"silence without the API says nothing":                             append(start, repeat(60, look{after: BeatEvery})...),
		"silence from before the API came back is not held against it":     append(append(start, repeat(20, look{after: BeatEvery})...), repeat(4, look{after: BeatEvery, beat: true})...),
		"a clock that jumps an hour forward loses nobody":                  append(start, look{after: time.Hour, beat: true}, look{after: BeatEvery, beat: true}),
		"a clock that jumps an hour back loses nobody":                     append(start, look{after: -time.Hour, beat: true}, look{after: BeatEvery, beat: true}),
		"one that renews after the clock jumped back is as good as before": append(start, look{after: -time.Hour, beat: true, renewed: true}, look{after: BeatEvery, beat: true, renewed: true}),
	}
	for name, looks := range tests {
		t.Run(name, func(t *testing.T) {
			var w watch
			now, held, beats := noon, Held{Step: "step-1", Run: "run-1", Attempt: 1, Until: noon}, int64(7)
			for i, l := range looks {
				now = now.Add(l.after)
				if l.beat {
					beats++
				}
				if l.renewed {
					held.Until = held.Until.Add(time.Second)
				}
				if lost := w.look([]Held{held}, beats, now); (len(lost) > 0) != l.lost {
					t.Fatalf("look %d: lost %v", i, lost)
				}
			}
		})
	}
}

func TestNextAttemptBeginsWithSilenceOfItsOwn(t *testing.T) {
	var w watch
	held := Held{Step: "step-1", Run: "run-1", Attempt: 1, Until: noon}
	for i := range 4 {
		w.look([]Held{held}, int64(i), noon.Add(time.Duration(i)*BeatEvery))
	}
	held.Attempt = 2
	if lost := w.look([]Held{held}, 9, noon.Add(5*BeatEvery)); len(lost) > 0 || w.seen["step-1"].lasts != 0 {
		t.Errorf("lost %v, silent for %v", lost, w.seen["step-1"].lasts)
	}
}
