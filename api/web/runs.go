package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// isOurs reports whether an error is not for people to act on.
func isOurs(err error) bool {
	for _, kind := range []error{engine.ErrInvalid, engine.ErrConflict, engine.ErrForbidden, engine.ErrNotFound} {
		if errors.Is(err, kind) {
			return errors.Is(err, engine.ErrNotFound)
		}
	}
	return true
}

func (p *Pages) runs(c *gin.Context) error {
	f := engine.RunFilter{Stack: c.Query("stack"), Kind: engine.RunKind(c.Query("kind")), Status: engine.RunStatus(c.Query("status"))}
	runs, err := p.Store.Runs(c.Request.Context(), f, engine.Page{After: c.Query("after"), Limit: pageSize + 1})
	if err != nil {
		return err
	}
	runs, more := cut(runs)
	p.render(c, http.StatusOK, runsPage(p.frame(c, "Runs"), f, runs, more))
	return nil
}

// runView is all that a run's page shows.
type runView struct {
	frame
	run    *engine.Run
	plans  map[string]engine.Plan  // by step
	recaps map[string]engine.Recap // by step
	graph  graph
	all    bool // show every change, however many
	err    string
}

// shownChanges is how many changes of a component the page shows at first.
const shownChanges = 300

// shown cuts a long list of changes.
func (v runView) shown(changes []engine.Change) []engine.Change {
	if v.all || len(changes) <= shownChanges {
		return changes
	}
	return changes[:shownChanges]
}

func (p *Pages) run(c *gin.Context) error { return p.showRun(c, http.StatusOK, "") }

func (p *Pages) showRun(c *gin.Context, status int, problem string) error {
	v, err := p.view(c.Request.Context(), p.frame(c, "Run"), c.Param("run"))
	if err != nil {
		return err
	}
	v.err, v.all = problem, c.Query("all") != ""
	v.title = v.run.Stack + " " + string(v.run.Kind)
	p.render(c, status, runPage(v))
	return nil
}

func (p *Pages) view(ctx context.Context, f frame, id string) (runView, error) {
	v := runView{frame: f, plans: map[string]engine.Plan{}, recaps: map[string]engine.Recap{}}
	var err error
	if v.run, err = p.Runs.Get(ctx, id); err != nil {
		return v, err
	}
	var nodes []node
	for _, s := range v.run.Steps {
		nodes = append(nodes, node{name: s.Component.Address, note: string(s.Component.Cloud), status: string(s.Status), needs: s.Needs})
		plan, err := p.Runs.Plan(ctx, s.ID)
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return v, err
		}
		v.plans[s.ID] = plan
		if s.Component.Kind != engine.KindAnsible {
			continue
		}
		if v.recaps[s.ID], err = p.Runs.Recap(ctx, s.ID); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return v, err
		}
	}
	v.graph = arrange(nodes)
	return v, nil
}

// live sends the run's part of the page anew whenever the run changes. htmx
// puts unnamed events in place. Source: the WHATWG HTML standard, 9.2.
func (p *Pages) live(c *gin.Context) error {
	ctx, id := c.Request.Context(), c.Param("run")
	rings, stop := p.Bell.Listen(engine.TopicRun(id))
	defer stop()
	c.Header("Content-Type", "text/event-stream")
	c.Header("Cache-Control", "no-store")
	f := p.frame(c, "Run")
	for {
		f.now = p.Now()
		v, err := p.view(ctx, f, id)
		if err != nil {
			return nil // the browser comes again and is told
		}
		if err := p.tell(ctx, c.Writer, v); err != nil || !wait(ctx, c.Writer, rings) {
			return nil // who looked has gone
		}
	}
}

func (p *Pages) tell(ctx context.Context, w gin.ResponseWriter, v runView) error {
	var html bytes.Buffer
	if err := runBody(v).Render(ctx, &html); err != nil {
		return err
	}
	for line := range strings.Lines(html.String()) {
		if _, err := fmt.Fprintf(w, "data: %s\n", strings.TrimRight(line, "\n")); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n")
	w.Flush()
	return err
}

// keepAlive is how often something is sent at least.
const keepAlive = 15 * time.Second

// wait waits for a ring; false when nobody looks any more.
func wait(ctx context.Context, w gin.ResponseWriter, rings <-chan struct{}) bool {
	for {
		timer := time.NewTimer(keepAlive)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-rings:
			timer.Stop()
			return true
		case <-timer.C:
			if _, err := io.WriteString(w, ": still here\n\n"); err != nil {
				return false
			}
			w.Flush()
		}
	}
}

func (p *Pages) approve(c *gin.Context) error {
	return p.decide(c, func(ctx context.Context, who engine.Principal) error {
		_, err := p.Runs.Approve(ctx, who, c.Param("run"), c.PostForm("digest"), c.PostForm("comment"))
		return err
	})
}

func (p *Pages) discard(c *gin.Context) error {
	return p.decide(c, func(ctx context.Context, who engine.Principal) error {
		_, err := p.Runs.Discard(ctx, who, c.Param("run"), c.PostForm("comment"))
		return err
	})
}

func (p *Pages) cancel(c *gin.Context) error {
	return p.decide(c, func(ctx context.Context, who engine.Principal) error {
		_, err := p.Runs.Cancel(ctx, who, c.Param("run"))
		return err
	})
}

// decide does what a form asks for and shows the run, with what is wrong
// where it was refused.
func (p *Pages) decide(c *gin.Context, do func(context.Context, engine.Principal) error) error {
	ctx := c.Request.Context()
	err := do(ctx, engine.PrincipalFrom(ctx))
	if err == nil {
		c.Redirect(http.StatusSeeOther, "/runs/"+c.Param("run"))
		return nil
	}
	if isOurs(err) {
		return err
	}
	return p.showRun(c, http.StatusConflict, err.Error())
}
