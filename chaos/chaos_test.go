package chaos

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// What `make chaos` sets. A seed repeats which faults come when and which runs
// are started, as far as processes let themselves be repeated.
var (
	seed      = flag.Uint64("chaos.seed", 0, "seed of the faults and of the runs")
	faultsFor = flag.Duration("chaos.for", 0, "how long faults go on")
	pair      = flag.String("chaos.pair", "", "postgres or sqlite; both by default")
	stacks    = flag.Int("chaos.stacks", 6, "number of stacks")
	table     = flag.String("chaos.table", "", "file to add a row of results to, in Markdown")
)

// The short form, which runs with all other tests.
const (
	shortSeed = 20261123
	shortFor  = time.Minute
)

// restFor is how long everything is left in peace before the checks, at most.
const restFor = 4 * time.Minute

func TestNothingIsLostAndNothingRunsTwice(t *testing.T) {
	if *faultsFor == 0 {
		if os.Getenv(enginetest.TestAll) != "1" {
			t.Skip("takes minutes; run it with: make chaos")
		}
		*seed, *faultsFor = shortSeed, shortFor
	}
	if !slices.Contains([]string{"", "sqlite", "postgres"}, *pair) {
		t.Fatalf("-chaos.pair is postgres or sqlite, not %q", *pair)
	}
	bin := build(t)
	for _, p := range []struct {
		name  string
		start func(*testing.T, string) *world
	}{{"sqlite", newSQLite}, {"postgres", newPostgres}} {
		if *pair == "" || *pair == p.name {
			t.Run(p.name, func(t *testing.T) { torture(t, p.start(t, bin), p.name) })
		}
	}
}

// torture lets runs and faults loose, waits until all is quiet, and checks.
func torture(t *testing.T, w *world, pair string) {
	t.Logf("seed %d, %s, %s of faults, %d stacks", *seed, pair, *faultsFor, *stacks)
	faults := draw(rand.New(rand.NewPCG(*seed, 0)), w.kinds(), *faultsFor)
	working, enough := context.WithCancel(t.Context())
	defer enough()
	var drivers sync.WaitGroup
	for i := range *stacks {
		d := newDriver(w, i)
		w.drivers = append(w.drivers, d)
		drivers.Go(func() { d.drive(working) })
	}
	w.inflict(faults)
	enough()
	w.heal()
	began := time.Now()
	rested := make(chan struct{})
	go func() { defer close(rested); drivers.Wait() }()
	select {
	case <-rested:
	case <-time.After(restFor):
		w.fail("runs are still under way after %s of peace", restFor)
		w.hurry()
		<-rested
	}
	t.Logf("all at rest after %s", time.Since(began).Round(time.Second))
	r := w.check()
	r.pair, r.faults = pair, faults
	r.report(t, w)
}
