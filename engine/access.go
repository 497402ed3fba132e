package engine

import (
	"context"
	"errors"
	"regexp"
	"sync"
	"sync/atomic"
	"time"
)

// Passwords hashes passwords so that guessing is slow.
type Passwords interface {
	Hash(ctx context.Context, password Secret) (string, error)
	// Verify reports whether the password is the one behind hash. It takes as
	// long for an empty hash as for any other. An error says that it could not
	// be looked at before ctx ended.
	Verify(ctx context.Context, hash string, password Secret) (bool, error)
}

// SessionLife is how long a browser stays signed in.
const SessionLife = 12 * time.Hour

// Access says who somebody is, and keeps users, tokens and credentials.
type Access struct {
	Store interface {
		UserStore
		DirectoryStore
		CredentialStore
		EventStore
	}
	Passwords Passwords
	Now       func() time.Time

	known atomic.Pointer[Directory] // as it was read last
}

// Bootstrap makes the first admin where there is no user at all. It makes up a
// password unless one is given, and returns what it made up, to be shown once.
func (a *Access) Bootstrap(ctx context.Context, given Secret) (Secret, error) {
	users, err := a.Store.Users(ctx, Page{Limit: 1})
	if err != nil || len(users) > 0 {
		return "", err
	}
	password, shown := given, Secret("")
	if password == "" {
		password = NewToken("pw")[:23]
		shown = password
	}
	err = a.CreateUser(ctx, Principal{User: "first start", Rights: Everywhere(RoleAdmin)}, "admin", []Role{RoleAdmin}, password)
	if errors.Is(err, ErrConflict) { // another process was first
		return "", nil
	}
	return shown, err
}

// Login opens a browser session for a person. The cookie's value is returned
// once; the database keeps its hash.
func (a *Access) Login(ctx context.Context, name string, password Secret) (Secret, *Session, error) {
	u, err := a.verify(ctx, name, password)
	if err != nil {
		return "", nil, err
	}
	now := a.Now()
	cookie := NewToken("cosess")
	session := &Session{Hash: cookie.Hash(), User: u.Name, CSRF: NewToken("csrf").Reveal(), CreatedAt: now, ExpiresAt: now.Add(SessionLife)}
	err = a.Store.CreateSession(ctx, session, newEvent(now, u.Name, "session.create", "", u.Name, nil))
	return cookie, session, err
}

