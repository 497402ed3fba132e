package workers

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// BenchmarkPickup takes a step from the outbox to its handler, by the relay's
// bell and the queue's, one at a time. Asynq alone takes 0.5 s at the median.
func BenchmarkPickup(b *testing.B) {
	for name, url := range map[string]func() string{
		"embedded":     func() string { return "embedded" },
		"redis-server": func() string { return enginetest.Redis(b) },
	} {
		b.Run(name, func(b *testing.B) {
			r := open(b, url())
			db, bell := &database{}, bellOn(b, r)
			handle, claimed := db.once()
			serving(b, r, bell, Options{}, handle)
			relaying(b, r, bell, db)
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				db.want(dispatch(fmt.Sprintf("step-%d", i)), true)
				bell.Ring(engine.TopicOutbox)
				within(b, "the step", claimed)
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
		})
	}
}

// BenchmarkIdle counts what one process that serves every queue, relays and
// sweeps asks of Redis while nothing happens. Run it with -benchtime 1x.
func BenchmarkIdle(b *testing.B) {
	r := open(b, enginetest.Redis(b))
	db, bell := &database{}, bellOn(b, r)
	serving(b, r, bell, Options{}, func(context.Context, string) error { return nil })
	relaying(b, r, bell, db)
	sweeping(b, r, bell, db)
	const watched = 30 * time.Second
	for b.Loop() {
		if err := r.Client().ConfigResetStat(b.Context()).Err(); err != nil {
			b.Fatal(err)
		}
		pause(b.Context(), watched)
		b.ReportMetric(float64(calls(b, r))/watched.Seconds(), "calls/s")
	}
}

// sent are the commands that asynq and we send.
var sent = []string{"evalsha", "eval", "zadd", "ping", "publish", "subscribe", "sadd"}

// calls sums up the commands that were sent to Redis. Those that only scripts
// use are left out.
func calls(b *testing.B, r *Redis) (sum int) {
	info, err := r.Client().Info(b.Context(), "commandstats").Result()
	if err != nil {
		b.Fatal(err)
	}
	for lines := bufio.NewScanner(strings.NewReader(info)); lines.Scan(); {
		var n int
		name, stat, _ := strings.Cut(lines.Text(), ":")
		if _, err := fmt.Sscanf(stat, "calls=%d,", &n); err == nil && slices.Contains(sent, strings.TrimPrefix(name, "cmdstat_")) {
			sum += n
		}
	}
	return sum
}
