package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// The times of tokens and of the keys that sign them.
const (
	IdentityLife = time.Hour // of a token
	// KeyLife is how long a key signs before the next one does.
	KeyLife = 90 * 24 * time.Hour
	// KeyAhead is how long a key is published before it signs, so that every
	// cloud has fetched it by then.
	KeyAhead = 24 * time.Hour
	// keyAfter is how long a key is published after its last token ended.
	keyAfter = time.Hour
	// clockSkew is how far the clocks of clouds may be behind ours.
	clockSkew = time.Minute
)

// IssuerKey is a key that tokens are signed with, RSA in PKCS #8.
type IssuerKey struct {
	Number    int    // counts keys
	ID        string // key ID: its thumbprint, by RFC 7638
	Private   []byte
	CreatedAt time.Time
	SignsAt   time.Time // from when on it signs
}

// IssuerStore keeps keys, encrypted.
type IssuerStore interface {
	// IssuerKeys lists all keys by number.
	IssuerKeys(ctx context.Context) ([]*IssuerKey, error)
	// AddIssuerKey wraps ErrConflict where the number is taken. With alone set, all
	// other keys are removed.
	AddIssuerKey(ctx context.Context, k *IssuerKey, alone bool, e Event) error
	// DropIssuerKeys removes the keys with lower numbers.
	DropIssuerKeys(ctx context.Context, below int) error
}

// TokenSigner makes keys and signs with them.
type TokenSigner interface {
	NewKey() (id string, private []byte, err error)
	// Sign returns claims, which are JSON, as a signed JWT.
	Sign(k *IssuerKey, claims []byte) (Secret, error)
	// Public returns the public halves as a JWK set.
	Public(keys []*IssuerKey) (json.RawMessage, error)
}

// Issuer tells clouds which phase of which step asks them for something. It is
// an issuer of OpenID Connect as far as federation needs one: it has a discovery
// document and published keys, and nobody signs in there.
type Issuer struct {
	Store  IssuerStore
	Signer TokenSigner
	URL    string // without a slash at its end
	Now    func() time.Time
	Log    *slog.Logger
}

// Paths of the public documents, behind the issuer's URL.
const (
	DiscoveryPath = "/.well-known/openid-configuration"
	KeySetPath    = "/.well-known/jwks.json"
)

// Discovery is the issuer's discovery document.
// Source: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata.
func (i *Issuer) Discovery() map[string]any {
	return map[string]any{
		"issuer":                                i.URL,
		"jwks_uri":                              i.URL + KeySetPath,
		"response_types_supported":              []string{"id_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid"},
		"claims_supported": []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "project", "stack", "component", "run", "step", "attempt",
			"phase", "revision", "kind", "started_by"},
	}
}

// Reachable reports whether clouds may take the issuer for one: all of them
// insist on HTTPS.
func (i *Issuer) Reachable() bool { return strings.HasPrefix(i.URL, "https://") }

// KeySet is the published keys as a JWK set. The first one is made by whoever
// comes first.
func (i *Issuer) KeySet(ctx context.Context) (json.RawMessage, error) {
	keys, err := i.Keys(ctx)
	if err != nil {
		return nil, err
	}
	return i.Signer.Public(keys)
}

// Keys lists the published keys: the one that signs, the next one, and those
// whose tokens may still be good.
func (i *Issuer) Keys(ctx context.Context) ([]*IssuerKey, error) {
	keys, err := i.Store.IssuerKeys(ctx)
	if err != nil || len(keys) > 0 {
		return published(keys, i.Now()), err
	}
	if _, err := i.add(ctx, Principal{User: ActorEngine}, 1, i.Now(), false); err != nil && !errors.Is(err, ErrConflict) {
		return nil, err
	}
	return i.Store.IssuerKeys(ctx)
}

// published leaves out the keys that nothing can be signed with any more.
func published(keys []*IssuerKey, now time.Time) []*IssuerKey {
	for n := range keys {
		if n+1 == len(keys) || now.Before(keys[n+1].SignsAt.Add(IdentityLife+clockSkew+keyAfter)) {
			return keys[n:]
		}
	}
	return nil
}

// Signing is the one of the published keys that signs at the time.
func Signing(keys []*IssuerKey, now time.Time) *IssuerKey {
	for _, k := range slices.Backward(keys) {
		if !k.SignsAt.After(now) {
			return k
		}
	}
	return keys[0] // where the clock was put back before the first one
}

func (i *Issuer) add(ctx context.Context, p Principal, number int, from time.Time, alone bool) (*IssuerKey, error) {
	id, private, err := i.Signer.NewKey()
	if err != nil {
		return nil, err
	}
	k := &IssuerKey{Number: number, ID: id, Private: private, CreatedAt: i.Now(), SignsAt: from}
	e := newEvent(i.Now(), p.User, "issuer.rotate", "", id, map[string]any{"signs_at": from, "withdrawn": alone}).
		changing(nil, map[string]any{"key": id, "signs_at": from})
	return k, i.Store.AddIssuerKey(ctx, k, alone, e)
}

// Rotate makes a new key, which signs once clouds have had the time to fetch it.
// With withdraw, for a key that others may have, it signs at once and all keys
// before it are withdrawn.
func (i *Issuer) Rotate(ctx context.Context, p Principal, withdraw bool) (*IssuerKey, error) {
	keys, err := i.Keys(ctx)
	if err != nil {
		return nil, err
	}
	newest, from := keys[len(keys)-1], i.Now()
	if !withdraw {
		if newest.SignsAt.After(from) {
			return nil, Conflict("key %s is new and signs from %s; there is no need for another one", newest.ID, newest.SignsAt.Format(time.RFC3339))
		}
		from = from.Add(KeyAhead)
	}
	return i.add(ctx, p, newest.Number+1, from, withdraw)
}

// Tidy rotates where it is time, and removes keys that are published no longer.
// It may be called at any time by several processes.
func (i *Issuer) Tidy(ctx context.Context) error {
	keys, err := i.Keys(ctx)
	if err != nil {
		return err
	}
	if err := i.Store.DropIssuerKeys(ctx, keys[0].Number); err != nil {
		return err
	}
	if i.Now().Before(keys[len(keys)-1].SignsAt.Add(KeyLife - KeyAhead)) {
		return nil
	}
	k, err := i.Rotate(ctx, Principal{User: ActorEngine}, false)
	if errors.Is(err, ErrConflict) { // another process was faster
		return nil
	}
	if err == nil {
		i.Log.InfoContext(ctx, "a new key signs tokens of workload identity", "key", k.ID, "from", k.SignsAt)
	}
	return err
}

// Mint signs a token for the audience with claims beside those that every token has.
func (i *Issuer) Mint(ctx context.Context, subject, audience string, claims map[string]any) (Identity, error) {
	keys, err := i.Keys(ctx)
	if err != nil {
		return Identity{}, err
	}
	now := i.Now().Truncate(time.Second)
	id := Identity{Subject: subject, Audience: audience, IssuedAt: now, ExpiresAt: now.Add(IdentityLife)}
	all := map[string]any{
		"iss": i.URL, "sub": subject, "aud": audience, "jti": newJTI(),
		"iat": now.Unix(), "nbf": now.Add(-clockSkew).Unix(), "exp": id.ExpiresAt.Unix(),
	}
	for name, v := range claims {
		all[name] = v
	}
	b, err := json.Marshal(all)
	if err != nil {
		return Identity{}, err
	}
	token, err := i.Signer.Sign(Signing(keys, now), b)
	id.Token = token.Reveal()
	return id, err
}

// newJTI is 128 random bits: no token is like another.
func newJTI() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
