package engine

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Directory is all that says who may do what. It is small, so it is read and
// changed as a whole, and each change gives it the next version.
type Directory struct {
	Version  int64
	Projects []Project
	Teams    []Team
	Members  []Member
	Roles    []CustomRole
	Bindings []Binding
	NoAdmins []string // who does not count for the last admin: users that are disabled, and programs

	once   sync.Once
	sets   map[Role]permSet
	teams  map[string][]string
	rights sync.Map // *Rights by user
}

// Project holds stacks, credentials, variable sets and rules.
type Project struct {
	Name        string
	Description string
}

// Team is people who are given roles together.
type Team struct {
	Name        string
	Description string
}

// Member says that a user is in a team.
type Member struct {
	Team   string
	User   string
	Source string // who says so: "" for people here, else the name of an identity provider
}

// CustomRole is a role that the installation has made for itself.
type CustomRole struct {
	Name        Role
	Description string
	permissions permSet
	unknown     []Permission // that another version knows
}

// NewCustomRole makes a role of named permissions. It wraps ErrInvalid for a
// name that is taken or unusable, or a permission that there is not.
func NewCustomRole(name Role, description string, permissions []string) (CustomRole, error) {
	if err := CheckName("role", string(name)); err != nil {
		return CustomRole{}, err
	}
	if name.Known() {
		return CustomRole{}, Invalid("the role %s is always there and cannot be made anew", name)
	}
	set, err := parsePermissions(permissions)
	if err == nil && set == 0 {
		err = Invalid("a role needs at least one permission; there are %s", joined(Permissions()))
	}
	return CustomRole{Name: name, Description: description, permissions: set}, err
}

// KeptRole is a role as it was written once. What this version does not know is
// kept for the one that does; nobody may do anything by it.
func KeptRole(name Role, description string, permissions []string) CustomRole {
	r := CustomRole{Name: name, Description: description}
	for _, text := range permissions {
		if p := Permission(text); slices.Contains(Permissions(), p) {
			r.permissions |= bits[p]
		} else {
			r.unknown = append(r.unknown, p)
		}
	}
	return r
}

// Permissions lists what the role holds.
func (r CustomRole) Permissions() []Permission { return append(r.permissions.list(), r.unknown...) }

// SubjectKind says who is given a role.
type SubjectKind string

// The kinds of subject.
const (
	SubjectUser SubjectKind = "user"
	SubjectTeam SubjectKind = "team"
)

// Subject is who is given a role.
type Subject struct {
	Kind SubjectKind
	Name string
}

func (s Subject) String() string { return string(s.Kind) + ":" + s.Name }

// Binding gives a role to a user or a team in a scope.
type Binding struct {
	Subject Subject
	Role    Role
	Scope   Scope
}

// prepare works out once what all questions need.
func (d *Directory) prepare() {
	d.once.Do(func() {
		d.sets = maps.Clone(ours)
		for _, r := range d.Roles {
			d.sets[r.Name] = r.permissions
		}
		d.teams = map[string][]string{}
		for _, m := range d.Members {
			d.teams[m.User] = append(d.teams[m.User], m.Team)
		}
	})
}

// Rights gives what the user may do. The answer is kept for the next question.
func (d *Directory) Rights(user string) *Rights {
	if known, ok := d.rights.Load(user); ok {
		return known.(*Rights)
	}
	d.prepare()
	r := newRights(d.sets)
	for _, b := range d.Bindings {
		if d.means(b.Subject, user) {
			r.give(b.Role, b.Scope)
		}
	}
	known, _ := d.rights.LoadOrStore(user, r)
	return known.(*Rights)
}

// means reports whether the subject is the user, or a team that it is in.
func (d *Directory) means(s Subject, user string) bool {
	if s.Kind == SubjectTeam {
		return slices.Contains(d.teams[user], s.Name)
	}
	return s.Name == user
}

// Teams lists the teams that the user is in.
func (d *Directory) TeamsOf(user string) []string {
	d.prepare()
	teams := slices.Clone(d.teams[user])
	slices.Sort(teams)
	return slices.Compact(teams)
}

// BindingsOf lists the bindings that give something to the user, with those of
// its teams.
func (d *Directory) BindingsOf(user string) (list []Binding) {
	d.prepare()
	for _, b := range d.Bindings {
		if d.means(b.Subject, user) {
			list = append(list, b)
		}
	}
	return list
}

// given are the rights that one subject has by its own bindings.
func (d *Directory) given(s Subject) *Rights {
	d.prepare()
	r := newRights(d.sets)
	for _, b := range d.Bindings {
		if b.Subject == s {
			r.give(b.Role, b.Scope)
		}
	}
	return r
}

// hasAdmin reports whether somebody who is not disabled may manage everything.
func (d *Directory) hasAdmin() bool {
	d.prepare()
	for _, b := range d.Bindings {
		if b.Role != RoleAdmin || b.Scope != (Scope{}) {
			continue
		}
		if b.Subject.Kind == SubjectUser && !slices.Contains(d.NoAdmins, b.Subject.Name) {
			return true
		}
		for _, m := range d.Members {
			if b.Subject.Kind == SubjectTeam && m.Team == b.Subject.Name && m.Source == "" && !slices.Contains(d.NoAdmins, m.User) {
				return true
			}
		}
	}
	return false
}

// hasAdminWithout reports whether there is an admin beside a user.
func (d *Directory) hasAdminWithout(user string) bool {
	without := d.edited()
	without.NoAdmins = append(slices.Clone(d.NoAdmins), user)
	return without.hasAdmin()
}

// role finds what a role holds.
func (d *Directory) role(name Role) (permSet, error) {
	d.prepare()
	if set, ok := d.sets[name]; ok {
		return set, nil
	}
	return 0, Invalid("there is no role %q; there are %s", name, joined(roleNames(d.sets)))
}

// hasProject reports whether there is a project of the name.
func (d *Directory) hasProject(name string) bool {
	return name == DefaultProject || slices.ContainsFunc(d.Projects, func(p Project) bool { return p.Name == name })
}

func (d *Directory) hasTeam(name string) bool {
	return slices.ContainsFunc(d.Teams, func(t Team) bool { return t.Name == name })
}

// RolesOf lists the roles that a user has in the whole installation, and not by
// a team.
func (d *Directory) RolesOf(user string) (roles []Role) {
	for _, b := range d.Bindings {
		if b.Subject == (Subject{SubjectUser, user}) && b.Scope == (Scope{}) {
			roles = append(roles, b.Role)
		}
	}
	return roles
}

// ProjectsFor lists the projects of which p may see something, the default one
// first.
func (d *Directory) ProjectsFor(p Principal) (list []Project) {
	within := p.Within(MayRead)
	sees := func(project string) bool {
		return within.All || slices.Contains(within.Projects, project) ||
			slices.ContainsFunc(within.Stacks, func(stack string) bool { return ProjectOf(stack) == project })
	}
	all := append([]Project{{Name: DefaultProject, Description: "What has no project in its name"}}, d.Projects...)
	return slices.DeleteFunc(all, func(project Project) bool { return !sees(project.Name) })
}

// ParseSubject reads what String writes.
func ParseSubject(text string) (Subject, error) {
	kind, name, found := strings.Cut(text, ":")
	s := Subject{Kind: SubjectKind(kind), Name: name}
	if !found || s.Kind != SubjectUser && s.Kind != SubjectTeam || CheckName(kind, name) != nil {
		return s, Invalid("%q is nobody who can be given a role; write user:<name> or team:<name>", text)
	}
	return s, nil
}
