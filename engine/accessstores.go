package engine

import (
	"context"
	"time"
)

// UserStore keeps users, tokens and sessions.
type UserStore interface {
	// CreateUser gives the new user the roles in the whole installation.
	CreateUser(ctx context.Context, u *User, roles []Role, e Event) error
	// UpdateUser lets change edit a user, with the directory beside it, and
	// writes all but the count of wrong passwords, which is only ever forgotten
	// with Ends.Lock; it ends what is to end and writes the event in the same
	// transaction. Writers wait for each other. An error of change is returned
	// as it is.
	UpdateUser(ctx context.Context, name string, change func(*User, *Directory) (Ends, Event, error)) (*User, error)
	User(ctx context.Context, name string) (*User, error)
	Users(ctx context.Context, p Page) ([]*User, error) // by name
	// CountFailure counts a wrong password, and writes until when the account
	// is locked, if it is, with the events that follow.
	CountFailure(ctx context.Context, name string, follows func(failures int) (time.Time, []Event)) error
	// ClearFailures forgets wrong passwords, unless the account is locked now.
	ClearFailures(ctx context.Context, name string, now time.Time) (cleared bool, err error)
	IdentityStore
	TokenStore
	SessionStore
	DeviceStore
}

// TokenStore keeps API tokens.
type TokenStore interface {
	// CreateToken keeps a token. With the hash of a password that was shown for
	// it, it wraps ErrNotFound where that is not the user's any more, or the user
	// is disabled; "" stands for none.
	CreateToken(ctx context.Context, t *Token, hash string, e Event) error
	// Tokens lists a user's tokens, newest first; a cursor is an ID.
	Tokens(ctx context.Context, user string, p Page) ([]*Token, error)
	// Token wraps ErrNotFound, as DeleteToken does.
	Token(ctx context.Context, id string) (*Token, error)
	DeleteToken(ctx context.Context, id string, e Event) error
	// TokenUser finds a token by hash with its user, in one statement.
	TokenUser(ctx context.Context, hash string) (*Token, *User, error)
	TouchToken(ctx context.Context, id string, at time.Time, from string) error
}

// SessionStore keeps the sessions of browsers.
type SessionStore interface {
	// CreateSession keeps a session. It wraps ErrNotFound where the user is
	// disabled, or the hash is not that of the user's password any more; "" stands
	// for a session that no password opens.
	CreateSession(ctx context.Context, s *Session, hash string, e Event) error
	// SessionUser finds a session by hash with its user, in one statement.
	SessionUser(ctx context.Context, hash string) (*Session, *User, error)
	// Sessions lists a user's sessions, newest first.
	Sessions(ctx context.Context, user string) ([]*Session, error)
	TouchSession(ctx context.Context, hash string, at time.Time, from string) error
	// DeleteSessions ends those of a user's sessions whose hash starts so, and
	// counts them; the event is written if there is one.
	DeleteSessions(ctx context.Context, user, hashPrefix string, e Event) (int, error)
	DeleteExpiredSessions(ctx context.Context, at time.Time) error
}

// CredentialStore keeps credentials, encrypted.
type CredentialStore interface {
	PutCredential(ctx context.Context, c *Credential, e Event) error
	Credential(ctx context.Context, name string) (*Credential, error)
	// Credentials lists by name, without values.
	Credentials(ctx context.Context, p Page) ([]*Credential, error)
	DeleteCredential(ctx context.Context, name string, e Event) error
}

// VariableStore keeps values for stacks beside their sources, encrypted.
type VariableStore interface {
	// Variables lists inputs and then the environment, by name; a cursor is a
	// kind and a name, as in "input/size".
	Variables(ctx context.Context, stack string, p Page) ([]*Variable, error)
	PutVariable(ctx context.Context, v *Variable, e Event) error
	DeleteVariable(ctx context.Context, stack, name string, kind VariableKind, e Event) error
	// VariableSets lists sets by name, with their variables.
	VariableSets(ctx context.Context, p Page) ([]*VariableSet, error)
	VariableSet(ctx context.Context, name string) (*VariableSet, error)
	// PutVariableSet inserts or replaces by name; the variables stay as they are.
	PutVariableSet(ctx context.Context, v *VariableSet, e Event) error
	DeleteVariableSet(ctx context.Context, name string, e Event) error
	// SetShared keeps a variable in a set, UnsetShared forgets it.
	SetShared(ctx context.Context, set string, v *Variable, e Event) error
	UnsetShared(ctx context.Context, set string, kind VariableKind, name string, e Event) error
}
