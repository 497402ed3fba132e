package engine

import (
	"context"
	"slices"
	"time"
)

// settles reports whether a step's hosts are those of the stack: in an apply, in
// the drift check of what is deployed, and once a run is through. A preview and a
// plan that nobody has approved may have any inventory, and whoever may only
// start those must not make a host be taken for another one.
func (s *Runs) settles(ctx context.Context, run *Run, step *Step) (bool, error) {
	if run.Kind != RunDrift {
		return step.Status == StepApplying || run.Kind.Changing() && run.Status == RunSucceeded, nil
	}
	deployed, err := s.Store.Deployed(ctx, run.Stack)
	return deployed[step.Component.Address] == step.Revision, err
}

// sighting is what a report on hosts comes to.
type sighting struct {
	stack, component, run string
	settles               bool      // or else it only adds to what is known
	began                 time.Time // since when the inventory may be old; zero for an apply, which has the last word
	at                    time.Time
	put, replaced         []*KnownHost
}

func newSighting(run *Run, step *Step, settles bool, at time.Time) *sighting {
	s := &sighting{stack: run.Stack, component: step.Component.Address, run: run.ID, settles: settles, at: at}
	if step.Status != StepApplying {
		s.began = step.StartedAt
	}
	return s
}

// note takes in one host, which m is.
func (s *sighting) note(known []*KnownHost, h SeenHost, m *machine) {
	i := slices.IndexFunc(known, func(k *KnownHost) bool { return k.Component == s.component && k.Name == h.Name })
	if i < 0 {
		s.add(s.newHost(h), h, m)
		return
	}
	k := known[i]
	switch replaced := k.replacedBy(m); {
	case !s.began.IsZero() && k.LastSeen.After(s.began): // somebody has seen more of it
	case replaced && s.settles:
		s.replaced = append(s.replaced, k)
		s.add(s.newHost(h), h, m)
	case s.settles:
		s.add(k, h, m)
	case !replaced && k.at(h):
		if len(k.Keys) > 0 {
			h.Keys = nil
		}
		s.find(k, h)
	}
}

func (s *sighting) newHost(h SeenHost) *KnownHost {
	return &KnownHost{ID: NewID("host", s.at), Stack: s.stack, Component: s.component, Name: h.Name, FirstRun: s.run, FirstSeen: s.at}
}

// add makes a host the one that was seen.
func (s *sighting) add(k *KnownHost, h SeenHost, m *machine) {
	k.Address, k.Port, k.User, k.Groups = h.Address, h.Port, h.User, h.Groups
	k.MadeBy, k.Resource, k.ResourceID = m.component, m.address, m.id
	s.find(k, h)
}

// find adds what was found out about a host. What is known already is not written
// again: it may have been forgotten since it was read.
func (s *sighting) find(k *KnownHost, h SeenHost) {
	k.LastRun, k.LastSeen = s.run, s.at
	k.Keys, k.Facts, k.KeysAt, k.FactsAt = h.Keys, h.Facts, time.Time{}, time.Time{}
	if len(h.Keys) > 0 {
		k.KeysAt = s.at
	}
	if len(h.Facts) > 0 {
		k.FactsAt = s.at
	}
	s.put = append(s.put, k)
}

// withoutFinds gives hosts as their inventory has them.
func withoutFinds(seen []SeenHost) []SeenHost {
	plain := slices.Clone(seen)
	for i := range plain {
		plain[i].Keys, plain[i].Facts = nil, nil
	}
	return plain
}
