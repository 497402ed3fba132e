package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/cloudops-manager/cloudops/engine"
)

// claims are what the provider says of somebody, by name.
type claims map[string]json.RawMessage

// text is a claim that is a string; "" for any other.
func (c claims) text(name string) string {
	var v string
	if json.Unmarshal(c[name], &v) != nil {
		return ""
	}
	return v
}

// texts is a claim that is a list of strings, or one.
func (c claims) texts(name string) []string {
	var v []string
	if json.Unmarshal(c[name], &v) == nil {
		return v
	}
	if one := c.text(name); one != "" {
		return []string{one}
	}
	return nil
}

// truth is a claim that is true, which some providers write as a string.
func (c claims) truth(name string) bool {
	var v bool
	return json.Unmarshal(c[name], &v) == nil && v || c.text(name) == "true"
}

// identity checks the ID token and reads who it is of.
func (p *Provider) identity(ctx context.Context, f *found, token *oauth2.Token, nonce string) (engine.SignOnIdentity, error) {
	id, err := p.verify(ctx, f, token, nonce)
	if err != nil {
		p.Log.WarnContext(ctx, "the identity provider's token was refused", "issuer", p.Issuer, "err", err)
		return engine.SignOnIdentity{}, engine.Unauthorized("the identity provider's token cannot be trusted; the log says why")
	}
	says := claims{}
	if err := id.Claims(&says); err != nil {
		return engine.SignOnIdentity{}, err
	}
	if slices.ContainsFunc(p.wanted(), func(name string) bool { return says[name] == nil }) {
		if err := p.userinfo(ctx, f, token, id.Subject, says); err != nil {
			return engine.SignOnIdentity{}, err
		}
	}
	return p.read(id.Subject, says)
}

// wanted lists the claims that say who somebody is, and whether to let them in.
func (p *Provider) wanted() []string {
	names := []string{p.NameClaim}
	if p.GroupsClaim != "" {
		names = append(names, p.GroupsClaim)
	}
	if p.NameClaim == "email" || len(p.Domains) > 0 {
		names = append(names, "email", "email_verified")
	}
	return names
}

// verify checks the ID token. Source: OpenID Connect Core 1.0, section 3.1.3.7;
// the library checks signature, algorithm, issuer, audience and times.
func (p *Provider) verify(ctx context.Context, f *found, token *oauth2.Token, nonce string) (*oidc.IDToken, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, fmt.Errorf("there is no ID token")
	}
	id, err := f.verifier.Verify(p.client(ctx), raw)
	if err != nil {
		return nil, err
	}
	var says struct {
		Party     string  `json:"azp"`
		NotBefore float64 `json:"nbf"` // Unix seconds
	}
	if err := id.Claims(&says); err != nil {
		return nil, err
	}
	switch {
	case id.Subject == "":
		return nil, fmt.Errorf("it names no subject")
	case says.Party != "" && says.Party != p.ClientID, says.Party == "" && len(id.Audience) > 1:
		return nil, fmt.Errorf("it was made for another client")
	case id.IssuedAt.After(p.Now().Add(clockSkew)), time.Unix(int64(says.NotBefore), 0).After(p.Now().Add(clockSkew)):
		return nil, fmt.Errorf("it was issued in the future")
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return nil, fmt.Errorf("it answers another sign-in")
	case id.AccessTokenHash != "":
		return id, id.VerifyAccessToken(token.AccessToken)
	}
	return id, nil
}

// userinfo adds what only the provider's userinfo says. What the signed token says stands.
func (p *Provider) userinfo(ctx context.Context, f *found, token *oauth2.Token, subject string, says claims) error {
	if f.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := f.UserInfo(p.client(ctx), oauth2.StaticTokenSource(token))
	if err != nil {
		return p.away(ctx, err)
	}
	if info.Subject != subject {
		return engine.Unauthorized("the identity provider tells of somebody else than it signed in")
	}
	more := claims{}
	if err := info.Claims(&more); err != nil {
		return err
	}
	maps.DeleteFunc(more, func(name string, _ json.RawMessage) bool { return says[name] != nil })
	maps.Copy(says, more)
	return nil
}

// read makes an identity of claims that were checked.
func (p *Provider) read(subject string, says claims) (engine.SignOnIdentity, error) {
	name, email := says.text(p.NameClaim), says.text("email")
	verified := says.truth("email_verified")
	switch {
	case name == "":
		return engine.SignOnIdentity{}, engine.Forbidden("the identity provider does not say %q of you, by which people are called here", p.NameClaim)
	case p.NameClaim == "email" && !verified:
		return engine.SignOnIdentity{}, engine.Forbidden("the identity provider has not verified that %s is your address", email)
	case len(p.Domains) > 0 && (!verified || !slices.Contains(p.Domains, domain(email))):
		return engine.SignOnIdentity{}, engine.Forbidden("only people with a verified address at %v may sign in here", p.Domains)
	case p.GroupsClaim != "" && len(says.texts(p.GroupsClaim)) == 0 && says.elsewhere(p.GroupsClaim):
		return engine.SignOnIdentity{}, engine.Forbidden("you are in more groups than the identity provider puts into a token; have it send only those that matter here")
	}
	id := engine.SignOnIdentity{Issuer: p.Issuer, Subject: subject, Name: name}
	if p.GroupsClaim != "" {
		id.Groups = says.texts(p.GroupsClaim)
	}
	return id, nil
}

// elsewhere reports whether the provider would tell a claim somewhere else,
// as Microsoft Entra does of more than 200 groups.
// Source: OpenID Connect Core 1.0, section 5.6.2.
func (c claims) elsewhere(name string) bool {
	var names map[string]string
	return json.Unmarshal(c["_claim_names"], &names) == nil && names[name] != ""
}
