package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// rulesView is all that the page of approval rules shows.
type rulesView struct {
	frame
	rules []engine.Policy
	err   string
}

func (p *Pages) rules(c *gin.Context) error { return p.showRules(c, http.StatusOK, nil, "") }

// showRules shows the rules, with the text that was not taken where there is one.
func (p *Pages) showRules(c *gin.Context, status int, draft *engine.Policy, problem string) error {
	v := rulesView{frame: p.frame(c, "Approval rules"), err: problem}
	var err error
	if v.rules, err = p.Store.Policies(c.Request.Context()); err != nil {
		return err
	}
	wanted := []string{"", strings.TrimSpace(c.Query("project"))}
	for _, project := range wanted {
		if !slices.ContainsFunc(v.rules, func(r engine.Policy) bool { return r.Project == project }) {
			v.rules = append(v.rules, engine.Policy{Project: project})
		}
	}
	v.rules = slices.DeleteFunc(v.rules, func(r engine.Policy) bool { return !v.sees(r) })
	for i, r := range v.rules {
		if draft != nil && r.Project == draft.Project {
			v.rules[i].Source = draft.Source
		}
	}
	p.render(c, status, rulesPage(v))
	return nil
}

func (p *Pages) putRule(c *gin.Context) error {
	return p.changeRules(c, func(ctx context.Context, who engine.Principal) error {
		_, err := p.Policies.Put(ctx, who, c.Param("project"), c.PostForm("rule"))
		return err
	})
}

func (p *Pages) deleteRule(c *gin.Context) error {
	return p.changeRules(c, func(ctx context.Context, who engine.Principal) error {
		return p.Policies.Delete(ctx, who, c.Param("project"))
	})
}

func (p *Pages) changeRules(c *gin.Context, change func(context.Context, engine.Principal) error) error {
	ctx := c.Request.Context()
	err := change(ctx, engine.PrincipalFrom(ctx))
	if refused(err) {
		return p.showRules(c, statusOf(err), &engine.Policy{Project: c.Param("project"), Source: c.PostForm("rule")}, err.Error())
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/rules")
	return nil
}

// sees reports whether who looks may read the rule.
func (v rulesView) sees(r engine.Policy) bool {
	return r.Project == "" || v.who.May(engine.MayRead, engine.ProjectScope(r.Project))
}

// writes reports whether who looks may write the rule.
func (v rulesView) writes(r engine.Policy) bool {
	return v.who.May(engine.MayWritePolicy, engine.ProjectScope(r.Project))
}

// rulePath is where the forms of a rule go.
func rulePath(r engine.Policy) string {
	if r.Project == "" {
		return "/rules"
	}
	return "/projects/" + r.Project + "/rule"
}
