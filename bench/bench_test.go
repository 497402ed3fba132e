package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestAMeasurementReplacesOnlyItsOwnFigures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	for _, m := range []*Measurement{
		{Name: "api", Results: []Result{{Name: "one stack", Ours: 1}}},
		{Name: "idle", Results: []Result{{Name: "memory", Ours: 2}, {Name: "gone since", Ours: 3}}},
		{Name: "idle", Results: []Result{{Name: "memory", Ours: 4}}, Error: "out of time"},
	} {
		if err := keep(path, m); err != nil {
			t.Fatal(err)
		}
	}

	b, err := os.ReadFile(path)

	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if strings.Contains(text, "gone since") || !strings.Contains(text, `"ours": 4`) || !strings.Contains(text, "out of time") {
		t.Errorf("the newest of idle is not what is kept:\n%s", text)
	}
	if idle, api := strings.Index(text, `"idle"`), strings.Index(text, `"api"`); idle < 0 || api < idle {
		t.Errorf("api is lost, or not in the order of measuring:\n%s", text)
	}
}

func TestOneFailingMeasurementLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	b := &bench{}
	err := b.measure([]measurement{
		{name: "idle", run: func(b *bench) error { b.add("memory", "MB", 1, 0, "", ""); return os.ErrDeadlineExceeded }},
		{name: "small", run: func(b *bench) error { b.add("run", "s", 2, 1, "", ""); return nil }},
	}, path)

	if err == nil || !strings.Contains(err.Error(), "idle: ") {
		t.Errorf("error = %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"memory"`, `"error": "i/o timeout"`, `"run"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not kept:\n%s", want, text)
		}
	}
}

func TestAllThatIsMissingIsNamedFirst(t *testing.T) {
	t.Setenv("PATH", t.TempDir())

	_, err := choose("")

	if err == nil {
		t.Fatal("nothing is missing")
	}
	for _, want := range []string{"wrk is missing", "moto_server is missing", "terraform is missing", "apt-get install wrk"} {
		if strings.Count(err.Error(), want) != 1 {
			t.Errorf("%q is not said once: %v", want, err)
		}
	}
	if _, err := choose("idle"); err != nil {
		t.Errorf("idle needs none of that: %v", err)
	}
	if _, err := choose("idel"); err == nil || !strings.Contains(err.Error(), "idle, small") {
		t.Errorf("a wrong name: %v", err)
	}
}

// The time of a runner that has reported, and not yet ended, was left out.
func TestCPUWaitsForChildrenThatHaveNotEnded(t *testing.T) {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	s := &server{cmd: &exec.Cmd{Process: self}}
	child := exec.Command("sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")

	used, err := s.spent(func() error {
		if err := child.Start(); err != nil {
			return err
		}
		go func() { _ = child.Wait() }()
		return nil
	})

	if err != nil || used < 0.01 {
		t.Errorf("CPU = %g s, %v", used, err)
	}
}

func TestFiguresAreReadFromGoBenchmarks(t *testing.T) {
	const said = `goos: linux
BenchmarkHeartbeats-2   	      19	  60251033 ns/op	         3.100 %CPU/200steps	      3319 renewals/s
BenchmarkSweep/sqlite-2 	     100	  11000000 ns/op
BenchmarkSweep/postgres 	     100	  12000000 ns/op
`
	for _, tt := range []struct {
		benchmark, unit string
		want            float64
	}{{"Heartbeats", "renewals/s", 3319}, {"Heartbeats", "%CPU/200steps", 3.1}, {"Sweep/sqlite", "ns/op", 11e6}, {"Sweep/postgres", "ns/op", 12e6}} {
		if got, err := (figure{benchmark: tt.benchmark, unit: tt.unit}).read(said); err != nil || got != tt.want {
			t.Errorf("%s in %s = %g, %v", tt.benchmark, tt.unit, got, err)
		}
	}
	if _, err := (figure{benchmark: "Heart", unit: "ns/op"}).read(said); err == nil {
		t.Error("a benchmark that did not run has a figure")
	}
}

func TestGrowthIsToldFromWarmCaches(t *testing.T) {
	looks := []look{{20_000, 50}, {101_000, 60}, {203_000, 61}}

	first, last := grown(looks)

	if first.rss != 60 || last.rss != 61 {
		t.Errorf("from %v to %v", first, last)
	}
	if first, last := grown(looks[:1]); first != last {
		t.Errorf("from %v to %v", first, last)
	}
}

func TestWrkTellsWhatFailed(t *testing.T) {
	if n, err := answered("  1234 requests in 2.00s, 3MB read\nRequests/sec: 617\n"); n != 1234 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, said := range []string{"  9 requests in 2s\n  Non-2xx or 3xx responses: 4\n", "  9 requests in 2s\n  Socket errors: connect 1, read 0\n", "nothing"} {
		if _, err := answered(said); err == nil {
			t.Errorf("no error from %q", said)
		}
	}
}
