package engine

import (
	"context"
	"regexp"
	"sync"
	"sync/atomic"
	"time"
)

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
	Policy    AccessPolicy
	SignOn    SignOn

	known atomic.Pointer[Directory] // as it was read last
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
