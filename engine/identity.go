package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// SignOnIdentity is who somebody is at an identity provider, which has been checked.
type SignOnIdentity struct {
	Issuer  string
	Subject string   // never given to somebody else by the issuer
	Name    string   // what the person is called there
	Groups  []string // the person is in
}

// SignOnFlow is what a sign-on was begun for.
type SignOnFlow struct {
	Next string // page to go on with
	User string // who links the identity; empty where somebody signs in
}

// SignOn says what becomes of people whom an identity provider sends.
type SignOn struct {
	Create  bool                // makes a user of who comes for the first time
	Roles   []Role              // of users made so, in the whole installation
	Require []string            // groups of which somebody has to be in one; empty for anybody
	Teams   map[string][]string // teams by group
}

// IdentityStore keeps who users are at identity providers.
type IdentityStore interface {
	// UserByIdentity wraps ErrNotFound for a subject that nobody is.
	UserByIdentity(ctx context.Context, issuer, subject string) (*User, error)
	// CreateLinked makes a user with an identity, and wraps ErrConflict where
	// there is a user of that name.
	CreateLinked(ctx context.Context, u *User, roles []Role, id SignOnIdentity, e Event) error
	// LinkUser gives a user an identity, and wraps ErrConflict where it is
	// somebody else's.
	LinkUser(ctx context.Context, user string, id SignOnIdentity, at time.Time, e Event) error
	// Identities lists a user's identities, oldest first.
	Identities(ctx context.Context, user string) ([]*LinkedIdentity, error)
	// UnlinkUser forgets an identity and ends the sessions of its user that its
	// issuer has opened. It wraps ErrNotFound.
	UnlinkUser(ctx context.Context, i *LinkedIdentity, e Event) error
}

// SignIn opens a browser session for whom an identity provider has sent. The
// person is known by issuer and subject, never by name. Groups that the policy
// maps become teams, anew each time.
func (a *Access) SignIn(ctx context.Context, id SignOnIdentity) (Secret, *Session, error) {
	if err := a.admit(ctx, id); err != nil {
		return "", nil, err
	}
	u, err := a.Store.UserByIdentity(ctx, id.Issuer, id.Subject)
	if errors.Is(err, ErrNotFound) {
		u, err = a.newcomer(ctx, id)
	}
	if err == nil && u.Disabled {
		err = a.turnAway(ctx, id, Forbidden("user %s is disabled; ask an admin", u.Name))
	}
	if err == nil {
		err = a.SyncTeams(ctx, u.Name, id.Issuer, a.SignOn.teams(id.Groups))
	}
	if err != nil {
		return "", nil, err
	}
	return a.openSession(ctx, u, id.Issuer)
}

// admit turns away who is in none of the groups that the policy asks for.
func (a *Access) admit(ctx context.Context, id SignOnIdentity) error {
	in := func(group string) bool { return slices.Contains(id.Groups, group) }
	if len(a.SignOn.Require) == 0 || slices.ContainsFunc(a.SignOn.Require, in) {
		return nil
	}
	return a.turnAway(ctx, id, Forbidden("%s is in none of the groups that may sign in here; ask an admin of CloudOps Manager which ones may", id.Name))
}

// turnAway records a refusal: as one of the issuer's, for the name is not one of
// ours, and whoever comes could have chosen it. It stands without its record.
func (a *Access) turnAway(ctx context.Context, id SignOnIdentity, why error) error {
	detail := map[string]any{"reason": why.Error(), "subject": clip(id.Subject, maxAgent)}
	_ = a.Store.AddEvent(ctx, newEvent(a.Now(), id.Issuer, "session.refused", "", clip(id.Name, maxAgent), detail))
	return why
}

// newcomer makes a user of who comes for the first time.
func (a *Access) newcomer(ctx context.Context, id SignOnIdentity) (*User, error) {
	name := strings.ToLower(id.Name)
	if !a.SignOn.Create {
		return nil, a.turnAway(ctx, id, Forbidden("%s is not known here, and users are not made by signing in; ask an admin", id.Name))
	}
	if err := checkUserName(name); err != nil {
		return nil, err
	}
	u := &User{Name: name, Kind: Person, CreatedAt: a.Now()}
	event := newEvent(a.Now(), name, "user.create", "", name, map[string]any{"roles": a.SignOn.Roles, "kind": Person, "issuer": id.Issuer, "subject": id.Subject}).
		changing(nil, u.told())
	err := a.Store.CreateLinked(ctx, u, a.SignOn.Roles, id, event)
	if errors.Is(err, ErrConflict) {
		// The name alone proves nothing: somebody could have chosen it over there.
		return nil, Conflict("there is a user %s already, who is somebody else as far as can be told; if it is you, sign in with your password and link the sign-on on your account page", name)
	}
	return u, err
}

// Link lets a person sign in by an identity provider, too.
func (a *Access) Link(ctx context.Context, p Principal, id SignOnIdentity) error {
	if err := p.whole(); err != nil {
		return err
	}
	if p.Session == "" {
		return Forbidden("sign in with a browser to link a sign-on")
	}
	event := newEvent(a.Now(), p.User, "user.link", "", p.User, map[string]any{"issuer": id.Issuer, "subject": id.Subject}).
		changing(nil, map[string]any{"issuer": id.Issuer, "subject": id.Subject})
	return a.Store.LinkUser(ctx, p.User, id, a.Now(), event)
}

// teams gives the teams of groups, each once, by name.
func (s SignOn) teams(groups []string) []string {
	var teams []string
	for _, g := range groups {
		teams = append(teams, s.Teams[g]...)
	}
	slices.Sort(teams)
	return slices.Compact(teams)
}
