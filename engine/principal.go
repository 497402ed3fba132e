package engine

import (
	"context"
	"slices"
	"time"
)

// Principal is who asks: a person or a program with a token.
type Principal struct {
	User   string // name
	Kind   UserKind
	Owner  string // the person who answers for a service account
	Rights *Rights
	// Limit is what the token in use is good for; nil for all that its owner may do.
	Limit *Limit
	// Token names the API token in use; empty for a browser session.
	Token     string
	TokenEnds time.Time // when that expires; zero for never, or no token
	// MustChange says that somebody else knows the password, too: there are no
	// rights until there is another one.
	MustChange bool
	// Session names the browser session in use; empty for a token.
	Session string
	// CSRF is what forms have to bring along; empty without a browser session.
	CSRF string
}

// Limit is what a token is good for: never more than its owner may do.
type Limit struct {
	Permissions []Permission // empty for all
	Scope       Scope
}

// allows reports whether the token may be used for it.
func (l *Limit) allows(p Permission, s Scope) bool {
	return l == nil || (len(l.Permissions) == 0 || slices.Contains(l.Permissions, p)) && l.Scope.holds(s)
}

// set is what is held in the scope by the token: all of what is held there.
func (l *Limit) set(held permSet, s Scope) permSet {
	switch {
	case l == nil:
		return held
	case !l.Scope.holds(s):
		return 0
	case len(l.Permissions) == 0:
		return held
	}
	return held & setOf(l.Permissions...)
}

// holds is all that the principal may do in the scope, by the token in use.
func (p Principal) holds(s Scope) permSet { return p.Limit.set(p.Rights.at(s), s) }

// covers reports whether the principal holds everything that o holds.
func (p Principal) covers(o *Rights) bool {
	if o == nil {
		return true
	}
	for s, set := range o.perms {
		if set&^p.holds(s) != 0 {
			return false
		}
	}
	return true
}

// asks names the principal in a refusal: the token, where that is what is good
// for less.
func (p Principal) asks() string {
	if p.Limit != nil {
		return "the token " + p.Token + " in use"
	}
	return p.User
}

// May reports whether the principal holds the permission in the scope.
func (p Principal) May(perm Permission, s Scope) bool {
	if !p.Limit.allows(perm, s) {
		return false
	}
	return perm == MaySelf && p.User != "" || p.Rights.May(perm, s)
}

// Roles lists the roles that the principal has in the whole installation.
func (p Principal) Roles() []Role {
	if p.Rights == nil {
		return nil
	}
	return p.Rights.roles[Scope{}]
}

// MayAnywhere reports whether the principal holds the permission somewhere.
func (p Principal) MayAnywhere(perm Permission) bool {
	switch {
	case perm == MaySelf:
		return p.May(perm, Scope{})
	case p.Limit == nil || p.Limit.Scope == Scope{}:
		return p.Limit.allows(perm, Scope{}) && p.Rights.anywhere(perm)
	}
	w := p.Within(perm)
	return w.All || len(w.Projects)+len(w.Stacks) > 0
}

// Within tells where the principal holds the permission.
func (p Principal) Within(perm Permission) Within {
	if p.Limit == nil {
		return p.Rights.within(perm)
	}
	if !p.Limit.allows(perm, p.Limit.Scope) {
		return Within{}
	}
	return p.Rights.within(perm).and(p.Limit.Scope)
}

// Check returns ErrForbidden, worded for the principal, without the permission.
func (p Principal) Check(perm Permission, s Scope) error {
	if p.May(perm, s) {
		return nil
	}
	if p.MustChange {
		return &PasswordChangeError{p.User}
	}
	if p.Rights.May(perm, s) || perm == MaySelf && p.Limit != nil {
		return Forbidden("the token %s in use is not good for %s on %s; make one that is", p.Token, perm, s)
	}
	where := " on " + s.String()
	if s == (Scope{}) {
		where = ""
	}
	return Forbidden("%s may not %s%s; it takes a role that holds the permission %[2]s, such as %[4]s", p.User, perm, where, leastRole(perm))
}

// leastRole names a role that is always there and holds the permission.
func leastRole(perm Permission) Role {
	for _, r := range Roles() {
		if r.May(perm) {
			return r
		}
	}
	return RoleAdmin
}

type principalKey struct{}

// WithPrincipal returns a context that says who asks.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

type scopeKey struct{}

// WithScope returns a context that says where what is asked for is.
func WithScope(ctx context.Context, s Scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, s)
}

// ScopeFrom tells where what is asked for is; the zero Scope for nothing in particular.
func ScopeFrom(ctx context.Context) Scope {
	s, _ := ctx.Value(scopeKey{}).(Scope)
	return s
}

// PrincipalFrom tells who asks; the zero Principal, which may do nothing, where
// the context does not say.
func PrincipalFrom(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}
