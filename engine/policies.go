package engine

import (
	"context"
	"time"
)

// PolicyStore keeps the rules of projects and that of the installation, whose
// project is "".
type PolicyStore interface {
	// PoliciesOver lists those over a stack: the installation's, then its project's.
	PoliciesOver(ctx context.Context, stack string) ([]Policy, error)
	// Policy wraps ErrNotFound where there is none.
	Policy(ctx context.Context, project string) (*Policy, error)
	// Policies lists all, the installation's first, then by project.
	Policies(ctx context.Context) ([]Policy, error)
	// PutPolicy writes a policy in place of the one before it. Plans that wait for
	// the end of a freeze are looked at again by the next sweep.
	PutPolicy(ctx context.Context, p *Policy, e Event) error
	// DeletePolicy does the same, and wraps ErrNotFound where there is none.
	DeletePolicy(ctx context.Context, project string, e Event) error
}

// Policies is what people may do with the rules over stacks.
type Policies struct {
	Store PolicyStore
	// Directory has the projects.
	Directory func(ctx context.Context) (*Directory, error)
	// Parse reads the text of a policy. Mistakes come back as Diagnostics.
	Parse func(source string) (ApprovalRule, error)
	Now   func() time.Time
}

// Put writes the rule of a project, or of the installation for "". It holds for
// plans that wait already.
func (s *Policies) Put(ctx context.Context, p Principal, project, source string) (*Policy, error) {
	if err := s.check(ctx, p, project); err != nil {
		return nil, err
	}
	rule, err := s.Parse(source)
	if err != nil {
		return nil, err
	}
	policy := &Policy{Project: project, Source: source, Rule: rule, UpdatedBy: p.User, UpdatedAt: s.Now()}
	if err := s.agrees(ctx, policy); err != nil {
		return nil, err
	}
	e := s.event(p, "policy.set", project)
	return policy, s.Store.PutPolicy(ctx, policy, replacing(e, func(before *Policy) (was, is map[string]any) { return before.told(), policy.told() }))
}

// check refuses projects that there are not, and those who may not write their rule.
func (s *Policies) check(ctx context.Context, p Principal, project string) error {
	if err := p.Check(MayWritePolicy, ProjectScope(project)); err != nil || project == "" {
		return err
	}
	d, err := s.Directory(ctx)
	if err == nil && !d.hasProject(project) {
		err = Missing(ThingProject, project)
	}
	return err
}

// agrees checks that somebody could approve under a project's rule and that of
// the installation.
func (s *Policies) agrees(ctx context.Context, policy *Policy) error {
	d, err := s.Directory(ctx)
	if err == nil {
		err = policy.Rule.among(d)
	}
	if err != nil {
		return err
	}
	others, err := s.Store.Policies(ctx)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.Project == policy.Project || other.Project != "" && policy.Project != "" {
			continue
		}
		if err := Stricter(policy.Rule, other.Rule).can(); err != nil {
			return Invalid("with the rule of %s, %v", other.From(), err)
		}
	}
	return nil
}

// Delete removes the rule of a project, or of the installation for "".
func (s *Policies) Delete(ctx context.Context, p Principal, project string) error {
	if err := s.check(ctx, p, project); err != nil {
		return err
	}
	e := s.event(p, "policy.delete", project)
	return s.Store.DeletePolicy(ctx, project, replacing(e, func(before *Policy) (was, is map[string]any) { return before.told(), nil }))
}

func (s *Policies) event(p Principal, action, project string) Event {
	return newEvent(s.Now(), p.User, action, "", Policy{Project: project}.From(), map[string]any{"project": project}).in(project)
}
