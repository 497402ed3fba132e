package chaos

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
)

// tellingLog is the log of an apply that is as it should be.
func tellingLog() string {
	var b strings.Builder
	for r := range 3 {
		fmt.Fprintf(&b, "terraform_data.r[%d]: Destruction complete after 0s\n", r)
		for n := range lines {
			fmt.Fprintf(&b, "terraform_data.r[%d] (local-exec): row r%d %d.\n", r, r, n+1)
		}
		fmt.Fprintf(&b, "terraform_data.r[%d]: Creation complete after 1s [id=%d]\n", r, r)
	}
	return b.String() + "\nApply complete! Resources: 3 added, 0 changed, 3 destroyed.\n"
}

// A check that cannot fail proves nothing.
func TestWhatALogLacksIsSeen(t *testing.T) {
	want := (&driver{kind: "terraform"}).prints()
	applied := client.Step{Kind: "terraform", Status: "applied"}
	for name, tt := range map[string]struct{ cut, put, wrong string }{
		"nothing":                    {},
		"a row":                      {"terraform_data.r[1] (local-exec): row r1 7.\n", "", "row 8 of r1 comes after 6"},
		"a row that came twice":      {"row r0 3.\n", "row r0 3.\nterraform_data.r[0] (local-exec): row r0 3.\n", "row 3 of r0 comes after 3"},
		"the last row":               {"terraform_data.r[2] (local-exec): row r2 40.\n", "", "r2 has 39 rows"},
		"that a resource was made":   {"terraform_data.r[1]: Creation complete after 1s [id=1]\n", "", "terraform_data.r[1] is made 0 times"},
		"the count of what was made": {"3 added", "4 added", "and counts 4"},
		"what was destroyed":         {"terraform_data.r[0]: Destruction complete after 0s\n", "", "and counts 3"},
		"the end":                    {"Apply complete!", "Apply", "it is complete 0 times"},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := strings.Join(wrongInLog(want, applied, strings.Replace(tellingLog(), tt.cut, tt.put, 1)), "; ")
			if tt.wrong == "" && wrong != "" || !strings.Contains(wrong, tt.wrong) {
				t.Errorf("said %q, not %q", wrong, tt.wrong)
			}
		})
	}
	if wrong := wrongInLog(want, client.Step{Kind: "terraform", Status: "interrupted"}, tellingLog()[:400]); wrong != nil {
		t.Errorf("an interrupted apply may end early: %v", wrong)
	}
}

func TestRowsOfAPlayAreSeen(t *testing.T) {
	want := (&driver{kind: "ansible"}).prints()
	var b strings.Builder
	for r := range 3 {
		fmt.Fprintf(&b, "ok: [here] => \n    r%d.stdout_lines:\n", r)
		for n := range lines {
			fmt.Fprintf(&b, "    - row r%d %d.\n", r, n+1)
		}
	}
	step := client.Step{Kind: "ansible", Status: "applied"}

	if wrong := wrongInLog(want, step, b.String()); wrong != nil {
		t.Errorf("said %v", wrong)
	}
	if wrong := wrongInLog(want, step, ""); len(wrong) != 3 {
		t.Errorf("of an empty log said %v", wrong)
	}
}

func TestWhoFollowedHasToHaveSeenTheLog(t *testing.T) {
	for _, tt := range []struct {
		status, saw, log string
		want             bool
	}{
		{"applied", "all", "all", true},
		{"applied", "", "all", false},
		{"applied", "al", "all", false},
		{"failed", "al", "all", false},
		{"interrupted", "al", "all", true},
		{"interrupted", "", "all", false},
		{"interrupted", "el", "all", false},
	} {
		f := &followed{text: *bytes.NewBufferString(tt.saw)}
		if got := f.saw(tt.status, []byte(tt.log)); got != tt.want {
			t.Errorf("%s: %q of %q is %v", tt.status, tt.saw, tt.log, got)
		}
	}
}

func TestLongTorturesHaveLongOutages(t *testing.T) {
	kinds := append((&world{}).kinds(), (&world{}).severalKinds()...)
	for _, tt := range []struct {
		length                time.Duration
		redis, postgres, away int
	}{{time.Minute, 0, 0, 0}, {3 * time.Minute, 0, 0, 1}, {10 * time.Minute, 1, 1, 2}, {time.Hour, 1, 2, 12}} {
		for seed := range uint64(20) {
			faults := draw(rand.New(rand.NewPCG(seed, 0)), kinds, tt.length)
			count := map[string]int{}
			for i, f := range faults {
				count[f.kind.name]++
				for _, g := range faults[:i] {
					if f.clashes(g) {
						t.Errorf("%s, seed %d: %s at %s, and %s at %s", tt.length, seed, f.kind.name, f.at, g.kind.name, g.at)
					}
				}
			}
			if last := faults[len(faults)-1]; last.at > tt.length {
				t.Errorf("%s, seed %d: %s at %s", tt.length, seed, last.kind.name, last.at)
			}
			if r, p, a := count["Redis is away for five minutes"], count["PostgreSQL stands still for long"], count["a worker's machine stays away"]; r != tt.redis || p != tt.postgres || a != tt.away {
				t.Errorf("%s, seed %d: %d long outages of Redis, %d of PostgreSQL, %d of machines", tt.length, seed, r, p, a)
			}
		}
	}
}

func TestASeedRepeatsTheFaults(t *testing.T) {
	kinds := (&world{}).severalKinds()
	list := func() (all []string) {
		for _, f := range draw(rand.New(rand.NewPCG(7, 0)), kinds, 10*time.Minute) {
			all = append(all, fmt.Sprint(f.at, f.kind.name, f.index, f.lasts))
		}
		return all
	}
	if a, b := fmt.Sprint(list()), fmt.Sprint(list()); a != b {
		t.Errorf("%s\n%s", a, b)
	}
}

func TestNamesInTheCloudTellTheirRun(t *testing.T) {
	for name, want := range map[string]string{"aws-3-17": "aws-3.17", "/chaos/aws-3.17/r0": "aws-3.17", "other": ".other"} {
		if got := nonceOf(name); got != want {
			t.Errorf("%s is of %q, not %q", name, got, want)
		}
	}
}
