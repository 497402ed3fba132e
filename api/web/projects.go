package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// projectsView is all that the list of projects shows.
type projectsView struct {
	frame
	projects []engine.Project
	err      string
}

func (p *Pages) projects(c *gin.Context) error { return p.showProjects(c, http.StatusOK, "") }

func (p *Pages) showProjects(c *gin.Context, status int, problem string) error {
	v := projectsView{frame: p.frame(c, "Projects"), err: problem}
	d, err := p.Access.Directory(c.Request.Context())
	if err != nil {
		return err
	}
	v.projects = d.ProjectsFor(v.who)
	p.render(c, status, projectsPage(v))
	return nil
}

// projectView is all that the page of a project shows.
type projectView struct {
	frame
	project  engine.Project
	stacks   []*engine.Stack
	bindings []engine.Binding
	roles    []string
	err      string
}

func (p *Pages) project(c *gin.Context) error { return p.showProject(c, http.StatusOK, "") }

func (p *Pages) showProject(c *gin.Context, status int, problem string) error {
	ctx, name := c.Request.Context(), c.Param("project")
	v := projectView{frame: p.frame(c, name), err: problem}
	d, err := p.Access.Directory(ctx)
	if err != nil {
		return err
	}
	all := d.ProjectsFor(v.who)
	at := slices.IndexFunc(all, func(o engine.Project) bool { return o.Name == name })
	if at < 0 {
		return engine.Missing(engine.ThingProject, name)
	}
	v.project, v.roles = all[at], roles(d)
	within := engine.Within{Projects: []string{name}}
	if v.stacks, err = p.Store.Stacks(ctx, engine.Page{Limit: pageSize, Within: &within}); err != nil {
		return err
	}
	v.bindings = byWho(slices.DeleteFunc(slices.Clone(d.Bindings), func(b engine.Binding) bool { return b.Scope.Project != name }))
	p.render(c, status, projectPage(v))
	return nil
}

// changeProject is a form on the page of a project. A role is given in it alone.
func (p *Pages) changeProject(do func(c *gin.Context, ctx context.Context, who engine.Principal) error) func(*gin.Context) error {
	return func(c *gin.Context) error {
		return p.change(c, "/projects/"+c.Param("project"), func(ctx context.Context, who engine.Principal) error { return do(c, ctx, who) }, p.showProject)
	}
}

// projectRoutes are the pages of projects with their forms.
func (p *Pages) projectRoutes() []route {
	return []route{
		{"GET", "/projects", engine.MayRead, p.projects},
		{"POST", "/projects", engine.MayManageSystem, func(c *gin.Context) error {
			project := engine.Project{Name: strings.TrimSpace(c.PostForm("project")), Description: c.PostForm("description")}
			return p.change(c, "/projects/"+project.Name, func(ctx context.Context, who engine.Principal) error {
				return p.Access.PutProject(ctx, who, project)
			}, p.showProjects)
		}},
		{"GET", "/projects/:project", engine.MayRead, p.project},
		{"POST", "/projects/:project/grant", engine.MayManageAccess, p.changeProject(p.grant)},
		{"POST", "/projects/:project/revoke", engine.MayManageAccess, p.changeProject(p.revoke)},
		{"POST", "/projects/:project/delete", engine.MayManageSystem, func(c *gin.Context) error {
			return p.change(c, "/projects", func(ctx context.Context, who engine.Principal) error {
				return p.Access.DeleteProject(ctx, who, c.Param("project"))
			}, p.showProject)
		}},
	}
}

// sourceText tells who says that somebody is in a team.
func sourceText(m engine.Member) string {
	if m.Source == "" {
		return "added here"
	}
	return "by " + m.Source
}
