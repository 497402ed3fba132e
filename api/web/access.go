package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// accessView is all that the page of roles and teams shows.
type accessView struct {
	frame
	directory *engine.Directory
	err       string
}

func (p *Pages) access(c *gin.Context) error { return p.showAccess(c, http.StatusOK, "") }

func (p *Pages) showAccess(c *gin.Context, status int, problem string) error {
	v := accessView{frame: p.frame(c, "Access"), err: problem}
	if p.closed(c, v.frame, engine.MayReadAccess, status, problem) {
		return nil
	}
	var err error
	if v.directory, err = p.Access.Directory(c.Request.Context()); err != nil {
		return err
	}
	p.render(c, status, accessPage(v))
	return nil
}

// bindings lists who has which role, by who.
func (v accessView) bindings() []engine.Binding { return byWho(v.directory.Bindings) }

func byWho(all []engine.Binding) []engine.Binding {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b engine.Binding) int {
		return strings.Compare(a.Subject.String()+" "+a.Scope.String(), b.Subject.String()+" "+b.Scope.String())
	})
	return sorted
}

// members lists who is in a team, with who says so.
func (v accessView) members(team string) (list []engine.Member) {
	for _, m := range v.directory.Members {
		if m.Team == team {
			list = append(list, m)
		}
	}
	return list
}

// roles lists all roles that can be given.
func roles(d *engine.Directory) []string {
	var names []string
	for _, r := range engine.Roles() {
		names = append(names, string(r))
	}
	for _, r := range d.Roles {
		names = append(names, string(r.Name))
	}
	return names
}

// holds lists the permissions of a role in words.
func holds(permissions []engine.Permission) string {
	texts := make([]string, len(permissions))
	for i, p := range permissions {
		texts[i] = string(p)
	}
	return strings.Join(texts, ", ")
}

// formBinding reads a binding out of a form.
func formBinding(c *gin.Context) (engine.Binding, error) {
	subject, err := engine.ParseSubject(c.PostForm("kind") + ":" + strings.TrimSpace(c.PostForm("name")))
	if err != nil {
		return engine.Binding{}, err
	}
	scope, err := engine.ParseScope(strings.TrimSpace(c.PostForm("scope")))
	return engine.Binding{Subject: subject, Role: engine.Role(c.PostForm("role")), Scope: scope}, err
}

// change does what a form asks for, and then shows a page again, with the
// error that the form is answered with.
func (p *Pages) change(c *gin.Context, back string, do func(context.Context, engine.Principal) error, show func(*gin.Context, int, string) error) error {
	ctx := c.Request.Context()
	err := do(ctx, engine.PrincipalFrom(ctx))
	if refused(err) {
		return show(c, statusOf(err), err.Error())
	}
	if err == nil {
		c.Redirect(http.StatusSeeOther, back)
	}
	return err
}

// changeAccess is a form on the page of roles and teams.
func (p *Pages) changeAccess(do func(c *gin.Context, ctx context.Context, who engine.Principal) error) func(*gin.Context) error {
	return func(c *gin.Context) error {
		return p.change(c, "/access", func(ctx context.Context, who engine.Principal) error { return do(c, ctx, who) }, p.showAccess)
	}
}

// accessRoutes are the page of roles and teams with its forms.
func (p *Pages) accessRoutes() []route {
	form := func(path string, perm engine.Permission, do func(c *gin.Context, ctx context.Context, who engine.Principal) error) route {
		return route{"POST", path, perm, p.changeAccess(do)}
	}
	return []route{
		{"GET", "/access", engine.MayReadAccess, p.access},
		form("/access/grant", engine.MayManageAccess, p.grant),
		form("/access/revoke", engine.MayManageAccess, p.revoke),
		form("/access/teams", engine.MayManageUsers, func(c *gin.Context, ctx context.Context, who engine.Principal) error {
			return p.Access.PutTeam(ctx, who, engine.Team{Name: strings.TrimSpace(c.PostForm("team")), Description: c.PostForm("description")})
		}),
		form("/access/teams/:team/add", engine.MayManageUsers, func(c *gin.Context, ctx context.Context, who engine.Principal) error {
			return p.Access.AddMember(ctx, who, c.Param("team"), strings.TrimSpace(c.PostForm("user")))
		}),
		form("/access/teams/:team/remove", engine.MayManageUsers, func(c *gin.Context, ctx context.Context, who engine.Principal) error {
			return p.Access.RemoveMember(ctx, who, c.Param("team"), c.PostForm("user"))
		}),
		form("/access/teams/:team/delete", engine.MayManageUsers, func(c *gin.Context, ctx context.Context, who engine.Principal) error {
			return p.Access.DeleteTeam(ctx, who, c.Param("team"))
		}),
		form("/access/roles", engine.MayManageUsers, p.putRole),
		form("/access/roles/:role/delete", engine.MayManageUsers, func(c *gin.Context, ctx context.Context, who engine.Principal) error {
			return p.Access.DeleteRole(ctx, who, engine.Role(c.Param("role")))
		}),
	}
}

func (p *Pages) grant(c *gin.Context, ctx context.Context, who engine.Principal) error {
	b, err := formBinding(c)
	if err != nil {
		return err
	}
	return p.Access.Bind(ctx, who, b)
}

func (p *Pages) revoke(c *gin.Context, ctx context.Context, who engine.Principal) error {
	b, err := formBinding(c)
	if err != nil {
		return err
	}
	return p.Access.Unbind(ctx, who, b)
}

func (p *Pages) putRole(c *gin.Context, ctx context.Context, who engine.Principal) error {
	role, err := engine.NewCustomRole(engine.Role(strings.TrimSpace(c.PostForm("role"))), c.PostForm("description"), c.PostFormArray("permission"))
	if err != nil {
		return err
	}
	return p.Access.PutRole(ctx, who, role)
}
