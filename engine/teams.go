package engine

import (
	"context"
	"slices"
)

// PutProject makes a project, or describes it anew.
func (a *Access) PutProject(ctx context.Context, p Principal, project Project) error {
	if err := CheckProjectName(project.Name); err != nil {
		return err
	}
	if project.Name == DefaultProject {
		return Invalid("the project %s is always there", DefaultProject)
	}
	taken, err := a.inProject(ctx, p, project.Name)
	if err != nil {
		return err
	}
	e := newEvent(a.Now(), p.User, "project.put", "", project.Name, map[string]any{"description": project.Description}).in(project.Name)
	return a.change(ctx, e, func(d *Directory) error {
		if !d.hasProject(project.Name) && taken != "" {
			return Conflict("%s is there already, and would be part of project %s", taken, project.Name)
		}
		d.Projects = put(d.Projects, project, func(o Project) bool { return o.Name == project.Name })
		return nil
	})
}

// inProject names something of a project as far as p may know of it; "" for nothing.
func (a *Access) inProject(ctx context.Context, p Principal, project string) (string, error) {
	found, err := a.Store.InProject(ctx, project)
	if found != "" && !p.May(MayRead, ProjectScope(project)) {
		found = "something that you may not see"
	}
	return found, err
}

// DeleteProject removes a project in which nothing is left, with the roles
// that were given in it.
func (a *Access) DeleteProject(ctx context.Context, p Principal, name string) error {
	left, err := a.inProject(ctx, p, name)
	if err != nil {
		return err
	}
	if left != "" {
		return Conflict("%s is still in project %s; delete it first", left, name)
	}
	return a.change(ctx, newEvent(a.Now(), p.User, "project.delete", "", name, nil).in(name), func(d *Directory) error {
		if name == DefaultProject || !d.hasProject(name) {
			return NotFound("there is no project %q that could be deleted", name)
		}
		d.Projects = slices.DeleteFunc(d.Projects, func(o Project) bool { return o.Name == name })
		d.Bindings = slices.DeleteFunc(d.Bindings, func(b Binding) bool { return b.Scope.Project == name })
		return nil
	})
}

// checkPlace refuses a name of something new that is unusable, or of a project
// that there is not. What was there before projects keeps its name.
func checkPlace(ctx context.Context, store DirectoryStore, what, name string) error {
	if err := checkQualified(what, name); err != nil || ProjectOf(name) == DefaultProject {
		return err
	}
	d, err := store.Directory(ctx)
	if err != nil || d.hasProject(ProjectOf(name)) {
		return err
	}
	return Invalid("%s %q: there is no project %s; make it first, as in: cloudops project create %[3]s", what, name, ProjectOf(name))
}

// PutTeam makes a team, or describes it anew.
func (a *Access) PutTeam(ctx context.Context, p Principal, team Team) error {
	if err := CheckName("team", team.Name); err != nil {
		return err
	}
	e := newEvent(a.Now(), p.User, "team.put", "", team.Name, map[string]any{"description": team.Description})
	return a.change(ctx, e, func(d *Directory) error {
		d.Teams = put(d.Teams, team, func(o Team) bool { return o.Name == team.Name })
		return nil
	})
}

// DeleteTeam removes a team with the roles that it was given.
func (a *Access) DeleteTeam(ctx context.Context, p Principal, name string) error {
	return a.change(ctx, newEvent(a.Now(), p.User, "team.delete", "", name, nil), func(d *Directory) error {
		if err := d.mayFill(p, name); err != nil {
			return err
		}
		d.Teams = slices.DeleteFunc(d.Teams, func(t Team) bool { return t.Name == name })
		d.Members = slices.DeleteFunc(d.Members, func(m Member) bool { return m.Team == name })
		d.Bindings = slices.DeleteFunc(d.Bindings, func(b Binding) bool { return b.Subject == Subject{SubjectTeam, name} })
		return nil
	})
}

// mayFill checks that there is the team, and that it gives nobody rights that
// p does not have.
func (d *Directory) mayFill(p Principal, team string) error {
	if !d.hasTeam(team) {
		return NotFound("there is no team %q", team)
	}
	if !p.covers(d.given(Subject{SubjectTeam, team})) {
		return Forbidden("team %s may do more than %s; ask an admin", team, p.asks())
	}
	return nil
}

