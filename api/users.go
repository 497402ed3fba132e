package api

import (
	"context"
	"net/http"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func (s *server) userRoutes() {
	handle(s, operation{method: "GET", path: "/v1/users", id: "list-users", summary: "List users", tag: "access", permission: engine.MayReadAccess}, s.listUsers)
	handle(s, operation{method: "POST", path: "/v1/users", id: "create-user", summary: "Make a user or a service account", tag: "access", permission: engine.MayManageUsers, status: http.StatusCreated}, s.createUser)
	handle(s, operation{method: "PATCH", path: "/v1/users/{name}", id: "update-user", summary: "Change a user", tag: "access", permission: engine.MayManageUsers}, s.updateUser)
}

func (s *server) listUsers(ctx context.Context, in *PageQuery) (*body[client.List[client.User]], error) {
	users, err := s.Store.Users(ctx, in.engine())
	if err != nil {
		return nil, err
	}
	d, err := s.Access.Directory(ctx)
	if err != nil {
		return nil, err
	}
	return paged(users, *in, func(u *engine.User) client.User { return userJSON(u, d) }, func(u *engine.User) string { return u.Name }), nil
}

func (s *server) createUser(ctx context.Context, in *struct{ Body client.CreateUser }) (*body[client.User], error) {
	b := in.Body
	err := s.Access.AddUser(ctx, me(ctx), engine.NewUser{Name: b.Name, Roles: roles(b.Roles), Kind: engine.UserKind(b.Kind), Owner: b.Owner,
		Password: engine.Secret(b.Password), MustChange: b.MustChange == nil || *b.MustChange})
	if err != nil {
		return nil, err
	}
	// Were it read for a caller who is gone, the same request would be refused.
	return s.user(context.WithoutCancel(ctx), b.Name)
}

func (s *server) user(ctx context.Context, name string) (*body[client.User], error) {
	u, err := s.Store.User(ctx, name)
	if err != nil {
		return nil, err
	}
	d, err := s.Access.Directory(ctx)
	if err != nil {
		return nil, err
	}
	return answer(userJSON(u, d), nil)
}

func roles(names []string) []engine.Role {
	return each(names, func(name string) engine.Role { return engine.Role(name) })
}

func (s *server) updateUser(ctx context.Context, in *struct {
	NamePath
	Body client.UpdateUser
}) (*body[client.User], error) {
	b := in.Body
	if b.Roles != nil {
		if err := s.Access.SetRoles(ctx, me(ctx), in.Name, roles(*b.Roles)); err != nil {
			return nil, err
		}
	}
	if b.Disabled != nil || b.Password != nil || b.Owner != nil || b.Unlock {
		ch := engine.UserChange{Disabled: b.Disabled, Password: (*engine.Secret)(b.Password), Owner: b.Owner, Unlock: b.Unlock}
		if _, err := s.Access.UpdateUser(ctx, me(ctx), in.Name, ch); err != nil {
			return nil, err
		}
	}
	return s.user(context.WithoutCancel(ctx), in.Name)
}

func userJSON(u *engine.User, d *engine.Directory) client.User {
	return client.User{Name: u.Name, Roles: names(d.RolesOf(u.Name)), Kind: string(u.Kind), Owner: u.Owner, Disabled: u.Disabled, MustChange: u.MustChange,
		LockedUntil: when(u.LockedUntil), CreatedAt: u.CreatedAt}
}
