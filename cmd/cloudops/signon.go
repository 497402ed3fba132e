package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cloudops-manager/cloudops/api/web"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/egress"
	"github.com/cloudops-manager/cloudops/engine/oidc"
)

// signOnOptions say how people get in.
type signOnOptions struct {
	issuer, clientID, clientSecret string
	scopes, domains, require       []string
	teams                          map[string]string
	nameClaim, groupsClaim, button string
	create                         bool
	role, localLogin               string
	sessionIdle, sessionLife       time.Duration
	tokenLife, tokenMax            time.Duration
}

func (o *signOnOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.issuer, "oidc-issuer", "", "identity provider for single sign-on by OpenID Connect, as in https://login.example.com")
	f.StringVar(&o.clientID, "oidc-client-id", "", "what the identity provider calls this server; CLOUDOPS_OIDC_CLIENT_SECRET holds its secret")
	f.StringSliceVar(&o.scopes, "oidc-scopes", []string{"profile", "email"}, "what to ask the identity provider for, beside openid")
	f.StringVar(&o.nameClaim, "oidc-username-claim", "preferred_username", "claim by which people are called here; of email only verified ones are taken")
	f.StringVar(&o.groupsClaim, "oidc-groups-claim", "groups", "claim that lists somebody's groups; empty for none")
	f.StringToStringVar(&o.teams, "oidc-team", nil, "team that a group is, as in GROUP=TEAM; can be given again")
	f.StringSliceVar(&o.require, "oidc-require-group", nil, "group of which people have to be in one to sign in; can be given again")
	f.StringSliceVar(&o.domains, "oidc-domain", nil, "domain of the verified email addresses that may sign in (default: all)")
	f.BoolVar(&o.create, "oidc-create-users", true, "make a user of who signs in for the first time")
	f.StringVar(&o.role, "oidc-role", string(engine.RoleViewer), "role of users made so, in the whole installation; - for none")
	f.StringVar(&o.button, "oidc-button", "Sign in with single sign-on", "what the button on the sign-in page says")
	f.StringVar(&o.localLogin, "local-login", string(engine.LocalOn), "who may sign in with a password: on (everybody), admins or off")
	f.DurationVar(&o.sessionIdle, "session-idle", engine.DefaultSessionIdle, "a browser is signed out when it was not used for so long")
	f.DurationVar(&o.sessionLife, "session-life", engine.DefaultSessionLife, "a browser is signed out after so long in any case")
	f.DurationVar(&o.tokenLife, "token-life", engine.DefaultTokenLife, "how long API tokens are good for unless told otherwise")
	f.DurationVar(&o.tokenMax, "token-max-life", 0, "how long API tokens may be good for at most; 0 for ever")
}

// check finds what cannot be meant.
func (o *signOnOptions) check() error {
	var errs []error
	local := engine.LocalLogin(o.localLogin)
	if !slices.Contains([]engine.LocalLogin{engine.LocalOn, engine.LocalAdmins, engine.LocalOff}, local) {
		errs = append(errs, fmt.Errorf("--local-login is on, admins or off, not %q", o.localLogin))
	}
	if local == engine.LocalOff && o.issuer == "" {
		errs = append(errs, errors.New("--local-login off leaves no way in without --oidc-issuer"))
	}
	for _, role := range o.roles() {
		if !role.Known() {
			errs = append(errs, fmt.Errorf("--oidc-role is one of %v or -, not %q", engine.Roles(), role))
		}
	}
	if o.sessionIdle <= 0 || o.sessionLife <= 0 || o.tokenLife <= 0 || o.tokenMax < 0 {
		errs = append(errs, errors.New("--session-idle, --session-life and --token-life are more than 0, and --token-max-life is at least 0"))
	}
	if o.issuer != "" {
		_, err := oidc.New(oidc.Options{Issuer: o.issuer, ClientID: o.clientID})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// roles are those of users that are made by signing in; a dash stands for none.
func (o *signOnOptions) roles() (roles []engine.Role) {
	if o.role != "-" {
		roles = append(roles, engine.Role(o.role))
	}
	return roles
}

func (o *signOnOptions) policy() engine.AccessPolicy {
	return engine.AccessPolicy{SessionIdle: o.sessionIdle, SessionLife: o.sessionLife, TokenLife: o.tokenLife, TokenMax: o.tokenMax, LocalLogin: engine.LocalLogin(o.localLogin)}
}

func (o *signOnOptions) signOn() engine.SignOn {
	s := engine.SignOn{Create: o.create, Roles: o.roles(), Require: o.require, Teams: map[string][]string{}}
	for group, teams := range o.teams {
		s.Teams[group] = strings.Split(teams, "+")
	}
	return s
}

// These bound a question to the identity provider.
const (
	identityTimeout = 15 * time.Second
	identityBody    = 1 << 20
)

// signOn is the identity provider; nil for none.
func (c *components) signOn() (web.SignOn, error) {
	o := c.options.signOn
	if o.issuer == "" {
		return nil, nil
	}
	domains := make([]string, len(o.domains))
	for i, d := range o.domains {
		domains[i] = strings.ToLower(d)
	}
	return oidc.New(oidc.Options{
		Issuer: o.issuer, ClientID: o.clientID, ClientSecret: engine.Secret(o.clientSecret), RedirectURL: c.options.url + "/login/callback",
		Scopes: o.scopes, NameClaim: o.nameClaim, GroupsClaim: o.groupsClaim, Domains: domains, Button: o.button,
		HTTP: c.options.guard.Client(egress.Limits{Timeout: identityTimeout, Body: identityBody}), Sealer: c.vault, Now: c.runs.Now, Log: c.log,
	})
}
