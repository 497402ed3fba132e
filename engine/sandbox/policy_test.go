package sandbox

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestWallsThatAreRequiredAreHadOrNothingStarts(t *testing.T) {
	whole := machine{landlock: 7, seccomp: true, root: true, bubblewrap: func() (string, error) { return "/usr/bin/bwrap", nil },
		locks: func() error { return nil }}
	with := func(change func(m *machine)) machine { m := whole; change(&m); return m }
	users := Users{60800, 61099}
	tests := map[string]struct {
		mode    Mode
		machine machine
		fails   string
		lacks   string // a part of the only one
		off     bool
		write   []string
		closed  []string
	}{
		"required, without Landlock":       {mode: Require, machine: with(func(m *machine) { m.landlock = 0 }), fails: "this system has no Landlock"},
		"required, with an older Landlock": {mode: Require, machine: with(func(m *machine) { m.landlock = 5 }), fails: "has Landlock 5 where Landlock 6 is needed"},
		"required, without seccomp":        {mode: Require, machine: with(func(m *machine) { m.seccomp = false }), fails: "and seccomp"},
		"required, with a bubblewrap that does not work": {mode: Require, fails: "walls are required, and bubblewrap does not work here",
			machine: with(func(m *machine) {
				m.bubblewrap = func() (string, error) { return "", errors.New("bubblewrap does not work here: no namespaces") }
			})},
		"required, where there is no bubblewrap": {mode: Require, lacks: "namespaces, without which steps reach the Unix sockets that the worker's user may: bubblewrap is not installed|a user of its own|a limit on processes",
			machine: with(func(m *machine) {
				m.root, m.bubblewrap = false, func() (string, error) { return "", errNoBubblewrap }
			})},
		"required, where there is none for root": {mode: Require, fails: "Unix sockets lead root out of all other walls: bubblewrap is not installed",
			machine: with(func(m *machine) { m.bubblewrap = func() (string, error) { return "", errNoBubblewrap } })},
		"required and there":          {mode: Require, machine: whole},
		"as can be, whole":            {mode: Auto, machine: whole},
		"as can be, without TCP":      {mode: Auto, machine: with(func(m *machine) { m.landlock = 3 }), lacks: "TCP, which takes Linux 6.7|signals"},
		"as can be, without Landlock": {mode: Auto, machine: with(func(m *machine) { m.landlock = 0 }), lacks: "files: this system has no Landlock|TCP|signals"},
		"as can be, not of root":      {mode: Auto, machine: with(func(m *machine) { m.root = false }), lacks: "a user of its own"},
		"as can be, without namespaces": {mode: Auto, lacks: "namespaces, without which steps reach the Unix sockets that the worker's user may: there is none|a user of its own|a limit on processes",
			machine: with(func(m *machine) { m.bubblewrap = func() (string, error) { return "", errors.New("there is none") } })},
		"as can be, with a folder that steps share": {mode: Auto, machine: whole, write: []string{"/srv"}, lacks: "a user of its own for each step: they share|a limit on processes"},
		"as can be, with nowhere to lock users":     {mode: Auto, machine: with(func(m *machine) { m.locks = func() error { return errors.New("read-only") } }), lacks: "a user of its own for each step: read-only|a limit on processes"},
		"required, with a folder that has the data": {mode: Require, machine: whole, write: []string{"/srv"}, closed: []string{"/srv/data"}, fails: "/srv, which steps may write to, has the server's own data"},
		"as can be, with such a folder":             {mode: Auto, machine: whole, write: []string{"/srv"}, closed: []string{"/srv/data"}, lacks: "the server's own data or keys|a user of its own|a limit on processes"},
		"required, with one in the data folder":     {mode: Require, machine: whole, write: []string{"/srv/data/shared"}, closed: []string{"/srv/data"}, lacks: "a user of its own|a limit on processes"},
		"off":                                       {mode: Off, machine: whole, off: true},
		"not asked for":                             {machine: whole, off: true},
		"a mode that there is not":                  {mode: "required", machine: whole, fails: `there is no mode "required"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			had, lacks, err := Policy{Mode: tt.mode, Users: users, Write: tt.write, Closed: tt.closed, Limits: Limits{Processes: 9}}.survey(tt.machine)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("error = %v", err)
				}
				return
			}
			if err != nil || (had.Mode == Off) != tt.off {
				t.Fatalf("had %+v, %v", had, err)
			}
			want := strings.FieldsFunc(tt.lacks, func(r rune) bool { return r == '|' })
			if !slices.EqualFunc(lacks, want, strings.HasPrefix) {
				t.Errorf("lacks %q, want %q", lacks, want)
			}
			if own := had.Users == users; own != (!tt.off && tt.machine.root && had.Bubblewrap != "" && !strings.Contains(tt.lacks, "a user of its own")) {
				t.Errorf("users %v with %q", had.Users, had.Bubblewrap)
			}
		})
	}
}
