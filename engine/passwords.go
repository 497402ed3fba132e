package engine

import (
	"context"
	_ "embed"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// Passwords hashes passwords so that guessing is slow.
type Passwords interface {
	Hash(ctx context.Context, password Secret) (string, error)
	// Verify reports whether the password is the one behind hash. It takes as
	// long for an empty hash as for any other. An error says that it could not
	// be looked at before ctx ended.
	Verify(ctx context.Context, hash string, password Secret) (bool, error)
}

// The least length of a password, in characters, and the greatest, in bytes.
const (
	minPassword = 12
	maxPassword = 1024
)

// minVariety is how many different characters a password has at least.
const minVariety = 5

// common is a list of passwords that are long enough and still among the first
// that anybody tries, one a line, in the form of plainWords.
//
//go:embed passwords.txt
var common string

var commonPasswords = sync.OnceValue(func() map[string]bool {
	list := map[string]bool{}
	for word := range strings.Lines(common) {
		list[strings.TrimSpace(word)] = true
	}
	return list
})

// plainWords is a password in small letters and digits only: what stands
// between words does not make it harder to guess.
func plainWords(password string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, password)
}

// CheckPassword refuses passwords that are guessed first. Source: NIST SP
// 800-63B-4, section 3.1.1.2: a least length, a list of common ones and words
// of the context are checked, and no kinds of characters are asked for.
func CheckPassword(user string, password Secret) error {
	text := password.Reveal()
	words := plainWords(text)
	switch {
	case utf8.RuneCountInString(text) < minPassword:
		return Invalid("a password has at least %d characters", minPassword)
	case len(text) > maxPassword:
		return Invalid("a password has at most %d bytes", maxPassword)
	case variety(text) < minVariety:
		return Invalid("a password has at least %d different characters", minVariety)
	case commonPasswords()[words]:
		return Invalid("this password is one of the first that are tried; take another one, such as four words that have nothing to do with each other")
	case len(user) > 2 && len(strings.ReplaceAll(words, plainWords(user), "")) < minPassword/2:
		return Invalid("this password is hardly more than the user's name; take another one")
	}
	return nil
}

// variety counts the different characters of a text.
func variety(text string) int {
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	return len(seen)
}

// hash checks a new password of a user and hashes it.
func (a *Access) hash(ctx context.Context, user string, password Secret) (string, error) {
	if err := CheckPassword(user, password); err != nil {
		return "", err
	}
	return a.Passwords.Hash(ctx, password)
}

// PasswordChangeError is the refusal of somebody whose password somebody else
// knows, too.
type PasswordChangeError struct{ User string }

func (e *PasswordChangeError) Error() string {
	return e.User + " has to choose a password first: on the account page, or with cloudops login --username " + e.User
}

// Is lets callers treat it as forbidden.
func (e *PasswordChangeError) Is(target error) bool { return target == ErrForbidden }

// PasswordChange is another password for the one that is known.
type PasswordChange struct {
	Old, New  Secret
	EndTokens bool // takes the user's tokens back, too
}

// ChangePassword gives a person another password. All their sessions end.
func (a *Access) ChangePassword(ctx context.Context, name string, ch PasswordChange) error {
	u, err := a.verify(ctx, name, ch.Old)
	if err != nil {
		return err
	}
	if ch.New == ch.Old {
		return Invalid("the new password is the old one; take another")
	}
	hash, err := a.hash(ctx, name, ch.New)
	if err != nil {
		return err
	}
	event := newEvent(a.Now(), name, "user.password", "", name, map[string]any{"tokens": ch.EndTokens})
	_, err = a.Store.UpdateUser(ctx, name, func(now *User, _ *Directory) (Ends, Event, error) {
		if now.Disabled || now.PasswordHash != u.PasswordHash { // an admin was faster
			return Ends{}, event, wrongLogin()
		}
		before := now.told()
		now.PasswordHash, now.MustChange = hash, false
		return Ends{Sessions: true, Tokens: ch.EndTokens}, event.changing(before, now.told()), nil
	})
	return err
}

// How many wrong passwords in a row lock an account, for how long at first,
// and at most. Each ten more double the time. A stranger can thus keep somebody
// from using a password, though neither from single sign-on nor from the
// sessions and tokens that they have, and never for longer than maxLock after
// the last guess.
const (
	lockAfter = 10
	firstLock = 15 * time.Minute
	maxLock   = time.Hour
)

// lockFor gives how long an account is locked after so many wrong passwords in
// a row; 0 for not at all.
func lockFor(failures int) time.Duration {
	if failures == 0 || failures%lockAfter != 0 {
		return 0
	}
	doubled := min(failures/lockAfter-1, 10) // so that it does not overflow
	return min(firstLock<<doubled, maxLock)
}
