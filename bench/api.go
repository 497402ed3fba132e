package main

import (
	"bufio"
	"context"
	"encoding/json"
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

// idle takes the time to ready and the memory of a server that does nothing.
func (b *bench) idle() error {
	var ready []float64
	for i := range 5 {
		s, err := b.start("idle", nil) // from the second on, with a database
		if err != nil {
			return err
		}
		if i > 0 {
			ready = append(ready, float64(s.ready.Milliseconds()))
		}
		if i == 4 {
			before := s.cpu()
			time.Sleep(10 * time.Second)
			b.add("idle memory of serve", "MB", s.rss(), 0, "<= 70 MB", "")
			b.add("idle CPU of serve", "%", (s.cpu()-before)*10, 0, "", "of one core, over 10 s")
		}
		s.stop()
	}
	b.add("started to ready", "ms", median(ready), 0, "<= 300 ms", "")
	return nil
}

// api measures reads with 1,000 runs in the database.
func (b *bench) api() error {
	s, err := b.start("api", nil)
	if err != nil {
		return err
	}
	if err := s.submit("shop", smallStack("shop"), map[string]any{"text": "x"}); err != nil {
		s.stop()
		return err
	}
	s.stop()
	if err := seedRuns(filepath.Join(b.dir, "api", "data", "cloudops.db"), 1000); err != nil {
		return err
	}
	if s, err = b.start("api", nil); err != nil {
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
	if b.long {
		return b.endure(s)
	}
	return nil
}

// seedRuns writes finished runs straight into the database.
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
	rate, err := s.wrk(path, 10)
	if err != nil {
		return err
	}
	b.add(name+", throughput", "/s", rate, 0, aimRate, "wrk -t1 -c10 -d10s")
	return nil
}

// wrk loads a path over ten connections for some seconds and gives requests a
// second.
func (s *server) wrk(path string, seconds int) (float64, error) {
	out, err := exec.Command("wrk", "-t1", "-c10", "-d"+strconv.Itoa(seconds)+"s", "-H", "Authorization: Bearer "+s.token, s.url+path).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	if strings.Contains(string(out), "Non-2xx") {
		return 0, fmt.Errorf("wrk: some requests failed\n%s", out)
	}
	m := regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`).FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("wrk said no rate:\n%s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

// endure sends about 500,000 requests and compares memory before and after.
func (b *bench) endure(s *server) error {
	if _, err := s.wrk("/v1/stacks/shop", 20); err != nil {
		return err
	}
	before, sent := s.rss(), 0.0
	for sent < 500_000 {
		rate, err := s.wrk("/v1/stacks/shop", 30)
		if err != nil {
			return err
		}
		sent += rate * 30
	}
	b.add("memory after 500,000 requests", "MB", s.rss(), before, "no growth", "bare: after 20 s of warm-up")
	return nil
}

// logLatency takes the time from a line being printed to its arrival at an SSE
// client. The line itself says when it was printed.
func (b *bench) logLatency() error {
	s, err := b.start("log", nil)
	if err != nil {
		return err
	}
	defer s.stop()
	files := smallStack("chatty")
	files["x/main.tf"] = `variable "text" { type = string }
resource "terraform_data" "x" {
  input = var.text
  provisioner "local-exec" {
    command = "for i in $(seq 100); do echo at=$(date +%s%N); sleep 0.05; done"
  }
}
`
	if err := s.submit("chatty", files, map[string]any{"text": "x"}); err != nil {
		return err
	}
	var run runJSON
	if err := s.call("POST", "/v1/stacks/chatty/runs", map[string]any{"kind": "apply"}, &run); err != nil {
		return err
	}
	if err := s.call("GET", "/v1/runs/"+run.ID, nil, &run); err != nil {
		return err
	}
	late, err := s.lateness(run.Steps[0].ID)
	if err != nil {
		return err
	}
	b.add("log line, printed to seen, p50", "ms", median(late), 0, "", "")
	b.add("log line, printed to seen, p95", "ms", quantile(late, 0.95), 0, "<= 150 ms", "")
	return nil
}

// lateness follows a log and gives how late each line came, in milliseconds.
func (s *server) lateness(step string) ([]float64, error) {
	res, err := s.do("GET", "/v1/steps/"+step+"/log/stream", nil)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	at := regexp.MustCompile(`at=([0-9]{19})`)
	var late []float64
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "event: end") || strings.HasPrefix(lines.Text(), "event:end") {
			break
		}
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue
		}
		now := time.Now().UnixNano()
		var chunk struct{ Text string }
		if json.Unmarshal([]byte(data), &chunk) != nil {
			continue
		}
		for _, m := range at.FindAllStringSubmatch(chunk.Text, -1) {
			printed, _ := strconv.ParseInt(m[1], 10, 64)
			late = append(late, float64(now-printed)/1e6)
		}
	}
	if len(late) < 50 {
		return nil, fmt.Errorf("only %d lines seen", len(late))
	}
	return late, lines.Err()
}
