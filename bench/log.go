package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

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
