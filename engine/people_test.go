package engine

import (
	"context"
	"reflect"
	"slices"
	"testing"
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
