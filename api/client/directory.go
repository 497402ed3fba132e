package client

import (
	"context"
	"net/http"
	"net/url"
)

// Projects lists those of which the caller may see something.
func (c *Client) Projects(ctx context.Context) ([]Project, error) {
	return items[Project](ctx, c, path("projects"), nil)
}

// PutProject makes a project, or describes it anew.
func (c *Client) PutProject(ctx context.Context, p Project) error {
	return c.call(ctx, http.MethodPut, path("projects", p.Name), nil, Described{p.Description}, nil)
}

// DeleteProject removes a project in which nothing is left.
func (c *Client) DeleteProject(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, path("projects", name), nil, nil, nil)
}

// Teams lists teams with who is in them.
func (c *Client) Teams(ctx context.Context) ([]Team, error) {
	return items[Team](ctx, c, path("teams"), nil)
}

// PutTeam makes a team, or describes it anew.
func (c *Client) PutTeam(ctx context.Context, name, description string) error {
	return c.call(ctx, http.MethodPut, path("teams", name), nil, Described{description}, nil)
}

// DeleteTeam removes a team with the roles that it was given.
func (c *Client) DeleteTeam(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, path("teams", name), nil, nil, nil)
}

// AddMember puts a user into a team.
func (c *Client) AddMember(ctx context.Context, team, user string) error {
	return c.call(ctx, http.MethodPut, path("teams", team, "members", user), nil, nil, nil)
}

// RemoveMember takes a user out of a team.
func (c *Client) RemoveMember(ctx context.Context, team, user string) error {
	return c.call(ctx, http.MethodDelete, path("teams", team, "members", user), nil, nil, nil)
}

// Roles lists the roles with what they hold.
func (c *Client) Roles(ctx context.Context) ([]Role, error) {
	return items[Role](ctx, c, path("roles"), nil)
}

// PutRole makes a role of permissions, or changes what it holds.
func (c *Client) PutRole(ctx context.Context, name string, r PutRole) error {
	return c.call(ctx, http.MethodPut, path("roles", name), nil, r, nil)
}

// DeleteRole removes a role that nobody has.
func (c *Client) DeleteRole(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, path("roles", name), nil, nil, nil)
}

// Bindings lists who has which role where, of one project or, for "", of all.
func (c *Client) Bindings(ctx context.Context, project string) ([]Binding, error) {
	if project != "" {
		return items[Binding](ctx, c, path("projects", project, "bindings"), nil)
	}
	return items[Binding](ctx, c, path("bindings"), nil)
}

// Bind gives a role.
func (c *Client) Bind(ctx context.Context, b Binding) error {
	return c.call(ctx, http.MethodPost, path("bindings"), nil, b, nil)
}

// Unbind takes a role back.
func (c *Client) Unbind(ctx context.Context, b Binding) error {
	q := url.Values{"subject": {b.Subject}, "role": {b.Role}, "scope": {b.Scope}}
	return c.call(ctx, http.MethodDelete, path("bindings"), q, nil, nil)
}
