package engine

import (
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
