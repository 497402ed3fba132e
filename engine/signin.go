package engine

import (
	"context"
	"errors"
	"time"
)

// LocalLogin says who may sign in with a password.
type LocalLogin string

// Who may sign in with a password where there is single sign-on, too.
const (
	LocalOn     LocalLogin = "on"
	LocalAdmins LocalLogin = "admins" // for when the identity provider is down
	LocalOff    LocalLogin = "off"
)

// AccessPolicy says how people get in and for how long. Zero fields stand for
// the defaults.
type AccessPolicy struct {
	SessionIdle time.Duration // a session ends when it was not used for so long
	SessionLife time.Duration // and in any case after so long
	TokenLife   time.Duration // of a token for which none is given, and of those of logins
	TokenMax    time.Duration // no token lives longer; 0 lets them live for ever
	LocalLogin  LocalLogin
}

// The defaults of an AccessPolicy.
const (
	DefaultSessionIdle = 2 * time.Hour
	DefaultSessionLife = 12 * time.Hour
	DefaultTokenLife   = 90 * 24 * time.Hour
)

func (p AccessPolicy) sessionIdle() time.Duration {
	return orDefault(p.SessionIdle, DefaultSessionIdle)
}

func (p AccessPolicy) sessionLife() time.Duration {
	return orDefault(p.SessionLife, DefaultSessionLife)
}

// tokenLife is the default, as far as it may be.
func (p AccessPolicy) tokenLife() time.Duration {
	life := orDefault(p.TokenLife, DefaultTokenLife)
	if p.TokenMax > 0 {
		return min(life, p.TokenMax)
	}
	return life
}

// ends gives when a token expires; zero for never. What was made before there
// was a limit, or a stricter one, ends by it as well.
func (p AccessPolicy) ends(t *Token) time.Time {
	most := t.CreatedAt.Add(p.TokenMax)
	if p.TokenMax > 0 && (t.ExpiresAt.IsZero() || most.Before(t.ExpiresAt)) {
		return most
	}
	return t.ExpiresAt
}

func orDefault(d, usual time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return usual
}

// lets reports whether the policy lets the user sign in with a password.
func (a *Access) lets(ctx context.Context, u *User) (bool, error) {
	switch a.Policy.LocalLogin {
	case LocalOff:
		return false, nil
	case LocalAdmins:
		d, err := a.Directory(ctx)
		return err == nil && d.Rights(u.Name).May(MayManageUsers, Scope{}), err
	}
	return true, nil
}

// Login opens a browser session for a person. The cookie's value is returned
// once; the database keeps its hash.
func (a *Access) Login(ctx context.Context, name string, password Secret) (Secret, *Session, error) {
	u, err := a.verify(ctx, name, password)
	if err != nil {
		return "", nil, err
	}
	return a.openSession(ctx, u, viaPassword)
}

// LoginToken gives a person with a password an API token, for the CLI. It is
// a PasswordChangeError where the password has to be changed first.
func (a *Access) LoginToken(ctx context.Context, name string, password Secret, label string) (Secret, *Token, error) {
	u, err := a.verify(ctx, name, password)
	if err != nil {
		return "", nil, err
	}
	p := Principal{User: u.Name, Kind: u.Kind, MustChange: u.MustChange}
	secret, t, err := a.createToken(ctx, p, TokenRequest{Name: label}, u.PasswordHash)
	if errors.Is(err, ErrNotFound) { // it was changed meanwhile
		err = wrongLogin()
	}
	return secret, t, err
}

// verify checks a name and password, and takes as long for a name that nobody
// has, or that no password lets in. One that nobody can have takes no time, and
// is kept nowhere: it could be as long as whoever sends it likes.
func (a *Access) verify(ctx context.Context, name string, password Secret) (*User, error) {
	if CheckName("user", name) != nil {
		return nil, wrongLogin()
	}
	u, err := a.Store.User(ctx, name)
	if errors.Is(err, ErrNotFound) {
		u, err = &User{Name: name, Disabled: true}, nil
	}
	if err != nil {
		return nil, err
	}
	hash := ""
	if let, err := a.lets(ctx, u); err != nil {
		return nil, err
	} else if let && !u.Disabled {
		hash = u.PasswordHash
	}
	right, err := a.Passwords.Verify(ctx, hash, password)
	if err != nil {
		return nil, err
	}
	return u, a.settleLogin(ctx, u, right)
}

// settleLogin counts a wrong password, and forgets those before a right one.
// Guesses at a locked account are neither answered nor counted nor recorded, so
// that they fill no database; nor are those at names that nobody has.
func (a *Access) settleLogin(ctx context.Context, u *User, right bool) error {
	if u.Disabled {
		return wrongLogin()
	}
	// As it is now: of a thousand guesses at once, those that waited longest for
	// their turn began before the account was locked.
	last, err := a.Store.User(ctx, u.Name)
	if err != nil {
		return err
	}
	now := a.Now()
	switch {
	case last.Locked(now):
		return wrongLogin()
	case !right:
		if err := a.Store.CountFailure(ctx, u.Name, a.refuse(u.Name, now)); err != nil {
			return err
		}
		return wrongLogin()
	case last.Failures == 0:
		return nil
	}
	free, err := a.Store.ClearFailures(ctx, u.Name, now)
	if err == nil && !free { // guesses that came in between have locked it
		return wrongLogin()
	}
	return err
}

// refuse tells what follows from the wrong passwords so far.
func (a *Access) refuse(name string, now time.Time) func(failures int) (time.Time, []Event) {
	return func(failures int) (time.Time, []Event) {
		events := []Event{newEvent(now, name, "session.refused", "", name, map[string]any{"failures": failures})}
		locked := lockFor(failures)
		if locked == 0 {
			return time.Time{}, events
		}
		until := now.Add(locked)
		return until, append(events, newEvent(now, name, "user.lock", "", name, nil).
			changing(map[string]any{"locked": false}, map[string]any{"locked": true, "until": until}))
	}
}

func wrongLogin() error { return Unauthorized("the name or the password is wrong") }
