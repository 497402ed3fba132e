package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// figure is one of what a Go benchmark reports.
type figure struct {
	benchmark, unit string // as the benchmark names them
	name, in        string
	times           float64 // from the benchmark's unit to ours
	aim, note       string
}

// goFigures are those that are measured from within, by package. Two hundred
// running steps send 20 heartbeats a second.
var goFigures = []struct {
	pkg     string
	figures []figure
}{
	{"./engine/blueprint", []figure{
		{"CompileThousand", "ns/op", "validation of 1,000 components", "s", 1e-9, "< 1 s", ""},
	}},
	{"./api", []figure{
		{"Heartbeats", "%CPU/200steps", "heartbeats of 200 running steps, CPU", "%", 1, "", "of one core, runners included"},
		{"Heartbeats", "renewals/s", "heartbeats, at most", "/s", 1, ">= 20/s", "200 running steps send 20/s"},
	}},
	{"./engine", []figure{
		{"Decision", "decisions/s", "decisions who may do what", "/s", 1, ">= 1,000,000/s", "under 1 us each"},
	}},
	{"./engine/sandbox", []figure{
		{"Start/off", "ns/op", "a child from start to end, without walls", "ms", 1e-6, "", ""},
		{"Start/landlock", "ns/op", "the same within Landlock, seccomp and limits", "ms", 1e-6, "", ""},
		{"Start/landlock_and_bubblewrap", "ns/op", "the same in namespaces, too", "ms", 1e-6, "<= 15 ms a step", "a step starts two or three children"},
		{"Start/a_user_of_its_own", "ns/op", "the same as a user of its own", "ms", 1e-6, "<= 15 ms a step", ""},
	}},
	{"./engine/store", []figure{
		{"EventsWritten/1/sqlite", "events/s", "audit events written, SQLite, 1 writer", "/s", 1, "", "one a transaction, on the disk before it is answered"},
		{"EventsWritten/8/sqlite", "events/s", "audit events written, SQLite, 8 writers", "/s", 1, "", ""},
		{"EventsWritten/1/postgres", "events/s", "audit events written, PostgreSQL, 1 writer", "/s", 1, "", ""},
		{"EventsWritten/8/postgres", "events/s", "audit events written, PostgreSQL, 8 writers", "/s", 1, "", ""},
		{"Sweep/sqlite", "ns/op", "sweep, SQLite", "ms", 1e-6, "", "100,000 runs, 10,000 stacks, 200 steps in hand"},
		{"Sweep/postgres", "ns/op", "sweep, PostgreSQL", "ms", 1e-6, "", "100,000 runs, 10,000 stacks, 200 steps in hand"},
	}},
}

// goBenchmarks runs benchmarks that are kept beside what they measure.
func (b *bench) goBenchmarks() error {
	for _, p := range goFigures {
		said, err := goBench(p.pkg, p.figures)
		if err != nil {
			return err
		}
		for _, f := range p.figures {
			value, err := f.read(said)
			if err != nil {
				return err
			}
			b.add(f.name, f.in, value*f.times, 0, f.aim, f.note)
		}
	}
	return nil
}

// goBench runs the benchmarks of a package and gives what they say.
func goBench(pkg string, figures []figure) (string, error) {
	var names []string
	for _, f := range figures {
		name, _, _ := strings.Cut(f.benchmark, "/")
		names = append(names, name)
	}
	cmd := exec.Command("go", "test", "-tags", "nomsgpack", "-run", "^$", "-bench", "^Benchmark("+strings.Join(names, "|")+")$", "-timeout", "30m", pkg)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go test %s: %w\n%s", pkg, err, out)
	}
	return string(out), nil
}

// read finds the figure in what `go test -bench` says: a line a benchmark, with
// its name, its number of rounds, and then pairs of a value and a unit.
func (f figure) read(said string) (float64, error) {
	for line := range strings.Lines(said) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !f.named(fields[0]) {
			continue
		}
		for i := 3; i < len(fields); i += 2 {
			if fields[i] == f.unit {
				return strconv.ParseFloat(fields[i-1], 64)
			}
		}
	}
	return 0, fmt.Errorf("the benchmark %s gave no %s:\n%s", f.benchmark, f.unit, said)
}

// named reports whether a line is the benchmark's. Its name may end in the
// number of processors.
func (f figure) named(name string) bool {
	rest, ok := strings.CutPrefix(name, "Benchmark"+f.benchmark)
	return ok && (rest == "" || rest[0] == '-')
}
