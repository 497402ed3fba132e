package api

import (
	"context"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// ProjectPath is a request about one project.
type ProjectPath struct {
	Project string `path:"project"`
}

func (s *server) projectRoutes() {
	handle(s, operation{method: "GET", path: "/v1/projects", id: "list-projects", summary: "List projects", tag: "projects", permission: engine.MayRead}, s.listProjects)
	handle(s, operation{method: "PUT", path: "/v1/projects/{project}", id: "put-project", summary: "Make a project, or describe it anew", tag: "projects", permission: engine.MayManageSystem},
		func(ctx context.Context, in *struct {
			ProjectPath
			Body client.Described
		}) (*body[client.Project], error) {
			project := engine.Project{Name: in.Project, Description: in.Body.Description}
			return answer(client.Project(project), s.Access.PutProject(ctx, me(ctx), project))
		})
	handle(s, operation{method: "DELETE", path: "/v1/projects/{project}", id: "delete-project", summary: "Delete a project in which nothing is left", tag: "projects", permission: engine.MayManageSystem},
		func(ctx context.Context, in *ProjectPath) (*none, error) {
			return &none{}, s.Access.DeleteProject(ctx, me(ctx), in.Project)
		})
}

// listProjects lists those of which the caller may see something.
func (s *server) listProjects(ctx context.Context, in *PageQuery) (*body[client.List[client.Project]], error) {
	d, err := s.Access.Directory(ctx)
	if err != nil {
		return nil, err
	}
	all := each(d.ProjectsFor(me(ctx)), func(p engine.Project) client.Project { return client.Project(p) })
	return portion(all, *in, func(p client.Project) string { return p.Name })
}

// TeamPath is a request about one team.
type TeamPath struct {
	Team string `path:"team"`
}

// MemberPath is a request about somebody in a team.
type MemberPath struct {
	TeamPath
	User string `path:"user"`
}

func (s *server) teamRoutes() {
	handle(s, operation{method: "GET", path: "/v1/teams", id: "list-teams", summary: "List teams with who is in them", tag: "access", permission: engine.MayReadAccess}, s.listTeams)
	handle(s, operation{method: "PUT", path: "/v1/teams/{team}", id: "put-team", summary: "Make a team, or describe it anew", tag: "access", permission: engine.MayManageUsers},
		func(ctx context.Context, in *struct {
			TeamPath
			Body client.Described
		}) (*none, error) {
			return &none{}, s.Access.PutTeam(ctx, me(ctx), engine.Team{Name: in.Team, Description: in.Body.Description})
		})
	handle(s, operation{method: "DELETE", path: "/v1/teams/{team}", id: "delete-team", summary: "Delete a team with the roles that it was given", tag: "access", permission: engine.MayManageUsers},
		func(ctx context.Context, in *TeamPath) (*none, error) {
			return &none{}, s.Access.DeleteTeam(ctx, me(ctx), in.Team)
		})
	handle(s, operation{method: "PUT", path: "/v1/teams/{team}/members/{user}", id: "add-member", summary: "Put a user into a team", tag: "access", permission: engine.MayManageUsers},
		func(ctx context.Context, in *MemberPath) (*none, error) {
			return &none{}, s.Access.AddMember(ctx, me(ctx), in.Team, in.User)
		})
	handle(s, operation{method: "DELETE", path: "/v1/teams/{team}/members/{user}", id: "remove-member", summary: "Take a user out of a team", tag: "access", permission: engine.MayManageUsers},
		func(ctx context.Context, in *MemberPath) (*none, error) {
			return &none{}, s.Access.RemoveMember(ctx, me(ctx), in.Team, in.User)
		})
}

func (s *server) listTeams(ctx context.Context, in *PageQuery) (*body[client.List[client.Team]], error) {
	d, err := s.Access.Directory(ctx)
	if err != nil {
		return nil, err
	}
	members := map[string][]client.Member{}
	for _, m := range d.Members {
		members[m.Team] = append(members[m.Team], client.Member{User: m.User, Source: m.Source})
	}
	all := each(d.Teams, func(t engine.Team) client.Team {
		return client.Team{Name: t.Name, Description: t.Description, Members: list(members[t.Name])}
	})
	return portion(all, *in, func(t client.Team) string { return t.Name })
}
