package engine

import "slices"

// Rights is what somebody may do, and where. It never changes once it is made,
// so it can be shared. The nil Rights may do nothing.
type Rights struct {
	perms map[Scope]permSet
	all   permSet // of all scopes together
	roles map[Scope][]Role
	sets  map[Role]permSet // what the roles hold
}

// Everywhere gives the rights of roles that are always there in the whole installation.
func Everywhere(roles ...Role) *Rights {
	r := newRights(ours)
	for _, role := range roles {
		r.give(role, Scope{})
	}
	return r
}

// In gives the rights of roles that are always there in one scope.
func In(scope Scope, roles ...Role) *Rights {
	r := newRights(ours)
	for _, role := range roles {
		r.give(role, scope)
	}
	return r
}

func newRights(sets map[Role]permSet) *Rights {
	return &Rights{perms: map[Scope]permSet{}, roles: map[Scope][]Role{}, sets: sets}
}

func (r *Rights) give(role Role, scope Scope) {
	set := r.sets[role]
	if scope != (Scope{}) {
		set &= setOf(scoped...)
	}
	r.perms[scope] |= set
	r.all |= set
	if !slices.Contains(r.roles[scope], role) {
		r.roles[scope] = append(r.roles[scope], role)
	}
}

// at is everything that is held in the scope: there, and in what it lies in.
func (r *Rights) at(s Scope) permSet {
	if r == nil {
		return 0
	}
	set := r.perms[Scope{}]
	if s.Project != "" {
		set |= r.perms[Scope{Project: s.Project}]
	}
	if s.Stack != "" {
		set |= r.perms[s]
	}
	return set
}

// May reports whether the permission is held in the scope.
func (r *Rights) May(p Permission, s Scope) bool { return r.at(s).has(p) }

// anywhere reports whether the permission is held in some scope.
func (r *Rights) anywhere(p Permission) bool { return r != nil && r.all.has(p) }

// Roles lists the roles held in the scope that hold the permission.
func (r *Rights) Roles(p Permission, s Scope) (roles []Role) {
	if r == nil {
		return nil
	}
	for _, where := range []Scope{{}, {Project: s.Project}, s} {
		for _, role := range r.roles[where] {
			if r.sets[role].has(p) && !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	return roles
}

// within tells where the permission is held.
func (r *Rights) within(p Permission) (w Within) {
	if r == nil {
		return w
	}
	for s, set := range r.perms {
		switch {
		case !set.has(p):
		case s.Stack != "":
			w.Stacks = append(w.Stacks, s.Stack)
		case s.Project != "":
			w.Projects = append(w.Projects, s.Project)
		default:
			return Within{All: true}
		}
	}
	slices.Sort(w.Projects)
	slices.Sort(w.Stacks)
	return w
}
