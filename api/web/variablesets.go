package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// setsView is all that the page of variable sets shows.
type setsView struct {
	frame
	sets []*engine.VariableSet
	done []engine.Revised // what the last change did
	err  string
}

func (p *Pages) variableSets(c *gin.Context) error { return p.showSets(c, http.StatusOK, nil, "") }

func (p *Pages) showSets(c *gin.Context, status int, done []engine.Revised, problem string) error {
	v := setsView{frame: p.frame(c, "Variable sets"), done: done, err: problem}
	var err error
	if v.sets, err = p.Store.VariableSets(c.Request.Context(), seen(c)); err != nil {
		return err
	}
	p.render(c, status, setsPage(v))
	return nil
}

// writes reports whether who looks may change the set.
func (v setsView) writes(set *engine.VariableSet) bool {
	return v.who.May(engine.MayWriteCredentials, engine.ProjectScope(engine.ProjectOf(set.Name)))
}

func (p *Pages) putSet(c *gin.Context) error {
	return p.changeSets(c, func(ctx context.Context, who engine.Principal) ([]engine.Revised, error) {
		stacks := strings.FieldsFunc(c.PostForm("stacks"), func(r rune) bool { return r == ',' || r == ' ' })
		return nil, p.Stacks.PutVariableSet(ctx, who, &engine.VariableSet{Name: strings.TrimSpace(c.PostForm("set")), Description: c.PostForm("description"), Stacks: stacks})
	})
}

func (p *Pages) deleteSet(c *gin.Context) error {
	return p.changeSets(c, func(ctx context.Context, who engine.Principal) ([]engine.Revised, error) {
		return nil, p.Stacks.DeleteVariableSet(ctx, who, c.Param("set"))
	})
}

func (p *Pages) setShared(c *gin.Context) error {
	return p.changeSets(c, func(ctx context.Context, who engine.Principal) ([]engine.Revised, error) {
		return p.Stacks.SetShared(ctx, who, c.Param("set"), formVariable(c))
	})
}

func (p *Pages) unsetShared(c *gin.Context) error {
	return p.changeSets(c, func(ctx context.Context, who engine.Principal) ([]engine.Revised, error) {
		return p.Stacks.UnsetShared(ctx, who, c.Param("set"), engine.VariableKind(c.PostForm("kind")), c.PostForm("name"))
	})
}

// changeSets does what a form asks for and shows the sets, with what came of it.
func (p *Pages) changeSets(c *gin.Context, change func(context.Context, engine.Principal) ([]engine.Revised, error)) error {
	ctx := c.Request.Context()
	done, err := change(ctx, engine.PrincipalFrom(ctx))
	if refused(err) {
		return p.showSets(c, statusOf(err), nil, err.Error())
	}
	if err != nil {
		return err
	}
	return p.showSets(c, http.StatusOK, done, "")
}

// outcome says in a line what a change did to a stack.
func outcome(r engine.Revised) string {
	switch {
	case r.Err == nil:
		return fmt.Sprintf("is at revision %d", r.Revision)
	case refused(r.Err):
		return "stays as it is: " + r.Err.Error()
	}
	return "stays as it is: internal error"
}
