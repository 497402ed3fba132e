package engine

import (
	"context"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Token is an API token. Only its hash is kept.
type Token struct {
	ID        string
	User      string
	Name      string
	Hash      string
	Limit     *Limit // nil where it is as good as its user
	CreatedAt time.Time
	ExpiresAt time.Time // zero for never
	UsedAt    time.Time // to the minute; zero for never
	UsedFrom  string    // address
}

// whole refuses to change an account by a token that is not as good as its
// user, or before the password is one's own.
func (p Principal) whole() error {
	if p.MustChange {
		return &PasswordChangeError{p.User}
	}
	if p.Limit != nil {
		return Forbidden("a token that is limited cannot change tokens, sessions and sign-ins of %s; use one that is not", p.User)
	}
	return nil
}

// The prefixes of API tokens: of persons, and of service accounts.
const (
	personToken  = "copp"
	serviceToken = "cops"
)

// tokenRule is what a token of ours looks like, without its checksum being
// looked at; docs/identity.md has it for leak scanners.
var tokenRule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^cop[ps]_[a-z2-7]{59}$`) })

// newAPIToken returns a secret of 256 random bits, 52 characters, with a
// checksum of 7 behind it: by that a leak scanner tells tokens from other text
// without asking anybody.
func newAPIToken(kind UserKind) Secret {
	prefix := personToken
	if kind == Service {
		prefix = serviceToken
	}
	body := NewToken(prefix)
	return body + Secret(tokenSum(body.Reveal()))
}

// tokenSum is the CRC-32 (IEEE 802.3) of a token's text before it, big-endian,
// in base32 like the rest.
func tokenSum(text string) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], crc32.ChecksumIEEE([]byte(text)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// GenuineToken reports whether a text is an API token by its form and checksum,
// as leak scanners ask. Tokens of versions before, which start with cop_, have
// no checksum.
func GenuineToken(text string) bool {
	return tokenRule().MatchString(text) && strings.HasSuffix(text, tokenSum(text[:len(text)-7]))
}

// ByToken finds who an API token belongs to. When and where it was last used is
// kept to the minute.
func (a *Access) ByToken(ctx context.Context, token Secret) (Principal, error) {
	if !strings.HasPrefix(token.Reveal(), "cop_") && !GenuineToken(token.Reveal()) {
		return Principal{}, unknownToken()
	}
	t, u, err := a.Store.TokenUser(ctx, token.Hash())
	if errors.Is(err, ErrNotFound) {
		return Principal{}, unknownToken()
	}
	if err != nil {
		return Principal{}, err
	}
	now, ends := a.Now(), a.Policy.ends(t)
	if u.Disabled || !ends.IsZero() && now.After(ends) {
		return Principal{}, unknownToken()
	}
	if now.Sub(t.UsedAt) > time.Minute {
		err = a.Store.TouchToken(ctx, t.ID, now, OriginFrom(ctx).Address)
	}
	if err != nil {
		return Principal{}, err
	}
	p, err := a.principal(ctx, u)
	p.Token, p.TokenEnds, p.Limit = t.ID, ends, t.Limit
	return p, err
}

func unknownToken() error {
	return Unauthorized("the token is unknown or has expired; make a new one with: cloudops login")
}

// TokenRequest is a token to be made.
type TokenRequest struct {
	User    string // a service account of one's own, or any with the right to manage users; empty for oneself
	Name    string // what it is for
	Life    time.Duration
	Forever bool  // it does not expire; Life is 0 then
	Limit   Limit // the zero Limit for none
}

// CreateToken makes an API token. It is returned once. Without a life it lives
// as long as the policy says.
func (a *Access) CreateToken(ctx context.Context, p Principal, r TokenRequest) (Secret, *Token, error) {
	return a.createToken(ctx, p, r, "")
}

// createToken makes one for whom the password of a hash has let in; "" for none.
func (a *Access) createToken(ctx context.Context, p Principal, r TokenRequest, shown string) (Secret, *Token, error) {
	if err := p.whole(); err != nil {
		return "", nil, err
	}
	if err := r.check(a.Policy); err != nil {
		return "", nil, err
	}
	u, err := a.tokenUser(ctx, p, r.User)
	if err != nil {
		return "", nil, err
	}
	ends, err := a.tokenEnds(p, u, r)
	if err != nil {
		return "", nil, err
	}
	secret, t, event := a.newToken(p, u, r, ends)
	return secret, t, a.Store.CreateToken(ctx, t, shown, event)
}

// tokenEnds gives when a token that p asks for expires; zero for never. One that
// is made with a token ends with that at the latest, or a leaked one, or one of
// somebody who cannot sign in any more, could make the next in time for ever.
// Who manages users is free to equip service accounts.
func (a *Access) tokenEnds(p Principal, u *User, r TokenRequest) (time.Time, error) {
	var ends time.Time
	if !r.Forever {
		ends = a.Now().Add(orDefault(r.Life, a.Policy.tokenLife()))
	}
	switch {
	case p.TokenEnds.IsZero(), !ends.IsZero() && !ends.After(p.TokenEnds), u.Name != p.User && p.May(MayManageUsers, Scope{}):
		return ends, nil
	case r.Life == 0 && !r.Forever:
		return p.TokenEnds, nil
	}
	return ends, Invalid("a token that is made with a token ends no later than that, here at %s; make this one in a browser, on the account page", p.TokenEnds.Format(time.RFC3339))
}

// newToken makes a token for a user, on behalf of p; ends is zero for never.
func (a *Access) newToken(p Principal, u *User, r TokenRequest, ends time.Time) (Secret, *Token, Event) {
	now := a.Now()
	secret := newAPIToken(u.Kind)
	t := &Token{ID: NewID("tok", now), User: u.Name, Name: r.Name, Hash: secret.Hash(), CreatedAt: now, ExpiresAt: ends}
	if len(r.Limit.Permissions) > 0 || r.Limit.Scope != (Scope{}) {
		t.Limit = &r.Limit
	}
	return secret, t, newEvent(now, p.User, "token.create", "", t.ID, map[string]any{"user": u.Name, "name": r.Name}).changing(nil, t.told())
}

func (r TokenRequest) check(policy AccessPolicy) error {
	if r.Name == "" {
		return Invalid("a token needs a name that says what it is for")
	}
	if r.Life < 0 {
		return Invalid("a token cannot have expired before it is made")
	}
	if most := policy.TokenMax; most > 0 && (r.Forever || r.Life > most) {
		return Invalid("a token lives at most %s here", most)
	}
	var names []string
	for _, perm := range r.Limit.Permissions {
		names = append(names, string(perm))
	}
	_, err := parsePermissions(names)
	return err
}

// tokenUser finds whose token somebody may make or take back.
func (a *Access) tokenUser(ctx context.Context, p Principal, name string) (*User, error) {
	if name == "" || name == p.User {
		return &User{Name: p.User, Kind: p.Kind}, nil
	}
	u, err := a.Store.User(ctx, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if u == nil || u.Kind != Service || u.Owner != p.User && !p.May(MayManageUsers, Scope{}) {
		return nil, Hidden("there is no service account %q that is yours to make tokens for", name)
	}
	if u.Owner == p.User {
		return u, nil
	}
	return u, a.mayManage(ctx, p, name)
}

// Tokens lists the tokens of oneself or, with the right to manage users or to
// read who has access, or as the owner of a service account, of somebody else.
func (a *Access) Tokens(ctx context.Context, p Principal, user string, page Page) ([]*Token, error) {
	if user == "" {
		user = p.User
	}
	if user != p.User && !p.May(MayManageUsers, Scope{}) && !p.May(MayReadAccess, Scope{}) {
		if _, err := a.tokenUser(ctx, p, user); err != nil {
			return nil, err
		}
	}
	return a.TokensOf(ctx, user, page)
}

// TokensOf lists the tokens of a user, each with when it really ends.
func (a *Access) TokensOf(ctx context.Context, user string, page Page) ([]*Token, error) {
	tokens, err := a.Store.Tokens(ctx, user, page)
	for _, t := range tokens {
		t.ExpiresAt = a.Policy.ends(t)
	}
	return tokens, err
}

// DeleteToken takes a token back: the one in use, one's own, one of a service
// account of one's own or, with the right to manage users, of who may do no more.
func (a *Access) DeleteToken(ctx context.Context, p Principal, id string) error {
	if id != p.Token || id == "" {
		if err := p.whole(); err != nil {
			return err
		}
	}
	t, err := a.Store.Token(ctx, id)
	if err != nil {
		return err
	}
	if err := a.mayTakeBack(ctx, p, t); err != nil {
		return err
	}
	return a.Store.DeleteToken(ctx, id, newEvent(a.Now(), p.User, "token.delete", "", id, map[string]any{"user": t.User, "name": t.Name}).changing(t.told(), nil))
}

func (a *Access) mayTakeBack(ctx context.Context, p Principal, t *Token) error {
	if t.User == p.User {
		return nil
	}
	u, err := a.Store.User(ctx, t.User)
	switch {
	case err != nil || u.Owner == p.User:
		return err
	case !p.May(MayManageUsers, Scope{}):
		return Hidden("%s", NoToken(t.ID))
	}
	return a.mayManage(ctx, p, t.User)
}

// NoToken is the answer about a token that there is not, or that is none of the
// business of who asks.
func NoToken(id string) error { return NotFound("there is no token %s", id) }
