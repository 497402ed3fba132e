package engine

import (
	"context"
	"errors"
	"time"
)

// UserKind says whether a user is a person or a program.
type UserKind string

// The kinds of users.
const (
	Person  UserKind = "person"
	Service UserKind = "service" // has tokens and no password, and an owner who answers for it
)

// User is a person or a program that can sign in.
type User struct {
	Name         string
	Kind         UserKind
	Owner        string // of a service account: a person's name
	PasswordHash string // argon2id in PHC form; empty for nobody
	MustChange   bool   // the password is not the user's own choice
	Disabled     bool
	Failures     int       // wrong passwords in a row
	LockedUntil  time.Time // for passwords only; zero for never
	CreatedAt    time.Time
	// Directory is the version of the directory when a token or session of the
	// user was looked up; 0 otherwise.
	Directory int64
}

// Locked reports whether no password lets the user in.
func (u *User) Locked(now time.Time) bool { return now.Before(u.LockedUntil) }

// principal gives a user that was just looked up what it may do: nothing,
// before the password is its own choice.
func (a *Access) principal(ctx context.Context, u *User) (Principal, error) {
	d, err := a.directory(ctx, u.Directory)
	if err != nil {
		return Principal{}, err
	}
	p := Principal{User: u.Name, Kind: u.Kind, Owner: u.Owner, MustChange: u.MustChange}
	if !u.MustChange {
		p.Rights = d.Rights(u.Name)
	}
	return p, nil
}

// Ends says what ends with a change of a user.
type Ends struct {
	Sessions, Tokens bool
	Lock             bool // the user's wrong passwords are forgotten, too
}

// Bootstrap makes the first admin where there is no user at all. It makes up a
// password unless one is given, and returns what it made up, to be shown once:
// it stands in a log from then on, and has to be changed at the first sign-in.
func (a *Access) Bootstrap(ctx context.Context, given Secret) (Secret, error) {
	users, err := a.Store.Users(ctx, Page{Limit: 1})
	if err != nil || len(users) > 0 {
		return "", err
	}
	first := NewUser{Name: "admin", Roles: []Role{RoleAdmin}, Password: given}
	if given == "" {
		first.Password, first.MustChange = NewToken("pw")[:23], true
	}
	err = a.AddUser(ctx, Principal{User: "first start", Rights: Everywhere(RoleAdmin)}, first)
	if errors.Is(err, ErrConflict) { // another process was first
		return "", nil
	}
	if err != nil || given != "" {
		return "", err
	}
	return first.Password, nil
}

// NewUser is a user to be made.
type NewUser struct {
	Name       string
	Roles      []Role   // in the whole installation: none that hold more than who makes it may do
	Kind       UserKind // empty for a person
	Owner      string   // of a service account; empty for who makes it
	Password   Secret   // of a person
	MustChange bool     // at the first sign-in
}

// CreateUser makes a person that can sign in with the password, and keeps it.
func (a *Access) CreateUser(ctx context.Context, p Principal, name string, roles []Role, password Secret) error {
	return a.AddUser(ctx, p, NewUser{Name: name, Roles: roles, Password: password})
}

// checkUserName refuses names of users that are unusable, or that the audit log
// has for who is none.
func checkUserName(name string) error {
	if name == ActorEngine || name == ActorUnknown {
		return Invalid("user name %q: the audit log has it for what nobody did; take another one", name)
	}
	return CheckName("user", name)
}

// AddUser makes a person or a service account.
func (a *Access) AddUser(ctx context.Context, p Principal, n NewUser) error {
	if err := checkUserName(n.Name); err != nil {
		return err
	}
	if err := a.mayGive(ctx, p, n.Name, n.Roles); err != nil {
		return err
	}
	u := &User{Name: n.Name, Kind: Person, MustChange: n.MustChange, CreatedAt: a.Now()}
	if err := a.fill(ctx, p, u, n); err != nil {
		return err
	}
	return a.Store.CreateUser(ctx, u, n.Roles, newEvent(a.Now(), p.User, "user.create", "", n.Name, map[string]any{"roles": n.Roles, "kind": u.Kind, "owner": u.Owner}).changing(nil, u.told()))
}

