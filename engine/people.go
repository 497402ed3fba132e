package engine

import (
	"context"
	"errors"
	"slices"
)

// Person is the human being behind p: of a service account the one who answers
// for it.
func (p Principal) Person() string {
	if p.Owner != "" {
		return p.Owner
	}
	return p.User
}

// People tells what somebody may do now, by name. It wraps ErrNotFound for who
// is not known; who is disabled has no rights.
type People interface {
	PrincipalOf(ctx context.Context, name string) (Principal, error)
}

// mayOn reports whether p holds the permission on the stack.
func mayOn(p Principal, perm Permission, stack string) bool { return p.May(perm, StackScope(stack)) }

// rolesOn lists the roles by which p approves plans of the stack, or else
// applies them.
func rolesOn(p Principal, stack string) []Role {
	if roles := p.Rights.Roles(MayApprove, StackScope(stack)); len(roles) > 0 {
		return roles
	}
	return p.Rights.Roles(MayApply, StackScope(stack))
}

// people are the principals as they are now, by name.
func (s *Runs) people(ctx context.Context, names []string) (map[string]Principal, error) {
	who := make(map[string]Principal, len(names))
	for _, name := range names {
		if _, seen := who[name]; seen || name == "" {
			continue
		}
		p, err := s.People.PrincipalOf(ctx, name)
		if errors.Is(err, ErrNotFound) { // a schedule, or somebody who is gone
			p, err = Principal{User: name}, nil
		}
		if err != nil {
			return nil, err
		}
		who[name] = p
	}
	return who, nil
}

// involved names those whose rights matter to a run that waits, or is approved.
func (r *Run) involved() []string {
	names := append([]string{r.StartedBy, r.Applier, r.Glass.By, r.Glass.With}, r.Starters...)
	for _, a := range r.Approvals {
		names = append(names, a.By)
	}
	return names
}

// decide changes a run with what is known at this time of the people that it
// has to do with, who asks for it included, "" for nobody: who may still approve,
// and who wrote what it brings.
func (s *Runs) decide(ctx context.Context, id, by string, change func(*Run) error) (*Run, error) {
	for {
		run, err := s.Store.Run(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := s.informed(ctx, run, by); err != nil {
			return nil, err
		}
		known, glass := len(run.Approvals), run.Glass
		run, err = s.update(ctx, id, func(r *Run) error {
			if len(r.Approvals) > known || r.Glass != glass { // somebody said something meanwhile, and is to be looked at, too
				return errLook
			}
			r.who, r.Authors = run.who, run.Authors
			return change(r)
		})
		if !errors.Is(err, errLook) {
			return run, err
		}
	}
}

// informed tells a run that was read of the people that it has to do with.
func (s *Runs) informed(ctx context.Context, r *Run, more ...string) error {
	authors, err := s.authors(ctx, r)
	if err != nil {
		return err
	}
	r.Authors = mergeAuthors(r.Authors, authors)
	r.who, err = s.people(ctx, append(r.involved(), more...))
	return err
}

// behind gives the people behind names, each once, in order.
func (s *Runs) behind(ctx context.Context, names ...string) ([]string, error) {
	who, err := s.people(ctx, names)
	var people []string
	for _, p := range who {
		people = append(people, p.Person())
	}
	slices.Sort(people)
	return slices.Compact(people), err
}
