package chaos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// stepStatus asks the API for a step.
func (w *world) stepStatus(id string) (status string, attempt int, err error) {
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.front.url()+"/v1/steps/"+id, nil)
	if err != nil {
		return "", 0, err
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	res, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return "", 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", 0, fmt.Errorf("%s", res.Status)
	}
	var step struct {
		Status  string
		Attempt int
	}
	return step.Status, step.Attempt, json.NewDecoder(res.Body).Decode(&step)
}

// report prints what was done and what came of it, and fails the test where
// something was wrong.
func (r *result) report(t *testing.T, w *world) {
	var kinds []string
	total := 0
	for name, n := range w.inflicts {
		kinds = append(kinds, fmt.Sprintf("%s %d", name, n))
		total += n
	}
	slices.Sort(kinds)
	t.Logf("faults: %d (%s)", total, strings.Join(kinds, "; "))
	t.Logf("runs: %v; things begun: %d, twice: %d; state versions: %d", r.runs, r.begins, r.doubled, r.states)
	p50, longest, n := w.truth(truthWithin)
	t.Logf("from a kill to a status that is true: p50 %s, longest %s, of %d", p50, longest, n)
	_, away, n := w.truth(awayWithin)
	t.Logf("where the machine stays away: longest %s, of %d", away, n)
	for _, wrong := range w.wrong {
		t.Errorf("seed %d: %s", *seed, wrong)
	}
	if *table == "" {
		return
	}
	all := 0
	for _, n := range r.runs {
		all += n
	}
	row := fmt.Sprintf("| %d | %s | %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %s | %s | %s | %d |\n", *seed, r.pair, *faultsFor, total, all,
		r.runs["succeeded"], r.runs["failed"], r.runs["cancelled"], r.runs["interrupted"], r.begins, r.doubled, r.lost, p50, longest, away, len(w.wrong))
	f, err := os.OpenFile(*table, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(row); err != nil {
		t.Fatal(err)
	}
}

// truth gives the median and the longest time to a status that is true, of so
// many that were to be within a time.
func (w *world) truth(within time.Duration) (p50, longest time.Duration, n int) {
	var took []time.Duration
	for _, t := range w.truths {
		if t.within == within {
			took = append(took, t.took.Round(10*time.Millisecond))
		}
	}
	if len(took) == 0 {
		return 0, 0, 0
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)-1], len(took)
}
