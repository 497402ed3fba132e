// Package oidc signs people in at an identity provider by OpenID Connect: the
// authorization code flow with PKCE. It keeps nothing; what a flow needs to
// remember goes, sealed, through the browser.
// Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 6749, RFC 7636,
// RFC 9207 and RFC 9700.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/cloudops-manager/cloudops/engine"
)

// Options say which identity provider there is, and how it is used.
type Options struct {
	Issuer       string // https://..., as its tokens name it
	ClientID     string
	ClientSecret engine.Secret // empty for a public client
	RedirectURL  string        // of our callback
	Scopes       []string      // beside openid
	// NameClaim says what somebody is called. Where it is email, only verified
	// addresses are taken.
	NameClaim   string
	GroupsClaim string   // empty for no groups
	Domains     []string // of verified email addresses; empty for all
	Button      string   // what the button to sign in says
	HTTP        *http.Client
	Sealer      Sealer
	Now         func() time.Time
	Log         *slog.Logger
}

// Sealer encrypts what goes through the browser for one place and use.
type Sealer interface {
	Seal(table, id, column string, plain []byte) ([]byte, error)
	Unseal(table, id, column string, sealed []byte) ([]byte, error)
}

// Provider is an identity provider. What it says of itself is asked for when
// it is needed first, so that a server starts while it is down.
type Provider struct {
	Options
	mu     sync.Mutex
	found  *found
	failed time.Time // when it could not be asked last
}

// found is what the provider says of itself.
type found struct {
	*oidc.Provider
	oauth      oauth2.Config
	verifier   *oidc.IDTokenVerifier
	endSession string // empty where there is no way to sign out there
	// namesItself says that it names itself in each answer. Source: RFC 9207.
	namesItself bool
}

// algorithms are those that ID tokens may be signed by: with keys that only
// the provider has. None and HMAC are not among them.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// clockSkew is how far the clocks of the provider and ours may be apart.
const clockSkew = time.Minute

// New returns a provider, or says which option is wrong.
func New(o Options) (*Provider, error) {
	u, err := url.Parse(o.Issuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && local(u.Hostname())) || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, engine.Invalid("issuer %q: it is an https:// address without a query, such as https://login.example.com", o.Issuer)
	}
	if o.ClientID == "" {
		return nil, engine.Invalid("issuer %s: the client's ID is missing", o.Issuer)
	}
	return &Provider{Options: o}, nil
}

// local reports whether a host is this machine, which needs no TLS.
func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Name is what the button to sign in says.
func (p *Provider) Name() string { return p.Button }

// away is the refusal of a provider that cannot be asked.
func (p *Provider) away(ctx context.Context, err error) error {
	if refused := (*oidc.IssuerMismatchError)(nil); errors.As(err, &refused) {
		err = fmt.Errorf("the issuer calls itself %q", refused.Provided)
	}
	p.Log.WarnContext(ctx, "the identity provider cannot be asked", "issuer", p.Issuer, "err", err)
	return unreachable(p.Issuer)
}

func unreachable(issuer string) error {
	return engine.Conflict("the identity provider %s cannot be asked now; try again in a moment", issuer)
}

// retryAfter is how long a provider that could not be asked is left alone:
// anybody can open the page that asks.
const retryAfter = 5 * time.Second

// discover asks the provider about itself until it has answered once.
func (p *Provider) discover(ctx context.Context) (*found, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if p.Now().Sub(p.failed) < retryAfter {
		return nil, unreachable(p.Issuer)
	}
	f, err := p.ask(context.WithoutCancel(ctx)) // or whoever goes away would have it count as failed
	if err != nil {
		p.failed = p.Now()
		return nil, p.away(ctx, err)
	}
	p.found = f
	return f, nil
}

func (p *Provider) ask(ctx context.Context) (*found, error) {
	provider, err := oidc.NewProvider(p.client(ctx), p.Issuer)
	if err != nil {
		return nil, err
	}
	var says struct {
		EndSession  string   `json:"end_session_endpoint"`
		Algorithms  []string `json:"id_token_signing_alg_values_supported"`
		NamesItself bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := provider.Claims(&says); err != nil {
		return nil, err
	}
	usable := slices.DeleteFunc(says.Algorithms, func(alg string) bool { return !slices.Contains(algorithms, alg) })
	return &found{Provider: provider, endSession: says.EndSession, namesItself: says.NamesItself,
		oauth: oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret.Reveal(), Endpoint: provider.Endpoint(),
			RedirectURL: p.RedirectURL, Scopes: append([]string{oidc.ScopeOpenID}, p.Scopes...)},
		verifier: provider.VerifierContext(p.client(ctx), &oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: usable,
			Now: func() time.Time { return p.Now().Add(-clockSkew) }}),
	}, nil
}

// client is a context with our HTTP client in it, for the libraries.
func (p *Provider) client(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.HTTP)
}

// SignOutURL is where a browser ends its session at the provider, and comes
// back from; "" where there is no such place or the provider is away.
// Source: OpenID Connect RP-Initiated Logout 1.0.
func (p *Provider) SignOutURL(ctx context.Context, back string) string {
	f, err := p.discover(ctx)
	if err != nil || f.endSession == "" {
		return ""
	}
	u, err := url.Parse(f.endSession)
	if err != nil || u.Scheme != "https" && !local(u.Hostname()) {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.ClientID)
	q.Set("post_logout_redirect_uri", back)
	u.RawQuery = q.Encode()
	return u.String()
}

// domain is what stands behind the @ of an address, in small letters.
func domain(email string) string {
	return strings.ToLower(email[strings.LastIndexByte(email, '@')+1:])
}
