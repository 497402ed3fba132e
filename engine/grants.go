package engine

import (
	"context"
	"slices"
)

// DirectoryStore keeps who may do what.
type DirectoryStore interface {
	// Directory reads it whole, as it was at one moment.
	Directory(ctx context.Context) (*Directory, error)
	// DirectoryVersion tells whether it has changed.
	DirectoryVersion(ctx context.Context) (int64, error)
	// ChangeDirectory reads it, lets change edit a copy and writes what differs
	// with the events, in one transaction and with the next version. Writers
	// wait for each other. An error of change is returned as it is.
	ChangeDirectory(ctx context.Context, change func(*Directory) error, events ...Event) error
	// StackOf names the stack that a run, step, schedule or state version is of.
	StackOf(ctx context.Context, t Thing, id string) (stack string, err error)
	// InProject names something that belongs to the project: a stack, credentials,
	// a variable set, its approval rule or a webhook; "" where there is nothing.
	InProject(ctx context.Context, project string) (string, error)
}

// Directory gives who may do what, as it is now. What was read last serves as
// long as nothing has changed.
func (a *Access) Directory(ctx context.Context) (*Directory, error) {
	version, err := a.Store.DirectoryVersion(ctx)
	if err != nil {
		return nil, err
	}
	return a.directory(ctx, version)
}

// directory gives the directory as it was at the version, or is by now. Another
// version, also one that is lower, as in a database that was restored, is read.
func (a *Access) directory(ctx context.Context, version int64) (*Directory, error) {
	if d := a.known.Load(); d != nil && d.Version == version {
		return d, nil
	}
	d, err := a.Store.Directory(ctx)
	if err == nil {
		a.known.Store(d)
	}
	return d, err
}

// PrincipalOf tells what a user may do now. One that is disabled may do
// nothing, and neither may the service accounts that it answers for.
func (a *Access) PrincipalOf(ctx context.Context, name string) (Principal, error) {
	u, err := a.Store.User(ctx, name)
	if err != nil {
		return Principal{}, err
	}
	p := Principal{User: name, Kind: u.Kind, Owner: u.Owner} // who is behind a service account stays known
	in, err := a.letIn(ctx, u)
	if err != nil || !in {
		return p, err
	}
	d, err := a.Directory(ctx)
	if err == nil {
		p.Rights = d.Rights(name)
	}
	return p, err
}

// letIn reports whether a user is not disabled; a service account is as good as
// its owner.
func (a *Access) letIn(ctx context.Context, u *User) (bool, error) {
	if u.Disabled || u.Owner == "" {
		return !u.Disabled, nil
	}
	owner, err := a.Store.User(ctx, u.Owner)
	if err != nil {
		return false, err
	}
	return !owner.Disabled, nil
}

// change edits the directory for p. Nobody can take the last admin away, and
// nobody can give rights that they don't have.
func (a *Access) change(ctx context.Context, e Event, edit func(*Directory) error) error {
	events := []Event{e} // which says what was changed once that is known
	return a.Store.ChangeDirectory(ctx, func(d *Directory) error {
		had, before := d.hasAdmin(), d.told(e)
		if err := edit(d); err != nil {
			return err
		}
		if had && !d.edited().hasAdmin() {
			return Conflict("that would take the last admin away; make another one first")
		}
		events[0] = e.changing(before, d.told(e))
		return nil
	}, events...)
}

// edited is a directory of the same, in which nothing is worked out yet.
func (d *Directory) edited() *Directory {
	return &Directory{Version: d.Version, Projects: d.Projects, Teams: d.Teams, Members: d.Members, Roles: d.Roles, Bindings: d.Bindings, NoAdmins: d.NoAdmins}
}

// Bind gives a role in a scope.
func (a *Access) Bind(ctx context.Context, p Principal, b Binding) error {
	if err := a.subject(ctx, b.Subject); err != nil {
		return err
	}
	return a.change(ctx, a.event(p, "access.bind", b), func(d *Directory) error {
		if err := d.mayBind(p, b); err != nil {
			return err
		}
		if slices.Contains(d.Bindings, b) {
			return Conflict("%s has role %s on %s already", b.Subject, b.Role, b.Scope)
		}
		d.Bindings = append(d.Bindings, b)
		return nil
	})
}

// Unbind takes a role back.
func (a *Access) Unbind(ctx context.Context, p Principal, b Binding) error {
	return a.change(ctx, a.event(p, "access.unbind", b), func(d *Directory) error {
		if err := d.mayBind(p, b); err != nil {
			return err
		}
		at := slices.Index(d.Bindings, b)
		if at < 0 {
			return NotFound("%s does not have role %s on %s", b.Subject, b.Role, b.Scope)
		}
		d.Bindings = slices.Delete(d.Bindings, at, at+1)
		return nil
	})
}

