package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// whole gives the parts of a run over the whole stack.
func whole(t interface {
	Helper()
	Fatal(...any)
}, there standing, kind RunKind, rev *Revision) []placed {
	t.Helper()
	parts, err := there.parts(kind, rev)
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// revisionOf makes one of components, each written with what it needs, as in
// "terraform.web<terraform.net"; a "-" in front is for on_destroy.
func revisionOf(number int, components ...string) *Revision {
	rev := &Revision{Stack: "shop", Number: number, Blueprint: Blueprint{Name: "shop"}}
	for _, text := range components {
		names := strings.Split(strings.TrimPrefix(text, "-"), "<")
		kind, _, _ := strings.Cut(names[0], ".")
		rev.Blueprint.Components = append(rev.Blueprint.Components, Component{
			Address: names[0], Kind: Kind(kind), Cloud: CloudLocal, Needs: names[1:], OnDestroy: text[0] == '-',
		})
	}
	return rev
}

// there is a stack of revisions, the last of which is the newest.
func there(deployed, states map[string]int, revisions ...*Revision) standing {
	t := standing{deployed: deployed, states: states, revisions: map[int]*Revision{}}
	for _, rev := range revisions {
		t.revisions[rev.Number], t.revisions[0] = rev, rev
	}
	return t
}

func TestPartsFollowWhatTheyNeedAcrossRevisions(t *testing.T) {
	both := []string{"terraform.net", "terraform.web<terraform.net"}
	tests := map[string]struct {
		kind  RunKind
		there standing
		want  string // address@revision, "-" for what is taken down, with its needs
	}{
		"a destroy takes an orphan after what rested on it": {RunDestroy,
			there(map[string]int{"terraform.net": 1, "terraform.web": 1}, map[string]int{"terraform.net": 1, "terraform.web": 0},
				revisionOf(1, both...), revisionOf(2, "terraform.web")),
			"-terraform.web@2[] -terraform.net@1[terraform.web]"},
		"orphans of two revisions": {RunApply,
			there(map[string]int{"terraform.net": 1, "terraform.web": 2}, map[string]int{"terraform.net": 1, "terraform.web": 2},
				revisionOf(1, both...), revisionOf(2, both...), revisionOf(3, "terraform.x")),
			"terraform.x@3[] -terraform.web@2[] -terraform.net@1[terraform.web]"},
		"an orphan waits for what rested on it and stays": {RunApply,
			there(map[string]int{"terraform.net": 1, "terraform.web": 1}, map[string]int{"terraform.net": 1},
				revisionOf(1, both...), revisionOf(2, "terraform.web")),
			"terraform.web@2[] -terraform.net@1[terraform.web]"},
		"through a playbook with nothing to take down": {RunApply,
			there(map[string]int{"terraform.net": 1, "ansible.mid": 1, "terraform.web": 1}, map[string]int{"terraform.net": 1, "terraform.web": 1},
				revisionOf(1, "terraform.net", "ansible.mid<terraform.net", "terraform.web<ansible.mid"), revisionOf(2, "terraform.x")),
			"terraform.x@2[] -terraform.web@1[] -terraform.net@1[terraform.web]"},
		"a decommission play of a playbook that left": {RunApply,
			there(map[string]int{"terraform.web": 1, "ansible.web": 1, "terraform.x": 1}, map[string]int{"terraform.web": 1},
				revisionOf(1, "terraform.web", "-ansible.web<terraform.web", "terraform.x"), revisionOf(2, "terraform.x")),
			"terraform.x@2[] -ansible.web@1[] -terraform.web@1[ansible.web]"},
		"keys of for_each that left": {RunApply,
			there(map[string]int{`terraform.web["a"]`: 1, `ansible.web["a"]`: 1, `terraform.web["b"]`: 1}, map[string]int{`terraform.web["a"]`: 1},
				revisionOf(1, `terraform.web["a"]`, `-ansible.web["a"]<terraform.web["a"]`, `terraform.web["b"]`), revisionOf(2, `terraform.web["b"]`)),
			`terraform.web["b"]@2[] -ansible.web["a"]@1[] -terraform.web["a"]@1[ansible.web["a"]]`},
		"a destroy of an older revision goes by what is there": {RunDestroy,
			there(map[string]int{"terraform.net": 2, "terraform.web": 2}, nil,
				revisionOf(2, both...), revisionOf(1, "terraform.web", "terraform.net")),
			"-terraform.web@1[] -terraform.net@1[terraform.web]"},
		"a circle of two revisions ends somewhere": {RunApply,
			there(map[string]int{"terraform.a": 1, "terraform.b": 2}, map[string]int{"terraform.a": 1, "terraform.b": 2},
				revisionOf(1, "terraform.b", "terraform.a<terraform.b"), revisionOf(2, "terraform.a", "terraform.b<terraform.a"), revisionOf(3)),
			"-terraform.a@1[] -terraform.b@2[terraform.a]"},
		"what is empty, or was put there by hand, stays": {RunApply,
			there(map[string]int{"terraform.a": 1, "ansible.b": 1}, map[string]int{"terraform.foreign": 0},
				revisionOf(1, "terraform.a", "ansible.b"), revisionOf(2, "terraform.x")),
			"terraform.x@2[]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range whole(t, tt.there, tt.kind, tt.there.revisions[0]) {
				sign := map[bool]string{true: "-"}[p.destroy]
				got = append(got, fmt.Sprintf("%s%s@%d%v", sign, p.Address, p.revision, p.needs))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("parts = %v\nwant %s", got, tt.want)
			}
		})
	}
}

