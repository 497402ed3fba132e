package web

import (
	"testing"
	"time"
)

func TestRedirectAfterSignInStaysOnThisSite(t *testing.T) {
	for next, want := range map[string]string{
		"/runs/run-1?all=1":    "/runs/run-1?all=1",
		"":                     "/",
		"//evil.example":       "/",
		"https://evil.example": "/",
		`/\evil.example`:       "/",
	} {
		if got := safeNext(next); got != want {
			t.Errorf("safeNext(%q) = %q, want %q", next, got, want)
		}
	}
}

func TestComponentsStandRightOfWhatTheyNeed(t *testing.T) {
	g := arrange([]node{{name: "a"}, {name: "d", needs: []string{"b", "c"}}, {name: "b", needs: []string{"a"}}, {name: "c", needs: []string{"b", "elsewhere"}}})
	at := map[string]node{}
	for _, n := range g.nodes {
		at[n.name] = n
	}
	for _, n := range g.nodes {
		for _, need := range n.needs {
			if from, ok := at[need]; ok && from.x >= n.x {
				t.Errorf("%s at %d is not right of %s at %d", n.name, n.x, need, from.x)
			}
		}
	}
	if len(g.edges) != 4 {
		t.Errorf("%d edges, want 4: what is not drawn has none", len(g.edges))
	}
}

func TestTimesReadRoughly(t *testing.T) {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		time.Second: "just now", 30 * time.Second: "30 s ago", 5 * time.Minute: "5 min ago", 3 * time.Hour: "3 h ago",
		72 * time.Hour: "3 days ago", -2 * time.Hour: "in 2 h",
	} {
		if got := since(now, now.Add(-ago)); got != want {
			t.Errorf("since(%s) = %q, want %q", ago, got, want)
		}
	}
}

func TestDiffLinesAreToldApart(t *testing.T) {
	for line, want := range map[string]string{"+++ after": "meta", "--- before": "meta", "@@ -1 +1 @@": "meta", "+new": "added", "-old": "removed", " same": "same"} {
		if got := diffClass(line); got != want {
			t.Errorf("diffClass(%q) = %q, want %q", line, got, want)
		}
	}
}
