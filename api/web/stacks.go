package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// stackView is all that a stack's page shows.
type stackView struct {
	frame
	stack     *engine.Stack
	revision  *engine.Revision // newest; nil before the first
	runs      []*engine.Run
	findings  []*engine.Finding
	states    []*engine.StateVersion
	locks     []lockView
	schedules []*engine.Schedule
	variables []*engine.Variable
	readers   []engine.Reader
	hosts     []*engine.KnownHost
	outputs   engine.Outputs
	unread    string // why the outputs cannot be shown
	graph     graph
	more      bool // there are older runs
	err       string
}

func (p *Pages) stack(c *gin.Context) error { return p.showStack(c, http.StatusOK, "") }

func (p *Pages) showStack(c *gin.Context, status int, problem string) error {
	ctx, name := c.Request.Context(), c.Param("stack")
	v := stackView{frame: p.frame(c, name), err: problem}
	if p.closed(c, v.frame, engine.MayRead, status, problem) {
		return nil
	}
	for _, read := range []func(context.Context, string, *stackView) error{p.readStack, p.readLedger, p.readLocks, p.readOutputs} {
		if err := read(ctx, name, &v); err != nil {
			return err
		}
	}
	runs, err := p.Store.Runs(ctx, engine.RunFilter{Stack: name}, pageOf(c))
	if err != nil {
		return err
	}
	v.runs, v.more = cut(runs)
	v.graph = v.draw()
	p.render(c, status, stackPage(v))
	return nil
}

func (p *Pages) readStack(ctx context.Context, name string, v *stackView) (err error) {
	if v.stack, err = p.Store.Stack(ctx, name); err != nil || v.stack.Latest == 0 {
		return err
	}
	v.revision, err = p.Store.Revision(ctx, name, v.stack.Latest)
	return err
}

// readLedger reads what is kept about a stack beside its runs.
func (p *Pages) readLedger(ctx context.Context, name string, v *stackView) (err error) {
	if v.findings, err = p.Store.Findings(ctx, name, true, engine.Page{Limit: shownFindings + 1}); err != nil {
		return err
	}
	if v.states, err = p.Store.StateVersions(ctx, name, "", engine.Page{Limit: shownStates}); err != nil {
		return err
	}
	if v.variables, err = p.Store.Variables(ctx, name, engine.Everything()); err != nil {
		return err
	}
	if v.hosts, err = p.Store.Hosts(ctx, name, false); err != nil {
		return err
	}
	readers, err := p.Store.Readers(ctx, name)
	if err != nil {
		return err
	}
	v.readers = engine.Seen(readers, v.who)
	v.schedules, err = p.Store.Schedules(ctx, name, engine.Everything())
	return err
}

// How much of its ledger a stack's page shows.
const (
	shownFindings = 10
	shownStates   = 20
)

// readOutputs reads the stack's outputs. Some that cannot be worked out keep
// nobody from the rest of the page.
func (p *Pages) readOutputs(ctx context.Context, name string, v *stackView) (err error) {
	v.outputs, err = p.Runs.StackOutputs(ctx, name)
	if refused(err) {
		v.unread, err = err.Error(), nil
	}
	return err
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
		nodes = append(nodes, node{name: c.Address, note: place(c), status: status[c.Address], needs: c.Needs})
	}
	return arrange(nodes)
}

// place says where a component's things are.
func place(c engine.Component) string {
	if c.Region == "" {
		return string(c.Cloud)
	}
	return string(c.Cloud) + " " + c.Region
}

func (p *Pages) startRun(c *gin.Context) error {
	ctx := c.Request.Context()
	req := engine.StartRequest{Stack: c.Param("stack"), Kind: engine.RunKind(c.PostForm("kind")), Message: strings.TrimSpace(c.PostForm("message"))}
	if req.Kind == engine.RunDestroy && strings.TrimSpace(c.PostForm("confirm")) != req.Stack {
		return p.showStack(c, http.StatusUnprocessableEntity, "To destroy the stack, type its name: "+req.Stack)
	}
	run, err := p.Runs.Start(ctx, engine.PrincipalFrom(ctx), req)
	return p.started(c, run, err)
}

// mayScale reports whether the page offers to scale, which makes a revision and
// starts a run of it.
func (v stackView) mayScale() bool { return v.may(engine.MaySubmit) && v.may(engine.MayPlan) }

// scale changes a variable within its bounds and shows the run of that.
func (p *Pages) scale(c *gin.Context) error {
	ctx := c.Request.Context()
	value, err := strconv.Atoi(strings.TrimSpace(c.PostForm("value")))
	if err != nil {
		return p.showStack(c, http.StatusUnprocessableEntity, "Write a whole number.")
	}
	run, err := engine.ScaleAndRun(ctx, p.Stacks, p.Runs, engine.PrincipalFrom(ctx), engine.ScaleRequest{
		Stack: c.Param("stack"), Name: c.PostForm("variable"), Value: value, Message: strings.TrimSpace(c.PostForm("message")),
	})
	return p.started(c, run, err)
}

// started shows a run that was started, or on the stack's page why it was not.
func (p *Pages) started(c *gin.Context, run *engine.Run, err error) error {
	if refused(err) {
		return p.showStack(c, statusOf(err), err.Error())
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/runs/"+run.ID)
	return nil
}