func TestRunNeverSucceedsWithAStepThatWaits(t *testing.T) {
	rev := revisionOf(1, "terraform.web", "terraform.net<terraform.web")
	parts := applyParts(&rev.Blueprint, 1)
	parts[0], parts[1] = parts[1], parts[0] // as no run should have them
	parts[0].destroy, parts[1].destroy = true, true
	r := newRun(StartRequest{Stack: "shop", Kind: RunDestroy}, ada, rev, parts, noon)
	if err := r.Begin(noon); err != nil {
		t.Fatal(err)
	}
	finishStep(t, r, "terraform.net", plannedWith(nil))
	finishStep(t, r, "terraform.web", plannedWith(nil))
	if err := r.Approve(ada, r.Digest, "", noon); err != nil {
		t.Fatal(err)
	}
	finishStep(t, r, "terraform.web", appliedWith(nil))
	wantStatus(t, r, RunFailed, StepSkipped, StepApplied)
	if !strings.Contains(r.Reason, "not done: terraform.net") {
		t.Errorf("reason = %q", r.Reason)
	}
}

func TestProtectionHoldsInEveryRevision(t *testing.T) {
	protected := func(rev *Revision) *Revision {
		rev.Blueprint.Components[0].PreventDestroy = true
		return rev
	}
	at := func(number int) map[string]int { return map[string]int{"terraform.a": number} }
	tests := map[string]struct {
		there standing
		says  string // empty where it may go
	}{
		"in none":                       {there(at(2), nil, revisionOf(1, "terraform.a"), revisionOf(2, "terraform.a"), revisionOf(3, "terraform.a")), ""},
		"in the one to destroy it with": {there(at(2), nil, protected(revisionOf(1, "terraform.a")), revisionOf(2, "terraform.a"), revisionOf(3, "terraform.a")), "revision 1"},
		"in the one that it is at":      {there(at(2), nil, revisionOf(1, "terraform.a"), protected(revisionOf(2, "terraform.a")), revisionOf(3)), "revision 2"},
		"in the newest":                 {there(at(2), nil, revisionOf(1, "terraform.a"), revisionOf(2, "terraform.a"), protected(revisionOf(3, "terraform.a"))), "revision 3"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := tt.there.protect(whole(t, tt.there, RunDestroy, tt.there.revisions[1]))
			if tt.says == "" && err == nil {
				return
			}
			if !errors.Is(err, ErrConflict) || tt.says == "" || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("it says %v", err)
			}
		})
	}
}