// mayBind checks that p may give the role, and take it back: in a scope that p
// manages, and with nothing in it that p does not hold.
func (d *Directory) mayBind(p Principal, b Binding) error {
	if err := p.Check(MayManageAccess, b.Scope); err != nil {
		return err
	}
	set, err := d.role(b.Role)
	switch {
	case err != nil:
		return err
	case b.Subject.Kind == SubjectTeam && !d.hasTeam(b.Subject.Name):
		return NotFound("there is no team %q", b.Subject.Name)
	case b.Scope.Project != "" && !d.hasProject(b.Scope.Project):
		return NotFound("there is no project %q", b.Scope.Project)
	}
	if b.Scope != (Scope{}) {
		set &= setOf(scoped...)
	}
	if lacks := set &^ p.holds(b.Scope); lacks != 0 {
		return Forbidden("%s cannot give role %s on %s, which holds more than that may do there: %s", p.asks(), b.Role, b.Scope, joined(lacks.list()))
	}
	return nil
}

// mayGive checks that p may give the roles to a user in the whole installation.
func (a *Access) mayGive(ctx context.Context, p Principal, user string, roles []Role) error {
	d, err := a.Directory(ctx)
	if err != nil {
		return err
	}
	for _, role := range roles {
		if err := d.mayBind(p, Binding{Subject: Subject{SubjectUser, user}, Role: role}); err != nil {
			return err
		}
	}
	return nil
}

// SetRoles gives a user exactly the roles in the whole installation. What it
// has in projects, for stacks and by its teams stays.
func (a *Access) SetRoles(ctx context.Context, p Principal, user string, roles []Role) error {
	if _, err := a.Store.User(ctx, user); err != nil {
		return err
	}
	subject := Subject{SubjectUser, user}
	e := newEvent(a.Now(), p.User, "access.set", "", subject.String(), map[string]any{"roles": roles})
	return a.change(ctx, e, func(d *Directory) error {
		own := func(b Binding) bool { return b.Subject == subject && b.Scope == Scope{} }
		for _, b := range d.Bindings {
			if !own(b) {
				continue
			}
			if err := d.mayBind(p, b); err != nil {
				return err
			}
		}
		d.Bindings = slices.DeleteFunc(d.Bindings, own)
		for _, role := range roles {
			b := Binding{Subject: subject, Role: role}
			if err := d.mayBind(p, b); err != nil {
				return err
			}
			d.Bindings = put(d.Bindings, b, func(o Binding) bool { return o == b })
		}
		return nil
	})
}

// subject checks that a user that is given a role is there.
func (a *Access) subject(ctx context.Context, s Subject) error {
	switch s.Kind {
	case SubjectUser:
		_, err := a.Store.User(ctx, s.Name)
		return err
	case SubjectTeam:
		return nil // looked up with the rest of the directory
	}
	return Invalid("a role is given to a user or a team, not to a %q", s.Kind)
}

func (a *Access) event(p Principal, action string, b Binding) Event {
	return newEvent(a.Now(), p.User, action, b.Scope.Stack, b.Subject.String(), map[string]any{"role": b.Role, "scope": b.Scope.String()}).in(b.Scope.Project)
}

// mayManage checks that p may change what belongs to another user: nobody
// gets hold of rights, by a password or a team, that they don't have. Who gets
// hold of a person gets hold of the service accounts of that person, too.
func (a *Access) mayManage(ctx context.Context, p Principal, name string) error {
	d, err := a.Directory(ctx)
	if err != nil {
		return err
	}
	names, err := a.inHandOf(ctx, name)
	if err != nil {
		return err
	}
	return d.mayManage(p, names)
}

// inHandOf names a user, and then the service accounts of that user.
func (a *Access) inHandOf(ctx context.Context, name string) ([]string, error) {
	users, err := a.Store.Users(ctx, Everything())
	names := []string{name}
	for _, u := range users {
		if u.Owner == name {
			names = append(names, u.Name)
		}
	}
	return names, err
}

// mayManage is for the names that inHandOf gives.
func (d *Directory) mayManage(p Principal, names []string) error {
	if p.User == names[0] { // a token that is limited stays so: it sets no password to sign in with
		return p.whole()
	}
	for _, name := range names {
		if !p.covers(d.Rights(name)) {
			return Forbidden("%s may do more than %s; ask an admin", name, p.asks())
		}
	}
	return nil
}
