package api

import (
	"io"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func BenchmarkReads(b *testing.B) {
	s := newSystem(b)
	s.submit()
	for range 1000 {
		s.start("preview")
	}
	for name, path := range map[string]string{"a list of 20 runs": "/v1/runs?limit=20", "one stack": "/v1/stacks/hello", "who asks": "/v1/whoami"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					s.fetch(b, path)
				}
			})
		})
	}
}

func (s *system) fetch(b *testing.B, path string) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.tokens[engine.RoleViewer].Reveal())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		b.Errorf("%s: status %d, %v", path, res.StatusCode, err)
	}
}

// BenchmarkHeartbeats renews the leases of 200 steps in hand, which runners do
// every ten seconds. The CPU is that of both sides.
func BenchmarkHeartbeats(b *testing.B) {
	const inHand = 200
	s := newSystem(b)
	s.submit()
	var runners []*client.Runner
	for range inHand {
		c := s.claim(s.start("preview"))
		runners = append(runners, client.New(s.url, c.Token).Runner())
	}
	began, cpu := time.Now(), cpuTime(b)
	for b.Loop() {
		s.clock.add(10 * time.Second)
		var all sync.WaitGroup
		for _, r := range runners {
			all.Go(func() {
				if _, err := r.Renew(b.Context(), time.Nanosecond, engine.Signal{}); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
	}
	renewals := float64(b.N * inHand)
	b.ReportMetric(renewals/time.Since(began).Seconds(), "renewals/s")
	b.ReportMetric((cpuTime(b)-cpu).Seconds()/renewals*inHand/10*100, "%CPU/200steps")
}

// cpuTime is what this process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
