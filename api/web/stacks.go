package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

func (p *Pages) stacks(c *gin.Context) error {
	ctx := c.Request.Context()
	stacks, err := p.Store.Stacks(ctx, engine.Page{After: c.Query("after"), Limit: pageSize + 1})
	if err != nil {
		return err
	}
	stacks, more := cut(stacks)
	names := make([]string, len(stacks))
	for i, s := range stacks {
		names[i] = s.Name
	}
	findings, err := p.Store.OpenFindings(ctx, names)
	if err != nil {
		return err
	}
	latest, err := p.latestRuns(ctx, stacks)
	if err != nil {
		return err
	}
	p.render(c, http.StatusOK, stacksPage(p.frame(c, "Stacks"), stacks, findings, latest, more))
	return nil
}

// stackView is all that a stack's page shows.
type stackView struct {
	frame
	stack     *engine.Stack
	revision  *engine.Revision // newest; nil before the first
	runs      []*engine.Run
	findings  []*engine.Finding
	states    []*engine.StateVersion
	locks     []*engine.StateLock
	schedules []*engine.Schedule
	outputs   engine.Outputs
	graph     graph
	more      bool
	err       string
}

func (p *Pages) stack(c *gin.Context) error { return p.showStack(c, http.StatusOK, "") }

func (p *Pages) showStack(c *gin.Context, status int, problem string) error {
	ctx, name := c.Request.Context(), c.Param("stack")
	v := stackView{frame: p.frame(c, name), err: problem}
	var err error
	if v.stack, err = p.Store.Stack(ctx, name); err != nil {
		return err
	}
	if v.stack.Latest > 0 {
		if v.revision, err = p.Store.Revision(ctx, name, v.stack.Latest); err != nil {
			return err
		}
	}
	if v.runs, err = p.Store.Runs(ctx, engine.RunFilter{Stack: name}, engine.Page{After: c.Query("after"), Limit: pageSize + 1}); err != nil {
		return err
	}
	v.runs, v.more = cut(v.runs)
	if v.findings, err = p.Store.Findings(ctx, name, true, engine.Page{Limit: pageSize}); err != nil {
		return err
	}
	if v.states, err = p.Store.LatestStates(ctx, name); err != nil {
		return err
	}
	if v.locks, err = p.Store.StateLocks(ctx, name); err != nil {
		return err
	}
	if v.schedules, err = p.Store.Schedules(ctx, name); err != nil {
		return err
	}
	if v.outputs, err = p.Runs.StackOutputs(ctx, name); err != nil {
		return err
	}
	v.graph = v.draw()
	p.render(c, status, stackPage(v))
	return nil
}

// draw lays out the newest revision, coloured by the newest run.
func (v stackView) draw() graph {
	if v.revision == nil {
		return graph{}
	}
	status := map[string]string{}
	if len(v.runs) > 0 {
		for _, s := range v.runs[0].Steps {
			status[s.Component.Address] = string(s.Status)
		}
	}
	var nodes []node
	for _, c := range v.revision.Blueprint.Components {
		nodes = append(nodes, node{name: c.Address, note: string(c.Cloud), status: status[c.Address], needs: c.Needs})
	}
	return arrange(nodes)
}

func (p *Pages) startRun(c *gin.Context) error {
	ctx := c.Request.Context()
	kind, name := engine.RunKind(c.PostForm("kind")), c.Param("stack")
	if kind == engine.RunDestroy && c.PostForm("confirm") != name {
		return p.showStack(c, http.StatusUnprocessableEntity, "To destroy the stack, type its name: "+name)
	}
	run, err := p.Runs.Start(ctx, engine.PrincipalFrom(ctx), engine.StartRequest{Stack: name, Kind: kind, Message: c.PostForm("message")})
	if err != nil {
		if isOurs(err) {
			return err
		}
		return p.showStack(c, http.StatusConflict, err.Error())
	}
	c.Redirect(http.StatusSeeOther, "/runs/"+run.ID)
	return nil
}
