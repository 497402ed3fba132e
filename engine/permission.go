package engine

import (
	"maps"
	"slices"
	"strings"
)

// Permission is one thing that somebody may be allowed to do.
type Permission string

// The permissions that are given in a scope: everywhere, in a project or for a stack.
const (
	MayRead             Permission = "read"             // stacks, runs, plans, logs, findings, hosts
	MayReadState        Permission = "state.read"       // states and sensitive output values: secrets as they are
	MayReadAudit        Permission = "audit.read"       // the audit log
	MaySubmit           Permission = "submit"           // revisions and a stack's variables
	MayPlan             Permission = "plan"             // start and cancel runs, check for drift, schedules
	MayApprove          Permission = "approve"          // approve and discard plans
	MayApply            Permission = "apply"            // let an approved plan change real infrastructure
	MayWriteState       Permission = "state.write"      // use the state backend, break locks, edit states
	MayManage           Permission = "manage"           // delete stacks and hold them
	MayWriteCredentials Permission = "credential.write" // #nosec G101 -- credentials and variable sets
	MayWritePolicy      Permission = "policy.write"     // the rules of a project
	MayManageAccess     Permission = "access.manage"    // give roles in the scope
)

// The permissions that are given for the whole installation only.
const (
	MayReadAccess   Permission = "access.read"   // users with their tokens and sessions, teams, and who has which role
	MayManageUsers  Permission = "users.manage"  // users, teams, service accounts, roles
	MayReadSystem   Permission = "system.read"   // keys, without what they are, and where the audit log is sent on
	MayManageSystem Permission = "system.manage" // projects, keys, forwarding of the audit log
	MaySelf         Permission = "self"          // own tokens, sessions and password
)

// scoped and unscoped list all permissions. The order gives each its bit.
var (
	scoped = []Permission{
		MayRead, MayReadState, MayReadAudit, MaySubmit, MayPlan, MayApprove, MayApply, MayWriteState, MayManage,
		MayWriteCredentials, MayWritePolicy, MayManageAccess,
	}
	unscoped = []Permission{MayReadAccess, MayManageUsers, MayReadSystem, MayManageSystem, MaySelf}
)

// Permissions lists what a role can be made of. Everybody has MaySelf.
func Permissions() []Permission { return slices.Concat(scoped, unscoped[:len(unscoped)-1]) }

// Scoped reports whether the permission can be given for a part of the installation.
func (p Permission) Scoped() bool { return slices.Contains(scoped, p) }

// permSet is a set of permissions, a bit each.
type permSet uint32

var bits = func() map[Permission]permSet {
	m := map[Permission]permSet{}
	for i, p := range slices.Concat(scoped, unscoped) {
		m[p] = 1 << i
	}
	return m
}()

func setOf(list ...Permission) (s permSet) {
	for _, p := range list {
		s |= bits[p]
	}
	return s
}

func (s permSet) has(p Permission) bool { b := bits[p]; return b != 0 && s&b == b }

func (s permSet) list() (list []Permission) {
	for _, p := range slices.Concat(scoped, unscoped) {
		if s.has(p) {
			list = append(list, p)
		}
	}
	return list
}

// Role names a set of permissions: one of ours, or one that an installation
// has made for itself.
type Role string

// The roles that are always there.
const (
	RoleViewer   Role = "viewer"   // reads
	RoleOperator Role = "operator" // submits and plans
	RoleApprover Role = "approver" // approves
	RoleDeployer Role = "deployer" // submits, plans and applies what is approved
	RoleAuditor  Role = "auditor"  // reads everything but values of secrets, the audit log too
	RoleAdmin    Role = "admin"    // everything
)

// ours is what the roles that are always there may do.
var ours = map[Role]permSet{
	RoleViewer:   setOf(MayRead),
	RoleOperator: setOf(MayRead, MayReadState, MaySubmit, MayPlan, MayWriteState),
	RoleApprover: setOf(MayRead, MayApprove),
	RoleDeployer: setOf(MayRead, MayReadState, MaySubmit, MayPlan, MayWriteState, MayApply),
	RoleAuditor:  setOf(MayRead, MayReadAudit, MayReadAccess, MayReadSystem),
	RoleAdmin:    setOf(Permissions()...),
}

// Roles lists the roles that are always there.
func Roles() []Role {
	return []Role{RoleViewer, RoleOperator, RoleApprover, RoleDeployer, RoleAuditor, RoleAdmin}
}

// May reports whether a role that is always there holds the permission.
func (r Role) May(p Permission) bool {
	set, known := ours[r]
	return known && (p == MaySelf || set.has(p))
}

// Known reports whether r is one of the roles that are always there.
func (r Role) Known() bool { _, ok := ours[r]; return ok }

// Permissions lists what a role that is always there may do.
func (r Role) Permissions() []Permission { return ours[r].list() }

// parsePermissions reads names of permissions, all mistakes at once.
func parsePermissions(names []string) (permSet, error) {
	var set permSet
	var unknown []string
	for _, name := range names {
		if p := Permission(name); slices.Contains(Permissions(), p) {
			set |= bits[p]
			continue
		}
		unknown = append(unknown, name)
	}
	if len(unknown) > 0 {
		return 0, Invalid("there is no permission %s; there are %s", strings.Join(unknown, ", "), joined(Permissions()))
	}
	return set, nil
}

func joined[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = string(v)
	}
	return strings.Join(texts, ", ")
}

// roleNames lists roles in a lasting order.
func roleNames(roles map[Role]permSet) []Role { return slices.Sorted(maps.Keys(roles)) }