func TestRunOfAPartCountsForTheWholeWhenNothingElseIsLeft(t *testing.T) {
	older, newer := revisionOf(1, "terraform.a", "terraform.b", "terraform.old"), revisionOf(2, "terraform.a", "terraform.b")
	only := func(kind RunKind, names ...string) StartRequest {
		return StartRequest{Stack: "shop", Kind: kind, Only: names}
	}
	tests := map[string]struct {
		req              StartRequest
		deployed, states map[string]int
		leaves           bool
	}{
		"a run of all":                      {only(RunApply), nil, nil, false},
		"the other one is at the revision":  {only(RunApply, "terraform.b"), map[string]int{"terraform.a": 2}, nil, false},
		"the other one is at an older one":  {only(RunApply, "terraform.b"), map[string]int{"terraform.a": 1}, nil, true},
		"the other one is nowhere":          {only(RunApply, "terraform.b"), nil, nil, true},
		"something else has yet to go":      {only(RunApply, "terraform.b"), map[string]int{"terraform.a": 2, "terraform.old": 1}, map[string]int{"terraform.old": 1}, true},
		"what has yet to go is in the run":  {only(RunApply, "terraform.b", "terraform.old"), map[string]int{"terraform.a": 2, "terraform.old": 1}, map[string]int{"terraform.old": 1}, false},
		"a destroy of the last":             {only(RunDestroy, "terraform.b"), map[string]int{"terraform.b": 2}, nil, false},
		"a destroy with another one there":  {only(RunDestroy, "terraform.b"), map[string]int{"terraform.a": 2, "terraform.b": 2}, nil, true},
		"a destroy with resources left":     {only(RunDestroy, "terraform.b"), map[string]int{"terraform.b": 2}, map[string]int{"terraform.a": 0}, true},
		"a refresh changes no component":    {StartRequest{Kind: RunApply, Resources: ResourceChoice{RefreshOnly: true}}, map[string]int{"terraform.a": 2, "terraform.b": 2}, nil, true},
		"a target is of some resources":     {StartRequest{Kind: RunApply, Resources: ResourceChoice{Target: []string{"terraform.b:x.y"}}}, map[string]int{"terraform.a": 2}, nil, true},
		"a replacement leaves nothing out":  {StartRequest{Kind: RunApply, Resources: ResourceChoice{Replace: []string{"terraform.b:x.y"}}}, nil, nil, false},
		"one at a revision that came later": {only(RunApply, "terraform.b"), map[string]int{"terraform.a": 3}, nil, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := there(tt.deployed, tt.states, older, revisionOf(3, "terraform.a"), newer)
			all := whole(t, s, tt.req.Kind, newer)
			kept, err := s.only(tt.req, all)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.leaves(tt.req, all, kept); got != tt.leaves {
				t.Errorf("leaves = %v", got)
			}
		})
	}
}

func TestRetryRunsWhatWasFoundUnchangedAgain(t *testing.T) {
	r := begun(t, ApprovalRule{})
	finishStep(t, r, "terraform.a", Result{Outcome: OutcomeUnchanged})
	finishStep(t, r, "terraform.b", Result{Outcome: OutcomeFailed})
	if got := fmt.Sprint(r.unfinished()); got != "[terraform.a terraform.b ansible.c]" {
		t.Errorf("unfinished = %s", got)
	}
}

func TestPlaybookGoesWithWhatItRestsOn(t *testing.T) {
	rev := revisionOf(1, "terraform.a", "ansible.b<terraform.a", "-ansible.c<terraform.a")
	parts := deployedParts(rev, map[string]int{"ansible.b": 1, "ansible.c": 1})
	if len(parts) != 1 || parts[0].Address != "ansible.c" {
		t.Errorf("parts = %v", parts)
	}
}

func TestIdentifiersSortAfterTheLastWhenTheClockIsPutBack(t *testing.T) {
	last := NewID("run", noon)
	for name, now := range map[string]time.Time{
		"an hour back":              noon.Add(-time.Hour),
		"in the same millisecond":   noon.Add(time.Microsecond),
		"a millisecond later":       noon.Add(time.Millisecond),
		"after a run by other rule": noon.Add(time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			rev := chain()
			r := newRun(StartRequest{Stack: "shop", Kind: RunApply, after: last}, ada, rev, applyParts(&rev.Blueprint, 1), now)
			if r.ID <= last || !r.CreatedAt.Equal(now) {
				t.Errorf("%s of %s does not come after %s", r.ID, r.CreatedAt, last)
			}
			if step := r.Steps[0].ID; strings.TrimPrefix(step, "step-") <= strings.TrimPrefix(last, "run-") {
				t.Errorf("%s does not come after the steps of %s", step, last)
			}
		})
	}
	if at := idTime("run-1"); !at.IsZero() {
		t.Errorf("run-1 was made at %s", at)
	}
}
