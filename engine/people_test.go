package engine

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"
)

// fewThings is a store of one run, one revision, and what was done to the stack.
type fewThings struct {
	Store
	run   *Run
	rev   *Revision
	deeds []Deed
	sets  []*VariableSet
}

func (f fewThings) Run(context.Context, string) (*Run, error) {
	if f.run == nil {
		return nil, NotFound("it was removed")
	}
	return f.run, nil
}

func (f fewThings) Revisions(context.Context, string, Page) ([]*Revision, error) {
	return []*Revision{f.rev}, nil
}

func (f fewThings) Deeds(context.Context, string, int, string) ([]Deed, error) { return f.deeds, nil }

func (f fewThings) VariableSets(context.Context, Page) ([]*VariableSet, error) { return f.sets, nil }

// folk are people by name.
type folk map[string]Principal

func (k folk) PrincipalOf(_ context.Context, name string) (Principal, error) {
	if p, there := k[name]; there {
		return p, nil
	}
	return Principal{}, NotFound("there is no user %q", name)
}

func TestWhoIsBehindAChangeUpstream(t *testing.T) {
	rev := &Revision{Number: 3, Author: "robot", Person: "ada"}
	for name, tt := range map[string]struct {
		change *Run
		want   []string
	}{
		"who started it and who wrote what is applied again": {&Run{Starters: []string{"bob"}}, []string{"robot", "ada", "bob"}},
		"a change that was removed with age":                 {nil, []string{"robot", "ada"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Runs{Store: fewThings{run: tt.change, rev: rev}}
			got, err := s.behindUpstream(t.Context(), Reader{Stack: "shop", Applied: 3})
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestAServiceAccountStandsForItsOwner(t *testing.T) {
	s := &Runs{People: folk{"robot": robot, "bobs": bobs, "ada": ada}}
	got, err := s.behind(t.Context(), "robot", "bobs", "ada", "schedule nightly", "")
	if err != nil || !slices.Equal(got, []string{"ada", "bob", "schedule nightly"}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAuthorsAreThePeopleBehindWhatWasDone(t *testing.T) {
	s := &Runs{
		People: folk{"robot": robot, "bobs": {User: "bobs", Kind: Service, Owner: "carl"}}, // whose owner was bob
		Store: fewThings{
			deeds: []Deed{
				{By: "robot", Did: "wrote revision 2"}, {By: "bobs", Person: "bob", Did: "wrote revision 1"},
				{By: "eve", Did: "set variable A of set all", Set: "all"}, {By: "eve", Did: "set variable A of set other", Set: "other"},
				{By: "fred", Did: "deleted variable set gone", Set: "gone", Stacks: []string{"sh*"}},
			},
			sets: []*VariableSet{{Name: "all", Stacks: []string{"*"}}, {Name: "other", Stacks: []string{"lab"}}},
		},
	}
	got, err := s.authors(t.Context(), &Run{Kind: RunApply, Stack: "shop", Revision: 2})
	want := []Author{{"ada", "wrote revision 2"}, {"bob", "wrote revision 1"}, {"eve", "set variable A of set all"}, {"fred", "deleted variable set gone"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := s.authors(t.Context(), &Run{Kind: RunPreview, Stack: "shop"}); got != nil || err != nil {
		t.Errorf("a preview has authors %v, %v", got, err)
	}
}

// meanwhile is a store in which somebody else approves between the look at a run
// and its change.
type meanwhile struct {
	fewThings
	looks int
}

func (m *meanwhile) Run(context.Context, string) (*Run, error) {
	m.looks++
	return copied(m.run), nil
}

func (m *meanwhile) UpdateRun(_ context.Context, _ string, change func(*Run) error) (*Run, error) {
	if m.looks == 1 {
		m.run.decide(bob, Approved, "", noon)
	}
	r := copied(m.run)
	r.who = nil // which is not stored
	return r, change(r)
}

func copied(r *Run) *Run {
	c := *r
	c.Approvals, c.Steps = slices.Clone(r.Approvals), nil
	for _, s := range r.Steps {
		step := *s
		c.Steps = append(c.Steps, &step)
	}
	return &c
}

// silent is a bell that nobody hears.
type silent struct{ Bell }

func (silent) Ring(string) {}

func TestTwoWhoApproveAtTheSameTimeAreTwo(t *testing.T) {
	store := &meanwhile{fewThings: fewThings{run: waiting(t, ApprovalRule{Approvals: 2})}}
	s := &Runs{Store: store, Bell: silent{}, People: folk{"ada": ada, "bob": bob, "carl": carl}, Now: func() time.Time { return noon }}
	r, err := s.Approve(t.Context(), carl, store.run.ID, store.run.Digest, "")
	if err != nil || store.looks != 2 {
		t.Fatalf("after %d looks: %v", store.looks, err)
	}
	wantRun(t, r, RunApproved, "")
}
