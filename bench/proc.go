package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// spent gives the CPU time, in seconds, that doing something took of the server
// and its children. A run is told to be over before its runner has ended, so the
// time at which do returns is not the time until which CPU is counted.
func (s *server) spent(do func() error) (float64, error) {
	before, err := s.cpu()
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	after, err := s.cpu()
	return after - before, err
}

// cpu is the CPU time, in seconds, of the server and of all its children. The
// time of a child is counted once it was waited for, so cpu waits until there is
// none left. Source: proc(5), fields 14 to 17 of /proc/pid/stat, in ticks of
// 10 ms.
func (s *server) cpu() (float64, error) {
	for deadline := time.Now().Add(time.Minute); s.hasChildren(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return 0, errors.New("a runner does not end")
		}
	}
	fields, err := stat(s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	ticks := 0.0
	for _, f := range fields[11:15] {
		n, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return ticks / 100, nil
}

// hasChildren reports whether the server has a child that it did not wait for.
func (s *server) hasChildren() bool {
	dirs, _ := filepath.Glob("/proc/[0-9]*") // the pattern is good
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir)) // digits, by the pattern
		if fields, err := stat(pid); err == nil && fields[1] == strconv.Itoa(s.cmd.Process.Pid) {
			return true
		}
	}
	return false
}

// stat gives the fields of /proc/pid/stat from the third on, the process's state.
func stat(pid int) ([]string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return nil, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	return fields, nil
}

// rss is the server's resident memory in MB.
func (s *server) rss() float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}