// fill adds what persons and service accounts do not have alike.
func (a *Access) fill(ctx context.Context, p Principal, u *User, n NewUser) (err error) {
	switch n.Kind {
	case Service:
		u.Kind, u.Owner, u.MustChange = Service, n.Owner, false
		if n.Password != "" {
			return Invalid("service account %s has tokens and no password", n.Name)
		}
		if u.Owner == "" {
			u.Owner = p.User
		}
		return a.checkOwner(ctx, p, u.Owner)
	case Person, "":
		if n.Owner != "" {
			return Invalid("only a service account has an owner")
		}
		u.PasswordHash, err = a.hash(ctx, n.Name, n.Password)
		return err
	}
	return Invalid("a user is a %s or a %s account, not %q", Person, Service, n.Kind)
}

// checkOwner wants a person that is there to answer for a service account. Who
// stands behind a run counts for it, so nobody names somebody who may do more.
func (a *Access) checkOwner(ctx context.Context, p Principal, owner string) error {
	u, err := a.Store.User(ctx, owner)
	if errors.Is(err, ErrNotFound) || err == nil && (u.Kind != Person || u.Disabled) {
		return Invalid("the owner of a service account is a person who can sign in; there is no such user %q", owner)
	}
	if err != nil || owner == p.User {
		return err
	}
	return a.mayManage(ctx, p, owner)
}

// UserChange is what to change about a user; nil fields stay.
type UserChange struct {
	Disabled *bool
	Password *Secret // which then has to be changed, unless it is one's own
	Owner    *string // of a service account
	Unlock   bool    // lets passwords in again
}

// UpdateUser changes a user. Nobody can take the last admin away, nor change
// somebody who may do more. Who is disabled, or given another password, is
// signed out everywhere.
func (a *Access) UpdateUser(ctx context.Context, p Principal, name string, ch UserChange) (*User, error) {
	u, err := a.Store.User(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := a.mayManage(ctx, p, name); err != nil {
		return nil, err
	}
	hash, err := a.checkChange(ctx, p, u, ch)
	if err != nil {
		return nil, err
	}
	names, err := a.inHandOf(ctx, name)
	if err != nil {
		return nil, err
	}
	detail := map[string]any{"password": ch.Password != nil, "unlock": ch.Unlock}
	event := newEvent(a.Now(), p.User, "user.update", "", name, detail)
	return a.Store.UpdateUser(ctx, name, func(u *User, d *Directory) (Ends, Event, error) {
		if err := d.mayManage(p, names); err != nil { // who was given more while the password was hashed
			return Ends{}, event, err
		}
		before := u.told()
		ch.apply(u, hash, p.User == name)
		if u.Disabled && !d.hasAdminWithout(name) {
			return Ends{}, event, Conflict("%s is the last admin; make another one first", name)
		}
		return Ends{Sessions: u.Disabled || ch.Password != nil, Lock: ch.Unlock || ch.Password != nil}, event.changing(before, u.told()), nil
	})
}

// checkChange refuses what cannot be changed about a user, and gives the hash of
// the new password, "" for none.
func (a *Access) checkChange(ctx context.Context, p Principal, u *User, ch UserChange) (hash string, err error) {
	switch {
	case (ch.Password != nil || ch.Unlock) && u.Kind == Service:
		return "", Invalid("service account %s has no password", u.Name)
	case ch.Owner != nil && u.Kind != Service:
		return "", Invalid("only a service account has an owner")
	case ch.Owner != nil:
		err = a.checkOwner(ctx, p, *ch.Owner)
	}
	if err == nil && ch.Password != nil {
		hash, err = a.hash(ctx, u.Name, *ch.Password)
	}
	return hash, err
}

// apply edits a user; hash is that of the new password, which is the user's own
// choice or not.
func (ch UserChange) apply(u *User, hash string, own bool) {
	if ch.Disabled != nil {
		u.Disabled = *ch.Disabled
	}
	if ch.Password != nil {
		u.PasswordHash, u.MustChange = hash, !own
	}
	if ch.Unlock || ch.Password != nil {
		u.Failures, u.LockedUntil = 0, time.Time{}
	}
	if ch.Owner != nil {
		u.Owner = *ch.Owner
	}
}
