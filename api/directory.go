package api

import (
	"context"
	"slices"
	"strings"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func (s *server) directoryRoutes() {
	handle(s, operation{method: "GET", path: "/v1/roles", id: "list-roles", summary: "List roles with what they hold", tag: "access", permission: signedIn}, s.listRoles)
	handle(s, operation{method: "PUT", path: "/v1/roles/{role}", id: "put-role", summary: "Make a role of permissions, or change what it holds", tag: "access", permission: engine.MayManageUsers}, s.putRole)
	handle(s, operation{method: "DELETE", path: "/v1/roles/{role}", id: "delete-role", summary: "Delete a role that nobody has", tag: "access", permission: engine.MayManageUsers},
		func(ctx context.Context, in *RolePath) (*none, error) {
			return &none{}, s.Access.DeleteRole(ctx, me(ctx), engine.Role(in.Role))
		})
	handle(s, operation{method: "GET", path: "/v1/bindings", id: "list-bindings", summary: "List who has which role where", tag: "access", permission: engine.MayReadAccess}, s.listBindings)
	handle(s, operation{method: "GET", path: "/v1/projects/{project}/bindings", id: "list-project-bindings", summary: "List who has which role in a project", tag: "access", permission: engine.MayManageAccess}, s.listProjectBindings)
	handle(s, operation{method: "POST", path: "/v1/bindings", id: "create-binding", summary: "Give a role to a user or a team", tag: "access", permission: engine.MayManageAccess},
		func(ctx context.Context, in *struct{ Body client.Binding }) (*none, error) {
			b, err := bindingOf(in.Body)
			if err != nil {
				return nil, err
			}
			return &none{}, s.Access.Bind(ctx, me(ctx), b)
		})
	handle(s, operation{method: "DELETE", path: "/v1/bindings", id: "delete-binding", summary: "Take a role back", tag: "access", permission: engine.MayManageAccess},
		func(ctx context.Context, in *BindingQuery) (*none, error) {
			b, err := bindingOf(client.Binding{Subject: in.Subject, Role: in.Role, Scope: in.Scope})
			if err != nil {
				return nil, err
			}
			return &none{}, s.Access.Unbind(ctx, me(ctx), b)
		})
	s.projectRoutes()
	s.teamRoutes()
}

// RolePath is a request about one role.
type RolePath struct {
	Role string `path:"role"`
}

// BindingQuery names a binding.
type BindingQuery struct {
	Subject string `query:"subject" required:"true" doc:"user:<name> or team:<name>."`
	Role    string `query:"role" required:"true"`
	Scope   string `query:"scope" doc:"installation, project:<name> or stack:<name>."`
}

func (s *server) listRoles(ctx context.Context, in *PageQuery) (*body[client.List[client.Role]], error) {
	d, err := s.Access.Directory(ctx)
	if err != nil {
		return nil, err
	}
	var all []client.Role
	for _, r := range engine.Roles() {
		all = append(all, client.Role{Name: string(r), BuiltIn: true, Permissions: names(r.Permissions())})
	}
	return portion(append(all, each(d.Roles, roleJSON)...), *in, func(r client.Role) string { return r.Name })
}

func roleJSON(r engine.CustomRole) client.Role {
	return client.Role{Name: string(r.Name), Description: r.Description, Permissions: names(r.Permissions())}
}

func (s *server) putRole(ctx context.Context, in *struct {
	RolePath
	Body client.PutRole
}) (*body[client.Role], error) {
	role, err := engine.NewCustomRole(engine.Role(in.Role), in.Body.Description, in.Body.Permissions)
	if err != nil {
		return nil, err
	}
	return answer(roleJSON(role), s.Access.PutRole(ctx, me(ctx), role))
}

// names turns named texts into plain ones.
func names[T ~string](all []T) []string { return each(all, func(v T) string { return string(v) }) }

func bindingJSON(b engine.Binding) client.Binding {
	return client.Binding{Subject: b.Subject.String(), Role: string(b.Role), Scope: b.Scope.String()}
}

func bindingKey(b client.Binding) string { return b.Subject + " " + b.Scope + " " + b.Role }

// portion is the page of a list that is at hand whole, in the order of its keys.
func portion[T any](all []T, p PageQuery, key func(T) string) (*body[client.List[T]], error) {
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	from, _ := slices.BinarySearchFunc(all, p.Cursor+"\x00", func(v T, cursor string) int { return strings.Compare(key(v), cursor) })
	if p.Cursor == "" {
		from = 0
	}
	rest := all[from:]
	return paged(rest[:min(len(rest), p.Limit+1)], p, func(v T) T { return v }, key), nil
}

func bindingOf(b client.Binding) (engine.Binding, error) {
	subject, err := engine.ParseSubject(b.Subject)
	if err != nil {
		return engine.Binding{}, err
	}
	scope, err := engine.ParseScope(b.Scope)
	return engine.Binding{Subject: subject, Role: engine.Role(b.Role), Scope: scope}, err
}

func (s *server) listBindings(ctx context.Context, in *PageQuery) (*body[client.List[client.Binding]], error) {
	d, err := s.Access.Directory(ctx)
	if err != nil {
		return nil, err
	}
	return portion(each(d.Bindings, bindingJSON), *in, bindingKey)
}

func (s *server) listProjectBindings(ctx context.Context, in *struct {
	ProjectPath
	PageQuery
}) (*body[client.List[client.Binding]], error) {
	d, err := s.Access.Directory(ctx)
	if err != nil {
		return nil, err
	}
	of := slices.DeleteFunc(slices.Clone(d.Bindings), func(b engine.Binding) bool { return b.Scope.Project != in.Project })
	return portion(each(of, bindingJSON), in.PageQuery, bindingKey)
}

func (s *server) whoami(ctx context.Context, _ *none) (*body[client.Whoami], error) {
	p := me(ctx)
	d, err := s.Access.Directory(ctx)
	if err != nil {
		return nil, err
	}
	return answer(client.Whoami{Name: p.User, Kind: string(p.Kind), Owner: p.Owner, MustChange: p.MustChange, Teams: list(d.TeamsOf(p.User)), Bindings: each(d.BindingsOf(p.User), bindingJSON)}, nil)
}
