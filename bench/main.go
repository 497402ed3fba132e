// Command bench measures what CloudOps Manager costs beyond the tools it
// drives, on this machine, in one run: wall time, CPU time, throughput and
// memory, each beside the bare commands. It writes results.json and a table.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// bench is what all measurements share.
type bench struct {
	binary string
	dir    string
	rounds int
	found  *Measurement // of the measurement that is under way
}

// measurement is one thing to measure, and the programs that it takes.
type measurement struct {
	name  string
	needs []tool
	run   func(*bench) error
}

var measurements = []measurement{
	{"idle", nil, (*bench).idle},
	{"small", []tool{terraform}, (*bench).small},
	{"parallel", []tool{terraform}, (*bench).parallel},
	{"log", []tool{terraform}, (*bench).logLatency},
	{"page", []tool{terraform}, (*bench).page},
	{"api", []tool{wrk}, (*bench).api},
	{"memory", []tool{wrk}, (*bench).memory},
	{"aws", []tool{terraform, moto, awsMirror}, (*bench).aws},
	{"graph", []tool{terraform}, (*bench).graph},
	{"ahead", []tool{terraform, moto, awsMirror}, (*bench).ahead},
	{"go", []tool{initdb}, (*bench).goBenchmarks},
}

func main() {
	b := &bench{}
	only := flag.String("only", "", "measure only this: "+strings.Join(names(), ", "))
	out := flag.String("out", "bench/results.json", "file for the results; what is not measured now stays in it")
	flag.StringVar(&b.binary, "cloudops", "bin/cloudops", "the binary to measure")
	flag.IntVar(&b.rounds, "rounds", 10, "rounds of each pair")
	flag.Parse()
	if err := b.run(*only, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(only, out string) error {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	if b.binary, err = filepath.Abs(b.binary); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "cloudops-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	return b.measure(chosen, out)
}

// measure goes through the measurements. Each one's figures are written as soon
// as they are there, and one that fails does not keep the others from it.
func (b *bench) measure(chosen []measurement, out string) error {
	var errs []error
	for _, m := range chosen {
		fmt.Fprintf(os.Stderr, "measuring: %s\n", m.name)
		b.found = &Measurement{Name: m.name, At: time.Now().UTC(), Rounds: b.rounds}
		if err := m.run(b); err != nil {
			b.found.Error = err.Error()
			errs = append(errs, fmt.Errorf("%s: %w", m.name, err))
		}
		b.found.print(os.Stdout)
		if err := keep(out, b.found); err != nil {
			return errors.Join(append(errs, err)...)
		}
	}
	return errors.Join(errs...)
}

// add keeps a figure with what it is compared to; bare 0 for nothing.
func (b *bench) add(name, unit string, ours, bare float64, aim, note string) {
	r := Result{Name: name, Unit: unit, Ours: ours, Bare: bare, Aim: aim, Note: note}
	if bare > 0 {
		r.Ratio = ours / bare
	}
	b.found.Results = append(b.found.Results, r)
}

// choose gives the measurements that are asked for, all without a name, once all
// that they need is there.
func choose(only string) (chosen []measurement, err error) {
	for _, m := range measurements {
		if only == "" || only == m.name {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("there is no measurement %q; there are: %s", only, strings.Join(names(), ", "))
	}
	return chosen, missing(chosen)
}

func names() (all []string) {
	for _, m := range measurements {
		all = append(all, m.name)
	}
	return all
}