// AddMember puts a user into a team.
func (a *Access) AddMember(ctx context.Context, p Principal, team, user string) error {
	if _, err := a.Store.User(ctx, user); err != nil {
		return err
	}
	e := newEvent(a.Now(), p.User, "team.add", "", team, map[string]any{"user": user})
	return a.change(ctx, e, func(d *Directory) error {
		m := Member{Team: team, User: user}
		if err := d.mayFill(p, team); err != nil {
			return err
		}
		if slices.Contains(d.Members, m) {
			return Conflict("%s is in team %s already", user, team)
		}
		d.Members = append(d.Members, m)
		return nil
	})
}

// RemoveMember takes a user out of a team.
func (a *Access) RemoveMember(ctx context.Context, p Principal, team, user string) error {
	e := newEvent(a.Now(), p.User, "team.remove", "", team, map[string]any{"user": user})
	return a.change(ctx, e, func(d *Directory) error {
		if err := d.mayFill(p, team); err != nil {
			return err
		}
		before := len(d.Members)
		d.Members = slices.DeleteFunc(d.Members, func(m Member) bool { return m.Team == team && m.User == user })
		if len(d.Members) == before {
			return NotFound("%s is not in team %s", user, team)
		}
		return nil
	})
}

// SyncTeams makes the user a member of exactly those of the teams that the
// source names, of what the source has said before. Teams that there are not
// are passed over. It writes nothing where nothing changes.
func (a *Access) SyncTeams(ctx context.Context, user, source string, teams []string) error {
	d, err := a.Directory(ctx)
	if err != nil {
		return err
	}
	want := d.synced(user, source, teams)
	if slices.Equal(want, d.Members) {
		return nil
	}
	e := newEvent(a.Now(), source, "team.sync", "", user, map[string]any{"teams": teams})
	return a.Store.ChangeDirectory(ctx, func(d *Directory) error {
		d.Members = d.synced(user, source, teams)
		return nil
	}, e)
}

func (d *Directory) synced(user, source string, teams []string) []Member {
	var kept []Member
	for _, m := range d.Members {
		if m.User != user || m.Source != source || slices.Contains(teams, m.Team) && d.hasTeam(m.Team) {
			kept = append(kept, m)
		}
	}
	for _, team := range teams {
		if m := (Member{Team: team, User: user, Source: source}); d.hasTeam(team) && !slices.Contains(kept, m) {
			kept = append(kept, m)
		}
	}
	return kept
}

// PutRole makes a role of permissions, or changes what it holds. Nobody can
// put into a role, or take out of it, what they may not do themselves.
func (a *Access) PutRole(ctx context.Context, p Principal, role CustomRole) error {
	e := newEvent(a.Now(), p.User, "role.put", "", string(role.Name), map[string]any{"permissions": role.Permissions()})
	return a.change(ctx, e, func(d *Directory) error {
		before, _ := d.role(role.Name) // one that is new holds nothing
		if lacks := (role.permissions ^ before) &^ p.holds(Scope{}); lacks != 0 {
			return Forbidden("%s cannot put into role %s, or take out of it, what that may not do: %s", p.asks(), role.Name, joined(lacks.list()))
		}
		d.Roles = put(d.Roles, role, func(o CustomRole) bool { return o.Name == role.Name })
		return nil
	})
}

// DeleteRole removes a role that nobody has.
func (a *Access) DeleteRole(ctx context.Context, p Principal, name Role) error {
	return a.change(ctx, newEvent(a.Now(), p.User, "role.delete", "", string(name), nil), func(d *Directory) error {
		if !slices.ContainsFunc(d.Roles, func(r CustomRole) bool { return r.Name == name }) {
			return NotFound("there is no role %q of your own", name)
		}
		if i := slices.IndexFunc(d.Bindings, func(b Binding) bool { return b.Role == name }); i >= 0 {
			return Conflict("%s has role %s on %s; take it back first", d.Bindings[i].Subject, name, d.Bindings[i].Scope)
		}
		d.Roles = slices.DeleteFunc(d.Roles, func(r CustomRole) bool { return r.Name == name })
		return nil
	})
}

// put replaces the element that is meant, or adds it.
func put[T any](list []T, v T, same func(T) bool) []T {
	if i := slices.IndexFunc(list, same); i >= 0 {
		list[i] = v
		return list
	}
	return append(list, v)
}
