package store_test

import (
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// found is what a check of shop/terraform.a found, minutes after noon.
func found(t testing.TB, s *store.Store, run string, minutes int, subjects ...string) {
	t.Helper()
	var changes []engine.Change
	for _, subject := range subjects {
		changes = append(changes, engine.Change{Subject: subject, Action: engine.ActionUpdate})
	}
	must(t, s.RecordFindings(t.Context(), "shop", "terraform.a", run, changes, noon.Add(time.Duration(minutes)*time.Minute)))
}

// findings tells the minutes of each finding by subject.
func findings(t testing.TB, s *store.Store, openOnly bool) map[string][3]int {
	t.Helper()
	m := map[string][3]int{}
	for _, f := range got(s.Findings(t.Context(), "shop", openOnly, engine.Page{}))(t) {
		m[f.Change.Subject] = [3]int{minute(f.FirstSeen), minute(f.LastSeen), minute(f.ResolvedAt)}
	}
	return m
}

func minute(at time.Time) int {
	if at.IsZero() {
		return -1
	}
	return int(at.Sub(noon) / time.Minute)
}

func TestRecordFindings(t *testing.T) {
	tests := map[string]struct {
		second []string // found ten minutes after "a" and "b"
		want   map[string][3]int
	}{
		"seen again keeps when it was first seen": {second: []string{"a", "b"}, want: map[string][3]int{"a": {0, 10, -1}, "b": {0, 10, -1}}},
		"no longer there is resolved":             {second: []string{"a"}, want: map[string][3]int{"a": {0, 10, -1}, "b": {0, 0, 10}}},
		"nothing resolves all":                    {second: nil, want: map[string][3]int{"a": {0, 0, 10}, "b": {0, 0, 10}}},
		"something new is added":                  {second: []string{"a", "b", "c"}, want: map[string][3]int{"a": {0, 10, -1}, "b": {0, 10, -1}, "c": {10, 10, -1}}},
		"named twice counts once":                 {second: []string{"a", "b", "a"}, want: map[string][3]int{"a": {0, 10, -1}, "b": {0, 10, -1}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			eachDatabase(t, func(t *testing.T, s *store.Store) {
				newStack(t, s, "shop")
				found(t, s, "run-1", 0, "a", "b")
				found(t, s, "run-2", 10, tt.second...)
				wantEqual(t, findings(t, s, false), tt.want)
			})
		})
	}
}

func TestFindingKeepsEveryField(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		var change engine.Change
		new(filler).fill(&change)
		must(t, s.RecordFindings(t.Context(), "shop", "terraform.a", "run-1", []engine.Change{change}, noon))
		list := got(s.Findings(t.Context(), "", true, engine.Page{}))(t)
		wantEqual(t, list, []*engine.Finding{{ID: list[0].ID, Stack: "shop", Component: "terraform.a", Change: change, Run: "run-1", FirstSeen: noon, LastSeen: noon}})
	})
}

func TestFindingThatComesBackIsANewOne(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		found(t, s, "run-1", 0, "a")
		found(t, s, "run-2", 10)
		found(t, s, "run-3", 20, "a")
		wantEqual(t, findings(t, s, true), map[string][3]int{"a": {20, 20, -1}})
		wantEqual(t, len(got(s.Findings(t.Context(), "shop", false, engine.Page{}))(t)), 2)
	})
}

func TestOpenFindingsAreCountedByStack(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		newStack(t, s, "blog")
		found(t, s, "run-1", 0, "a", "b", "c")
		found(t, s, "run-2", 1, "a", "b")
		must(t, s.RecordFindings(t.Context(), "shop", "terraform.b", "run-1", []engine.Change{{Subject: "a"}}, noon))
		wantEqual(t, got(s.OpenFindings(t.Context(), []string{"shop", "blog"}))(t), map[string]int{"shop": 3})
		wantEqual(t, got(s.OpenFindings(t.Context(), nil))(t), map[string]int{})
	})
}

func TestFindingsAreListedByLastSeenPageByPage(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		found(t, s, "run-1", 0, "old")
		found(t, s, "run-2", 10, "resolved", "old")
		found(t, s, "run-3", 20, "old") // first seen before the other, last seen after it
		found(t, s, "run-4", 30, "old", "new")
		var subjects []string
		for after := ""; ; {
			page := got(s.Findings(t.Context(), "shop", false, engine.Page{After: after, Limit: 1}))(t)
			if len(page) == 0 {
				break
			}
			subjects, after = append(subjects, page[0].Change.Subject), page[0].ID
		}
		wantEqual(t, subjects, []string{"new", "old", "resolved"})
	})
}