// verify checks a name and password, and takes as long for a name that nobody
// has. One that nobody can have takes no time, and is kept nowhere: it could be
// as long as whoever sends it likes.
func (a *Access) verify(ctx context.Context, name string, password Secret) (*User, error) {
	if CheckName("user", name) != nil {
		return nil, wrongLogin()
	}
	u, err := a.Store.User(ctx, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	hash := ""
	if u != nil && !u.Disabled {
		hash = u.PasswordHash
	}
	right, err := a.Passwords.Verify(ctx, hash, password)
	if err != nil {
		return nil, err
	}
	if !right {
		_ = a.Store.AddEvent(ctx, newEvent(a.Now(), name, "session.refused", "", name, nil)) // the refusal stands without its record
		return nil, wrongLogin()
	}
	return u, nil
}

func wrongLogin() error { return Unauthorized("the name or the password is wrong") }

// LoginToken gives a person with a password an API token, for the CLI.
func (a *Access) LoginToken(ctx context.Context, name string, password Secret, label string) (Secret, *Token, error) {
	u, err := a.verify(ctx, name, password)
	if err != nil {
		return "", nil, err
	}
	return a.CreateToken(ctx, Principal{User: u.Name}, label, 90*24*time.Hour)
}

// BySession finds who a browser's cookie belongs to.
func (a *Access) BySession(ctx context.Context, cookie Secret) (Principal, error) {
	session, u, err := a.Store.SessionUser(ctx, cookie.Hash())
	if errors.Is(err, ErrNotFound) || err == nil && (u.Disabled || a.Now().After(session.ExpiresAt)) {
		return Principal{}, Unauthorized("the session is over; sign in again")
	}
	if err != nil {
		return Principal{}, err
	}
	p, err := a.principal(ctx, u)
	p.CSRF = session.CSRF
	return p, err
}

// principal gives a user that was just looked up what it may do.
func (a *Access) principal(ctx context.Context, u *User) (Principal, error) {
	d, err := a.directory(ctx, u.Directory)
	if err != nil {
		return Principal{}, err
	}
	return Principal{User: u.Name, Kind: Person, Rights: d.Rights(u.Name)}, nil
}

// Logout ends a browser session.
func (a *Access) Logout(ctx context.Context, cookie Secret) error {
	return a.Store.DeleteSession(ctx, cookie.Hash())
}

// ByToken finds who an API token belongs to. When it was last used is kept to
// the minute.
func (a *Access) ByToken(ctx context.Context, token Secret) (Principal, error) {
	t, u, err := a.Store.TokenUser(ctx, token.Hash())
	now := a.Now()
	if errors.Is(err, ErrNotFound) || err == nil && (u.Disabled || !t.ExpiresAt.IsZero() && now.After(t.ExpiresAt)) {
		return Principal{}, Unauthorized("the token is unknown or has expired; make a new one with: cloudops login")
	}
	if err != nil {
		return Principal{}, err
	}
	p, err := a.principal(ctx, u)
	p.Token = t.ID
	if err == nil && now.Sub(t.UsedAt) > time.Minute {
		err = a.Store.TouchToken(ctx, t.ID, now)
	}
	return p, err
}

// CreateToken makes an API token for the principal. The token is returned
// once; a life of 0 means that it does not expire.
func (a *Access) CreateToken(ctx context.Context, p Principal, name string, life time.Duration) (Secret, *Token, error) {
	if name == "" {
		return "", nil, Invalid("a token needs a name that says what it is for")
	}
	now := a.Now()
	secret := NewToken("cop")
	t := &Token{ID: NewID("tok", now), User: p.User, Name: name, Hash: secret.Hash(), CreatedAt: now}
	if life > 0 {
		t.ExpiresAt = now.Add(life)
	}
	err := a.Store.CreateToken(ctx, t, newEvent(now, p.User, "token.create", "", t.ID, map[string]any{"name": name, "expires": t.ExpiresAt}))
	return secret, t, err
}

// DeleteToken takes a token back: one's own, or anybody's with the right to
// manage users.
func (a *Access) DeleteToken(ctx context.Context, p Principal, id string) error {
	owner := p.User
	if p.May(MayManageUsers, Scope{}) {
		owner = ""
	}
	return a.Store.DeleteToken(ctx, id, owner, newEvent(a.Now(), p.User, "token.delete", "", id, nil))
}

// nameRule is what users, credentials and schedules may be called.
var nameRule = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z0-9]([a-z0-9._@-]{0,62}[a-z0-9])?$`)
})

// CheckName refuses names that are hard to type, quote or put into a URL.
func CheckName(what, name string) error {
	if nameRule().MatchString(name) {
		return nil
	}
	return Invalid("%s name %q: use 1 to 64 of a-z, 0-9, dot, dash, underscore and @, with a letter or digit at both ends", what, name)
}

// minPassword is the least length of a password, in bytes.
const minPassword = 12

// CreateUser makes a user that can sign in with the password, with roles in
// the whole installation: none that hold more than p may do.
func (a *Access) CreateUser(ctx context.Context, p Principal, name string, roles []Role, password Secret) error {
	if err := CheckName("user", name); err != nil {
		return err
	}
	if err := a.mayGive(ctx, p, name, roles); err != nil {
		return err
	}
	hash, err := a.hash(ctx, password)
	if err != nil {
		return err
	}
	u := &User{Name: name, PasswordHash: hash, CreatedAt: a.Now()}
	return a.Store.CreateUser(ctx, u, roles, newEvent(a.Now(), p.User, "user.create", "", name, map[string]any{"roles": roles}))
}

func (a *Access) hash(ctx context.Context, password Secret) (string, error) {
	if len(password) < minPassword {
		return "", Invalid("a password has at least %d characters", minPassword)
	}
	return a.Passwords.Hash(ctx, password)
}

// UserChange is what to change about a user; nil fields stay.
type UserChange struct {
	Disabled *bool
	Password *Secret
}

// UpdateUser changes a user. Nobody can take the last admin away, nor change
// somebody who may do more.
func (a *Access) UpdateUser(ctx context.Context, p Principal, name string, ch UserChange) (*User, error) {
	u, err := a.Store.User(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := a.mayManage(ctx, p, name); err != nil {
		return nil, err
	}
	if ch.Disabled != nil {
		u.Disabled = *ch.Disabled
	}
	if ch.Password != nil {
		if u.PasswordHash, err = a.hash(ctx, *ch.Password); err != nil {
			return nil, err
		}
	}
	if err := a.keepAnAdmin(ctx, u); err != nil {
		return nil, err
	}
	return u, a.Store.UpdateUser(ctx, u, newEvent(a.Now(), p.User, "user.update", "", name, map[string]any{"disabled": u.Disabled, "password": ch.Password != nil}))
}

func (a *Access) keepAnAdmin(ctx context.Context, changed *User) error {
	d, err := a.Store.Directory(ctx)
	if err != nil || !changed.Disabled {
		return err
	}
	if d.Disabled = append(d.Disabled, changed.Name); d.hasAdmin() {
		return nil
	}
	return Conflict("%s is the last admin; make another one first", changed.Name)
}

// PutCredential stores a set of credentials, in place of one with that name.
func (a *Access) PutCredential(ctx context.Context, p Principal, c *Credential) error {
	if err := checkPlace(ctx, a.Store, "credentials", c.Name); err != nil {
		return err
	}
	if len(c.Values) == 0 {
		return Invalid("credentials %s need at least one environment variable, such as AWS_ACCESS_KEY_ID", c.Name)
	}
	for key := range c.Values {
		if err := CheckEnvName(key); err != nil {
			return err
		}
	}
	c.CreatedAt, c.UpdatedAt = a.Now(), a.Now()
	return a.Store.PutCredential(ctx, c, newEvent(a.Now(), p.User, "credential.put", "", c.Name, map[string]any{"cloud": c.Cloud}))
}

// DeleteCredential removes a set of credentials.
func (a *Access) DeleteCredential(ctx context.Context, p Principal, name string) error {
	return a.Store.DeleteCredential(ctx, name, newEvent(a.Now(), p.User, "credential.delete", "", name, nil))
}
