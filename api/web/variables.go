package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

func (p *Pages) setVariable(c *gin.Context) error {
	v := formVariable(c)
	v.Stack = c.Param("stack")
	return p.changeVariable(c, func(ctx context.Context, who engine.Principal) error {
		_, err := p.Stacks.SetVariable(ctx, who, v)
		return err
	})
}

// formVariable reads a variable from a form.
func formVariable(c *gin.Context) *engine.Variable {
	v := &engine.Variable{Kind: engine.VariableKind(c.PostForm("kind")), Name: strings.TrimSpace(c.PostForm("name")), Secret: c.PostForm("secret") != ""}
	v.Value = engine.Secret(c.PostForm("value"))
	if v.Kind == engine.VariableInput {
		v.Value = engine.Secret(engine.ValueOf(c.PostForm("value")))
	}
	return v
}

func (p *Pages) unsetVariable(c *gin.Context) error {
	return p.changeVariable(c, func(ctx context.Context, who engine.Principal) error {
		_, err := p.Stacks.UnsetVariable(ctx, who, c.Param("stack"), c.PostForm("name"), engine.VariableKind(c.PostForm("kind")))
		return err
	})
}

func (p *Pages) changeVariable(c *gin.Context, change func(context.Context, engine.Principal) error) error {
	ctx := c.Request.Context()
	err := change(ctx, engine.PrincipalFrom(ctx))
	if refused(err) {
		return p.showStack(c, statusOf(err), err.Error())
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/stacks/"+c.Param("stack")+"#variables")
	return nil
}
