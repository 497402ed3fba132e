package sandbox

import (
	"slices"
	"strings"
	"testing"
)

func TestStepSaysWhichWallItMet(t *testing.T) {
	w := Walls{
		Mode: Auto, Bubblewrap: "/usr/bin/bwrap", Tmp: "/data/tmp", Read: []string{"/usr", "/proc"}, Write: []string{"/data/step"}, Connect: []int{443},
		Limits: Limits{Memory: 100, FileSize: 200, Processes: 300, Files: 400},
	}
	tests := map[string]struct {
		said string
		want []string // the beginnings of notes
	}{
		"a port, in Go's words":          {"dial tcp 10.0.0.7:5432: connect: permission denied", []string{"a step may not connect to TCP port 5432"}},
		"a port, in curl's words":        {"curl: (7) Failed to connect to db port 5432 after 0 ms: Couldn't connect to server", []string{"a step may not connect to TCP port 5432"}},
		"a port that is open":            {"dial tcp 10.0.0.7:443: connect: permission denied", nil},
		"the metadata of the machine":    {"dial tcp 169.254.169.254:80: connect: permission denied", []string{"a step may not connect to TCP port 80, where clouds give a machine its credentials"}},
		"a namespace":                    {"unshare: unshare failed: Operation not permitted", []string{"a step makes no namespaces"}},
		"a namespace, of bubblewrap":     {"bwrap: Creating new namespace failed: Operation not permitted", []string{"a step makes no namespaces"}},
		"sudo":                           {`sudo: The "no new privileges" flag is set, which prevents sudo from running as root.`, []string{"a step gets no more powers"}},
		"a server that is not there":     {"dial tcp 10.0.0.7:5432: connect: connection refused", nil},
		"a listener":                     {"listen tcp 127.0.0.1:8080: bind: permission denied", []string{"a step may not listen"}},
		"a file outside":                 {"cat: /srv/secret: Permission denied", []string{"/srv/secret lies outside"}},
		"a file that bubblewrap hides":   {`open "/srv/secret": no such file or directory`, []string{"/srv/secret lies outside"}},
		"a file of the system, to write": {"touch: cannot touch '/usr/bin/x': Read-only file system", []string{"a step may only read /usr/bin/x"}},
		"a file of the system, missing":  {"cat: /usr/share/x: No such file or directory", nil},
		"its own file":                   {"cat: /data/step/x: Permission denied", nil},
		"a file in its /tmp":             {"cat: /tmp/x: No such file or directory", nil},
		"another process":                {"cat: /proc/1/environ: Permission denied", nil},
		"memory":                         {"fatal error: runtime: out of memory", []string{"a process of a step may have 100 bytes"}},
		"the size of a file":             {"write huge: file too large", []string{"a file of a step may have 200 bytes"}},
		"processes":                      {"sh: 1: Cannot fork", []string{"a step may have 300 processes"}},
		"open files":                     {"socket: too many open files", []string{"a process of a step may have 400 files"}},
		"the same twice is told once":    {"cat: /srv/a: Permission denied\ncat: /srv/a: Permission denied\n", []string{"/srv/a lies outside"}},
		"something that is no wall's":    {"Error: Invalid reference", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := w.Met(tt.said); !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("notes = %q", got)
			}
			if got := (Walls{}).Met(tt.said); got != nil {
				t.Errorf("without walls: %q", got)
			}
		})
	}
}
