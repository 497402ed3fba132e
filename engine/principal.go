package engine

import (
	"context"
	"slices"
	"time"
)

// Role is a set of permissions. Each role may do what the one before it may.
type Role string

// The roles.
const (
	RoleViewer   Role = "viewer"
	RoleOperator Role = "operator"
	RoleApprover Role = "approver"
	RoleAdmin    Role = "admin"
)

// Roles lists the roles from the least to the most powerful.
func Roles() []Role { return []Role{RoleViewer, RoleOperator, RoleApprover, RoleAdmin} }

// Permission is one thing that somebody may be allowed to do.
type Permission string

// The permissions.
const (
	MayRead        Permission = "read"         // stacks, runs, plans, logs, findings
	MayReadState   Permission = "state.read"   // states and output values, secrets included
	MaySubmit      Permission = "submit"       // revisions, runs, cancelling, drift checks, schedules
	MayWriteState  Permission = "state.write"  // use the state backend, break locks
	MayApprove     Permission = "approve"      // approve and discard plans
	MayManage      Permission = "manage"       // delete stacks, write credentials
	MayManageUsers Permission = "users.manage" // users and everybody's tokens
	MaySelf        Permission = "self"         // own tokens and password
)

// least is the whole permission table: the least role that may do each thing.
var least = map[Permission]Role{
	MayRead:        RoleViewer,
	MaySelf:        RoleViewer,
	MayReadState:   RoleOperator,
	MaySubmit:      RoleOperator,
	MayWriteState:  RoleOperator,
	MayApprove:     RoleApprover,
	MayManage:      RoleAdmin,
	MayManageUsers: RoleAdmin,
}

// Known reports whether r is a role at all.
func (r Role) Known() bool { return slices.Contains(Roles(), r) }

// May reports whether the role holds the permission.
func (r Role) May(p Permission) bool {
	need, ok := least[p]
	return ok && r.Known() && slices.Index(Roles(), r) >= slices.Index(Roles(), need)
}

// Principal is who asks: a person or a program with a token.
type Principal struct {
	User string // name
	Role Role
	// Token names the API token in use; empty for a browser session.
	Token string
	// CSRF is what forms have to bring along; empty without a browser session.
	CSRF string
}

// Check returns ErrForbidden, worded for the principal, without the permission.
func (p Principal) Check(perm Permission) error {
	if p.Role.May(perm) {
		return nil
	}
	return Forbidden("%s has role %s, which may not %s; it takes at least %s", p.User, p.Role, perm, least[perm])
}

// User is a person or a program that can sign in.
type User struct {
	Name         string
	Role         Role
	PasswordHash string // argon2id in PHC form; empty for nobody
	Disabled     bool
	CreatedAt    time.Time
}

// Token is an API token. Only its hash is kept.
type Token struct {
	ID        string
	User      string
	Name      string
	Hash      string
	CreatedAt time.Time
	ExpiresAt time.Time // zero for never
	UsedAt    time.Time // to the minute; zero for never
}

// Session is a browser that somebody has signed in with.
type Session struct {
	Hash      string // of the cookie's value
	User      string
	CSRF      string // what forms have to bring along
	CreatedAt time.Time
	ExpiresAt time.Time
}

type principalKey struct{}

// WithPrincipal returns a context that says who asks.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalFrom tells who asks; the zero Principal, which may do nothing, where
// the context does not say.
func PrincipalFrom(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}
