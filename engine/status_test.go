package engine

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestEveryRunStatusIsReachable(t *testing.T) {
	closed(t, nextRun, RunPending)
}

func TestEveryStepStatusIsReachable(t *testing.T) {
	closed(t, nextStep, StepWaiting)
}

// closed walks a state machine from its start and fails for a status that is
// not in the table, or that nothing leads to.
func closed[S ~string](t *testing.T, next map[S][]S, start S) {
	t.Helper()
	seen := map[S]bool{start: true}
	for todo := []S{start}; len(todo) > 0; todo = todo[1:] {
		after, ok := next[todo[0]]
		if !ok {
			t.Errorf("%s can be reached and is not in the table", todo[0])
		}
		for _, s := range after {
			if !seen[s] {
				seen[s] = true
				todo = append(todo, s)
			}
		}
	}
	for s := range next {
		if !seen[s] {
			t.Errorf("nothing leads to %s", s)
		}
	}
}

func TestRunStatesAreDrawn(t *testing.T) {
	const path = "../docs/run-states.md"
	want := "# The states of runs and steps\n\nDrawn from the tables in `engine/status.go` by `make generate`; do not edit.\n\n" +
		"## Run\n\n" + mermaid(nextRun, RunPending) + "\n## Step\n\n" + mermaid(nextStep, StepWaiting)
	if *update {
		if err := os.MkdirAll("../docs", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale; run: make generate", path)
	}
}

// mermaid draws a state machine, its statuses in the order they are met.
func mermaid[S ~string](next map[S][]S, start S) string {
	var b strings.Builder
	fmt.Fprintf(&b, "```mermaid\nstateDiagram-v2\n    [*] --> %s\n", start)
	order := []S{start}
	for i := 0; i < len(order); i++ {
		after := next[order[i]]
		for _, s := range after {
			fmt.Fprintf(&b, "    %s --> %s\n", order[i], s)
			if !slices.Contains(order, s) {
				order = append(order, s)
			}
		}
		if len(after) == 0 {
			fmt.Fprintf(&b, "    %s --> [*]\n", order[i])
		}
	}
	b.WriteString("```\n")
	return b.String()
}
