package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// api measures reads with 1,000 runs in the database.
func (b *bench) api() error {
	s, err := b.startWithRuns("api", 1000)
	if err != nil {
		return err
	}
	defer s.stop()
	for _, r := range []struct{ name, path, p50, rate string }{
		{"list of 20 runs", "/v1/runs?limit=20", "<= 4 ms", ">= 600/s"},
		{"one stack", "/v1/stacks/shop", "", ">= 2000/s"},
	} {
		if err := b.read(s, r.name, r.path, r.p50, r.rate); err != nil {
			return err
		}
	}
	return nil
}

// startWithRuns begins a server with a stack that has had so many runs; the
// newest waits for an approval.
func (b *bench) startWithRuns(name string, runs int) (*server, error) {
	s, err := b.start(name, nil)
	if err != nil {
		return nil, err
	}
	err = s.submit("shop", smallStack("shop"), map[string]any{"text": "x"})
	s.stop()
	if err != nil {
		return nil, err
	}
	if err := seedRuns(filepath.Join(s.dataDir, "cloudops.db"), runs); err != nil {
		return nil, err
	}
	return b.start(name, nil)
}

// seedRuns writes runs straight into the database.
func seedRuns(path string, n int) error {
	ctx := context.Background()
	st, err := store.Open(ctx, store.Options{URL: "sqlite://" + path})
	if err != nil {
		return err
	}
	defer st.Close()
	now := time.Now().UTC()
	for i := range n {
		at := now.Add(time.Duration(i-n) * time.Second)
		run := &engine.Run{ID: engine.NewID("run", at), Stack: "shop", Revision: 1, Kind: engine.RunApply, Trigger: engine.TriggerManual,
			Status: engine.RunSucceeded, StartedBy: "admin", Digest: "d", CreatedAt: at, FinishedAt: at}
		run.Steps = []*engine.Step{{ID: engine.NewID("step", at), Run: run.ID, Revision: 1, Status: engine.StepApplied,
			Component: engine.Component{Address: "terraform.x", Kind: engine.KindTerraform, Cloud: engine.CloudLocal}}}
		if i == n-1 {
			run.Status, run.FinishedAt, run.Steps[0].Status = engine.RunPlanned, time.Time{}, engine.StepPlanned
		}
		if err := st.CreateRun(ctx, run); err != nil {
			return err
		}
	}
	return nil
}

// read times one request after the other, then as many as go in 10 seconds
// over ten connections.
func (b *bench) read(s *server, name, path, aim50, aimRate string) error {
	var took []float64
	for i := range 600 {
		began := time.Now()
		res, err := s.do("GET", path, nil)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s %w", path, res.Status, err)
		}
		if i >= 100 {
			took = append(took, float64(time.Since(began).Microseconds())/1000)
		}
	}
	b.add(name+", p50", "ms", median(took), 0, aim50, "")
	b.add(name+", p99", "ms", quantile(took, 0.99), 0, "", "")
	const length = 10 * time.Second
	sent, err := s.wrk(path, length)
	if err != nil {
		return err
	}
	b.add(name+", throughput", "/s", float64(sent)/length.Seconds(), 0, aimRate, "wrk -t1 -c10 -d10s")
	return nil
}

// wrk loads a path over ten connections for some seconds, with further arguments
// as they are, and gives how many requests were answered.
func (s *server) wrk(path string, length time.Duration, args ...string) (int, error) {
	args = append([]string{"-t1", "-c10", "-d" + strconv.Itoa(int(length.Seconds())) + "s", "-H", "Authorization: Bearer " + s.token}, args...)
	out, err := exec.Command("wrk", append(args, s.url+path)...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	return answered(string(out))
}

var requestsIn = regexp.MustCompile(`(\d+) requests in `)

// answered reads what wrk says.
func answered(said string) (int, error) {
	if strings.Contains(said, "Non-2xx") || strings.Contains(said, "Socket errors") {
		return 0, fmt.Errorf("wrk: some requests failed\n%s", said)
	}
	m := requestsIn.FindStringSubmatch(said)
	if m == nil {
		return 0, fmt.Errorf("wrk does not say how many requests there were:\n%s", said)
	}
	return strconv.Atoi(m[1])
}
