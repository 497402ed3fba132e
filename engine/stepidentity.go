package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// authenticate adds to the job what its phase authenticates with: environment
// variables, or an access of another kind.
func (s *Runs) authenticate(ctx context.Context, run *Run, step *Step, job *Job) error {
	c, err := s.credential(ctx, run.Stack, step.Component.Credentials)
	if err != nil || c == nil {
		return err
	}
	if c.Kind != CredentialEnvironment {
		job.Access, err = s.accessOf(ctx, c, run, step.Phase())
		job.Mask = append(job.Mask, job.Access.Masked()...)
		return err
	}
	for k, v := range c.part(step.Phase()).Values {
		job.Env[k] = v.Reveal()
		job.Mask = append(job.Mask, v.Reveal())
	}
	return nil
}

// access is what the phase that the step is in authenticates with.
func (s *Runs) access(ctx context.Context, run *Run, step *Step) (*CloudAccess, error) {
	c, err := s.credential(ctx, run.Stack, step.Component.Credentials)
	if err != nil || c == nil {
		return nil, err
	}
	return s.accessOf(ctx, c, run, step.Phase())
}

func (s *Runs) accessOf(ctx context.Context, c *Credential, run *Run, phase Phase) (*CloudAccess, error) {
	a := c.access(phase)
	a.Session = "cloudops-" + run.ID + "-" + string(phase)
	source := a.Fields["source"]
	if source == "" {
		return a, nil
	}
	from, err := s.credential(ctx, run.Stack, source)
	if err != nil {
		return nil, err
	}
	if err := canAssume(c, from); err != nil {
		return nil, err
	}
	a.Source = from.access(phase)
	a.Source.Session = a.Session
	return a, nil
}

// canAssume refuses a source that cannot take on the role of c.
func canAssume(c, source *Credential) error {
	switch source.Kind {
	case CredentialAWSStatic:
		return nil
	case CredentialAWSWebIdentity:
		// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html (role chaining).
		if life, err := time.ParseDuration(c.Fields["duration"]); err == nil && life > time.Hour {
			return Invalid("credentials %s: a role that is taken on from the role of %s lasts for an hour at most, not %s", c.Name, source.Name, life)
		}
		return nil
	}
	return Invalid("credentials %s take their role on with %s, which are of kind %s; it has to be %s or %s",
		c.Name, source.Name, source.Kind, CredentialAWSStatic, CredentialAWSWebIdentity)
}

// credential reads stored credentials for a stack, which finds only those of its
// own project; nil where it has none.
func (s *Runs) credential(ctx context.Context, stack, name string) (*Credential, error) {
	if name == "" {
		return nil, nil
	}
	whole, err := CredentialFor(stack, name)
	if err != nil {
		return nil, Invalid("%v", err)
	}
	c, err := s.Store.Credential(ctx, whole)
	if errors.Is(err, ErrNotFound) {
		return nil, Invalid("there are no credentials named %q; store them, or correct the cloud block", whole)
	}
	return c, err
}

// Identity makes a token for the phase of the step that the caller has in hand.
// The audit log keeps that it was made, for what and until when.
func (s *Runs) Identity(ctx context.Context, step *Step) (Identity, error) {
	if err := step.held(step.Attempt); err != nil {
		return Identity{}, err
	}
	run, err := s.Store.Run(ctx, step.Run)
	if err != nil {
		return Identity{}, err
	}
	access, err := s.access(ctx, run, step)
	if err != nil {
		return Identity{}, err
	}
	with := access.federated()
	if with == nil {
		return Identity{}, Invalid("the credentials of %s take no token", step.Component.Address)
	}
	subject := subjectOf(with.Fields["subject"], run.Stack, step.Component.Address, step.Phase())
	id, err := s.Issuer.Mint(ctx, subject, with.audience(), claimsOf(run, step))
	if err != nil {
		return Identity{}, err
	}
	e := newEvent(s.Now(), step.ID, "credential.use", run.Stack, access.Credential, map[string]any{
		"component": step.Component.Address, "phase": step.Phase(), "attempt": step.Attempt, "as": access.String(),
		"subject": id.Subject, "audience": id.Audience, "until": id.ExpiresAt, "worker": step.Worker,
	})
	e.Run = run.ID
	return id, s.Store.AddEvent(ctx, e)
}

// claimsOf is what a token says beside its subject.
func claimsOf(run *Run, step *Step) map[string]any {
	return map[string]any{
		"project": ProjectOf(run.Stack), "stack": run.Stack, "component": step.Component.Address,
		"run": run.ID, "step": step.ID, "attempt": step.Attempt, "phase": step.Phase(),
		"revision": step.Revision, "kind": run.Kind, "started_by": run.StartedBy,
	}
}

// subjectOf is the subject of a token, which trust policies are written for:
//
//	project:P:stack:S:component:C:phase:plan
//	project:P:stack:S:phase:plan
//	project:P:phase:plan
//
// The longest is the usual one. Some clouds compare subjects as a whole, and a
// shorter one serves all steps of a stack or a project there; it is as true.
func subjectOf(which, stack, component string, phase Phase) string {
	project := ProjectOf(stack)
	sub := "project:" + escaped(project)
	if which != SubjectProject {
		sub += ":stack:" + escaped(WithinProject(stack))
	}
	if which != SubjectProject && which != SubjectStack {
		sub += ":component:" + escaped(component)
	}
	return sub + ":phase:" + string(phase)
}

// escaped writes all but letters, digits and ._/@- as % and two hex digits, so
// that no key of a for_each ends its part of a subject, or is a wildcard.
func escaped(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("._/@-", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
