package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/cloudops-manager/cloudops/engine"
)

// flowLife is how long somebody may take to sign in at the provider.
const flowLife = 10 * time.Minute

// flow is a sign-in under way. It is only ever seen sealed by the browser that
// began it, so that the answer of another browser is of no use.
type flow struct {
	State, Nonce, Verifier string
	For                    engine.SignOnFlow
	Ends                   time.Time
}

// Begin gives the address to send a browser to, and what it has to keep.
func (p *Provider) Begin(ctx context.Context, next, user string) (to, kept string, err error) {
	f, err := p.discover(ctx)
	if err != nil {
		return "", "", err
	}
	fl := flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), For: engine.SignOnFlow{Next: next, User: user}, Ends: p.Now().Add(flowLife)}
	plain, err := json.Marshal(fl)
	if err != nil {
		return "", "", err
	}
	sealed, err := p.Sealer.Seal("login", p.Issuer, "flow", plain)
	if err != nil {
		return "", "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(fl.Nonce), oauth2.S256ChallengeOption(fl.Verifier)}
	if user != "" { // a session over there that somebody else has left in the browser is not to be linked
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
	}
	to = f.oauth.AuthCodeURL(fl.State, options...)
	return to, base64.RawURLEncoding.EncodeToString(sealed), nil
}

// resume opens what the browser kept, where the answer belongs to it.
func (p *Provider) resume(kept string, answer url.Values) (flow, error) {
	var fl flow
	sealed, err := base64.RawURLEncoding.DecodeString(kept)
	if err != nil || kept == "" {
		return flow{}, lost()
	}
	plain, err := p.Sealer.Unseal("login", p.Issuer, "flow", sealed)
	if err != nil || json.Unmarshal(plain, &fl) != nil {
		return flow{}, lost()
	}
	if p.Now().After(fl.Ends) || subtle.ConstantTimeCompare([]byte(fl.State), []byte(answer.Get("state"))) != 1 {
		return flow{}, lost()
	}
	return fl, nil
}

// lost is the refusal of an answer to a question that this browser did not ask.
func lost() error {
	return engine.Unauthorized("this sign-in was not begun in this browser, or too long ago; begin again")
}

// Finish turns the provider's answer into who has signed in there, and gives
// what the flow was begun for.
func (p *Provider) Finish(ctx context.Context, kept string, answer url.Values) (engine.SignOnIdentity, engine.SignOnFlow, error) {
	fl, err := p.resume(kept, answer)
	if err != nil {
		return engine.SignOnIdentity{}, engine.SignOnFlow{}, err
	}
	id, err := p.redeem(ctx, fl, answer)
	return id, fl.For, err
}

func (p *Provider) redeem(ctx context.Context, fl flow, answer url.Values) (engine.SignOnIdentity, error) {
	f, err := p.discover(ctx)
	if err != nil {
		return engine.SignOnIdentity{}, err
	}
	if iss := answer.Get("iss"); iss != p.Issuer && (iss != "" || f.namesItself) { // RFC 9207, section 2.4
		return engine.SignOnIdentity{}, engine.Unauthorized("the answer is not from %s", p.Issuer)
	}
	if answer.Get("error") != "" {
		p.Log.InfoContext(ctx, "the identity provider refused", "error", answer.Get("error"), "description", answer.Get("error_description"))
		return engine.SignOnIdentity{}, engine.Unauthorized("the identity provider did not sign you in")
	}
	token, err := f.oauth.Exchange(p.client(ctx), answer.Get("code"), oauth2.VerifierOption(fl.Verifier))
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		p.Log.WarnContext(ctx, "the identity provider took no code", "status", refused.Response.StatusCode, "error", refused.ErrorCode)
		return engine.SignOnIdentity{}, engine.Unauthorized("the identity provider did not take the sign-in; begin again")
	}
	if err != nil {
		return engine.SignOnIdentity{}, p.away(ctx, err)
	}
	return p.identity(ctx, f, token, fl.Nonce)
}
