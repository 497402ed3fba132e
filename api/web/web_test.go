package web

import (
	"encoding/json"
	"fmt"
	"strings"
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
		"/\t/evil.example":     "/", // browsers drop the tab
		"/\n/evil.example":     "/",
		"/%09/evil.example":    "/%09/evil.example",
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

func TestTextsAreComparedLineByLine(t *testing.T) {
	var long []string
	for i := range 20 {
		long = append(long, fmt.Sprint(i))
	}
	before := strings.Join(long, "\n")
	tests := map[string]struct{ before, after, want string }{
		"a line that changes":            {"a\nb\nc", "a\nB\nc", "  a|- b|+ B|  c"},
		"what is added at the end":       {"a\n", "a\nb\n", "  a|+ b|  "},
		"all is new":                     {"a\nb", "c\nd", "- a|- b|+ c|+ d"},
		"what stays far off is left out": {before, strings.Replace(before, "10", "ten", 1), "  … 7 lines the same|  7|  8|  9|- 10|+ ten|  11|  12|  13|  … 6 lines the same"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, l := range compare(tt.before, tt.after) {
				got = append(got, l.text)
			}
			if text := strings.Join(got, "|"); text != tt.want {
				t.Errorf("got %s, want %s", text, tt.want)
			}
		})
	}
	if compare(strings.Repeat("\n", maxDiff+1), "") != nil {
		t.Error("a text that is too long is compared")
	}
}

func TestValuesAreMadeForReading(t *testing.T) {
	long := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::assets/*"}]}`
	quoted, _ := json.Marshal(long)
	tests := map[string]struct {
		raw   string
		block bool
		want  string
	}{
		"a word":                        {`"a"`, false, `"a"`},
		"a number":                      {`1`, false, `1`},
		"nothing":                       {``, false, ``},
		"text of several lines":         {`"a\nb\n"`, true, "a\nb\n"},
		"a short object":                {`{"a": 1}`, false, `{"a":1}`},
		"a long object is laid out":     {long, true, "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\""},
		"one that stands in a text too": {string(quoted), true, "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := show(json.RawMessage(tt.raw))
			if got.block != tt.block || !strings.HasPrefix(got.text, tt.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestHowLongThingsTookReadsRoughly(t *testing.T) {
	from := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		1500 * time.Millisecond: "1.5 s", 42 * time.Second: "42 s", 3*time.Minute + 5*time.Second: "3 min 5 s", 2*time.Hour + 3*time.Minute: "2 h 3 min",
	} {
		if got := took(from, from.Add(d)); got != want {
			t.Errorf("took(%s) = %q, want %q", d, got, want)
		}
	}
	if got := took(from, time.Time{}) + took(time.Time{}, from); got != "" {
		t.Errorf("what has not ended took %q", got)
	}
}

func TestOrderOfComponentsDoesNotMatterToTheDrawing(t *testing.T) {
	var nodes []node
	for i := 999; i >= 0; i-- { // each needs the one after it in the list
		nodes = append(nodes, node{name: fmt.Sprint(i), needs: []string{fmt.Sprint(i - 1)}})
	}
	if g := arrange(nodes); g.nodes[0].x != 999*(boxWidth+gapX) || g.height != boxHeight {
		t.Errorf("the last stands at %d, in a drawing %d high", g.nodes[0].x, g.height)
	}
}
