package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
)

// Author is a person with something that a run may bring of theirs.
type Author struct {
	Person string
	Did    string // as in "wrote revision 7"
}

// Deed is what somebody did to a stack, or to values that stacks share.
type Deed struct {
	By     string // name of the principal
	Person string // behind it at that time; empty where that is not known
	Did    string
	// Set and Stacks say, of values that stacks share, which set and, where
	// that is told, which stacks or patterns they are, or were, for.
	Set    string
	Stacks []string
}

// DeedStore knows who changed what.
type DeedStore interface {
	// Deeds lists what was done to a stack since a plan that changed something
	// was last applied to the whole of it, by a run before the named one:
	// revisions up to a number, the number itself always, and changes of kept
	// variables.
	Deeds(ctx context.Context, stack string, revision int, run string) ([]Deed, error)
	// Begun lists the revisions of which an apply has begun since the stack was
	// last brought to one as a whole.
	Begun(ctx context.Context, stack string) ([]int, error)
}

// authors lists whose changes the run may bring: those of revisions that are
// not applied yet up to its own, and of variables that are kept for its stack.
func (s *Runs) authors(ctx context.Context, r *Run) ([]Author, error) {
	if !r.Kind.Changing() {
		return nil, nil
	}
	deeds, err := s.Store.Deeds(ctx, r.Stack, r.Revision, r.ID)
	if err != nil {
		return nil, err
	}
	if deeds, err = s.touching(ctx, r.Stack, deeds); err != nil {
		return nil, err
	}
	names := make([]string, len(deeds))
	for i, d := range deeds {
		names[i] = d.By
	}
	who, err := s.people(ctx, names)
	if err != nil {
		return nil, err
	}
	authors := make([]Author, len(deeds))
	for i, d := range deeds {
		authors[i] = Author{Person: cmp.Or(d.Person, who[d.By].Person()), Did: d.Did}
	}
	return mergeAuthors(authors, nil), nil
}

// touching leaves out changes of variable sets that are not for the stack.
func (s *Runs) touching(ctx context.Context, stack string, deeds []Deed) ([]Deed, error) {
	if !slices.ContainsFunc(deeds, func(d Deed) bool { return d.Set != "" }) {
		return deeds, nil
	}
	sets, err := s.Store.VariableSets(ctx, Everything())
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(deeds, func(d Deed) bool {
		was := &VariableSet{Name: d.Set, Stacks: d.Stacks}
		return d.Set != "" && !was.covers(stack) && !slices.ContainsFunc(sets, func(v *VariableSet) bool { return v.Name == d.Set && v.covers(stack) })
	}), nil
}

// mergeAuthors gives those of both lists, each once, in order.
func mergeAuthors(a, b []Author) []Author {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(a, b Author) int { return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Did, b.Did)) })
	return slices.Compact(all)
}

// ParseDeed reads what an event tells of a change of variables; false for any
// other event.
func ParseDeed(e Event) (Deed, bool) {
	var detail struct {
		Name, Set, Owner string
		Stacks, Left     []string
	}
	verb := map[string]string{
		"variable.set": "set variable ", "variable.unset": "unset variable ",
		"variable-set.set": "set variable ", "variable-set.unset": "unset variable ", "variable-set.put": "changed", "variable-set.delete": "deleted",
	}[e.Action]
	if verb == "" || json.Unmarshal(e.Detail, &detail) != nil {
		return Deed{}, false
	}
	did := verb + ofSet(detail.Name, detail.Set)
	return Deed{By: e.Actor, Person: detail.Owner, Did: did, Set: detail.Set, Stacks: slices.Concat(detail.Stacks, detail.Left)}, true
}

// KeptDeed is what is known of a change by the value that it left: of a variable
// of a stack or, where set is named, of the set or a variable in it.
func KeptDeed(by, variable, set string) Deed {
	verb := "set variable "
	if variable == "" {
		verb = "changed"
	}
	return Deed{By: by, Did: verb + ofSet(variable, set), Set: set}
}

func ofSet(variable, set string) string {
	switch {
	case set == "":
		return variable
	case variable == "":
		return " variable set " + set
	}
	return variable + " of set " + set
}
