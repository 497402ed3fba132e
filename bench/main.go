// Command bench measures what CloudOps Manager costs beyond the tools it
// drives, on this machine, in one run: wall time, CPU time, throughput and
// memory, each beside the bare commands. It writes results.json and a table.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Result is one figure. Ratio is Ours over Bare where there is a bare figure.
type Result struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Ours  float64 `json:"ours"`
	Bare  float64 `json:"bare,omitempty"`
	Ratio float64 `json:"ratio,omitempty"`
	Aim   string  `json:"aim,omitempty"`
	Note  string  `json:"note,omitempty"`
}

// bench is what all measurements share.
type bench struct {
	binary  string
	dir     string
	rounds  int
	long    bool
	results []Result
}

func main() {
	b := &bench{}
	only := flag.String("only", "", "measure only this: small, parallel, aws, api, idle, log, graph or ahead")
	out := flag.String("out", "bench/results.json", "file for the results")
	flag.StringVar(&b.binary, "cloudops", "bin/cloudops", "the binary to measure")
	flag.IntVar(&b.rounds, "rounds", 10, "rounds of each pair")
	flag.BoolVar(&b.long, "long", false, "also send 500,000 requests and watch memory")
	flag.Parse()
	if err := b.run(*only, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(only, out string) error {
	binary, err := filepath.Abs(b.binary)
	if err != nil {
		return err
	}
	b.binary = binary
	if b.dir, err = os.MkdirTemp("", "cloudops-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	for _, m := range []struct {
		name string
		run  func() error
	}{{"idle", b.idle}, {"small", b.small}, {"parallel", b.parallel}, {"log", b.logLatency}, {"api", b.api}, {"aws", b.aws}, {"graph", b.graph}, {"ahead", b.ahead}} {
		if only != "" && only != m.name {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring: %s\n", m.name)
		if err := m.run(); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	b.print()
	return b.write(out)
}

// add keeps a figure with what it is compared to; bare 0 for nothing.
func (b *bench) add(name, unit string, ours, bare float64, aim, note string) {
	r := Result{Name: name, Unit: unit, Ours: ours, Bare: bare, Aim: aim, Note: note}
	if bare > 0 {
		r.Ratio = ours / bare
	}
	b.results = append(b.results, r)
}

func (b *bench) print() {
	fmt.Printf("%-44s %12s %12s %7s  %s\n", "what", "ours", "bare", "ratio", "aim")
	for _, r := range b.results {
		bare, ratio := "-", "-"
		if r.Bare > 0 {
			bare, ratio = fmt.Sprintf("%.3g %s", r.Bare, r.Unit), fmt.Sprintf("%.2f", r.Ratio)
		}
		fmt.Printf("%-44s %12s %12s %7s  %s\n", r.Name, fmt.Sprintf("%.4g %s", r.Ours, r.Unit), bare, ratio, r.Aim)
	}
}

func (b *bench) write(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	doc, err := json.MarshalIndent(map[string]any{"at": time.Now().UTC().Format(time.RFC3339), "rounds": b.rounds, "results": b.results}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(doc, '\n'), 0o644)
}

// quantile gives the q-th quantile of values, 0 to 1, by nearest rank.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return s[min(len(s)-1, int(q*float64(len(s))))]
}

func median(values []float64) float64 { return quantile(values, 0.5) }
