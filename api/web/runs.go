package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// runView is all that a run's page shows. While the run is followed the plans
// are left out: the browser keeps those it has and asks for new ones.
type runView struct {
	frame
	run      *engine.Run
	answer   *engine.Decision
	plans    map[string]planPart     // by step
	recaps   map[string]engine.Recap // by step
	progress map[string][]string     // in words, of interrupted steps
	graph    graph
	err      string
}

// shownChanges is how many changes a page shows at first, and how many more
// at a time.
const shownChanges = 200

// planPart is the part of a step's plan that is shown.
type planPart struct {
	run, step string
	plan      engine.Plan
	from, to  int // changes
}

// part takes the changes from on, at most n of them.
func part(run, step string, plan engine.Plan, from, n int) planPart {
	from = min(max(0, from), len(plan.Changes))
	return planPart{run: run, step: step, plan: plan, from: from, to: min(len(plan.Changes), from+n)}
}

func (p planPart) changes() []engine.Change { return p.plan.Changes[p.from:p.to] }

func (p planPart) rest() int { return len(p.plan.Changes) - p.to }

// open reports whether the changes are few enough to be shown unfolded.
func (p planPart) open() bool { return len(p.plan.Changes) <= 20 }

// next is the address of the changes after those shown.
func (p planPart) next() string {
	return fmt.Sprintf("/runs/%s/steps/%s/changes?from=%d", p.run, p.step, p.to)
}

// planID names a step's plan on the page. Another plan of the step has another
// name, so a browser that follows the run knows that it has to ask for it.
func planID(s *engine.Step) string {
	return "plan-" + s.ID + "-" + short(s.ChangesHash, 12)
}

// hasPlan reports whether a plan of the step can be read.
func hasPlan(s *engine.Step) bool { return s.ChangesHash != "" }

// hasRecap reports whether a play came to an end, of which its recap tells.
func hasRecap(s *engine.Step) bool {
	return s.Component.Kind == engine.KindAnsible && (s.Status == engine.StepApplied || s.Status == engine.StepFailed)
}

func (p *Pages) run(c *gin.Context) error { return p.showRun(c, http.StatusOK, "") }

func (p *Pages) showRun(c *gin.Context, status int, problem string) error {
	f := p.frame(c, "Run")
	if p.closed(c, f, engine.MayRead, status, problem) {
		return nil
	}
	v, err := p.view(c.Request.Context(), f, c.Param("run"))
	if err != nil {
		return err
	}
	most := shownChanges
	if c.Query("all") != "" {
		most = 1 << 30
	}
	if v.plans, err = p.plans(c.Request.Context(), v.run, most); err != nil {
		return err
	}
	v.err, v.title = problem, v.run.Stack+" "+string(v.run.Kind)
	p.render(c, status, runPage(v))
	return nil
}

// view reads what the run's page shows, without the plans.
func (p *Pages) view(ctx context.Context, f frame, id string) (runView, error) {
	v := runView{frame: f, recaps: map[string]engine.Recap{}, progress: map[string][]string{}}
	var err error
	if v.answer, err = p.Runs.Decision(ctx, f.who, id); err != nil {
		return v, err
	}
	v.run = v.answer.Run
	var nodes []node
	for _, s := range v.run.Steps {
		nodes = append(nodes, node{name: s.Component.Address, note: place(s.Component), status: string(s.Status), link: "#" + s.ID, needs: s.Needs})
		if s.Status.CutShort() && !hasRecap(s) {
			far, err := p.Runs.Progress(ctx, s, v.run.Stack)
			if err != nil {
				return v, err
			}
			if far.Begun() || s.Status == engine.StepInterrupted {
				v.progress[s.ID] = far.Lines()
			}
		}
		if !hasRecap(s) {
			continue
		}
		if v.recaps[s.ID], err = p.Runs.Recap(ctx, s.ID); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return v, err
		}
	}
	v.graph = arrange(nodes)
	return v, nil
}

// plans reads the plans of all steps, with most changes between them.
func (p *Pages) plans(ctx context.Context, run *engine.Run, most int) (map[string]planPart, error) {
	plans := map[string]planPart{}
	for _, s := range run.Steps {
		if !hasPlan(s) || !run.PurgedAt.IsZero() {
			continue
		}
		plan, err := p.Runs.Plan(ctx, s.ID)
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return nil, err
		}
		plans[s.ID] = part(run.ID, s.ID, plan, 0, most)
		most -= plans[s.ID].to
	}
	return plans, nil
}

// changes answers with a part of a step's plan, to be put into the page.
func (p *Pages) changes(c *gin.Context) error {
	ctx := c.Request.Context()
	run, err := p.Runs.Get(ctx, c.Param("run"))
	if err != nil {
		return err
	}
	step := run.StepByID(c.Param("step"))
	if step == nil {
		return engine.NotFound("run %s has no step %s", run.ID, c.Param("step"))
	}
	plan, err := p.Runs.Plan(ctx, step.ID)
	if err != nil {
		return err
	}
	from, err := strconv.Atoi(c.DefaultQuery("from", "0"))
	if err != nil {
		return engine.Invalid("from is a number, not %q", c.Query("from"))
	}
	p.render(c, http.StatusOK, changeList(part(run.ID, step.ID, plan, from, shownChanges)))
	return nil
}

// mayRetry reports whether the page offers to run what is left.
func (v runView) mayRetry() bool {
	switch v.run.Status {
	case engine.RunFailed, engine.RunInterrupted, engine.RunCancelled:
		return v.run.Kind.Changing() && v.may(engine.MayPlan)
	}
	return false
}

// mayCancel reports whether the page offers to stop the run. Who may discard
// a plan needs no second way to do so.
func (v runView) mayCancel() bool {
	if v.run.Status.Final() || !v.may(engine.MayPlan) {
		return false
	}
	return v.run.Status != engine.RunPlanned || !v.may(engine.MayApprove)
}

// applied adds up what the run really did.
func (v runView) applied() (sum engine.Summary) {
	for _, s := range v.run.Steps {
		sum = sum.Add(s.Applied)
	}
	return sum
}

// didOtherwise reports whether the apply did other than the plan said, as one
// that failed half-way does.
func didOtherwise(s *engine.Step) bool {
	did, planned := s.Applied, s.Summary
	did.Outputs, planned.Outputs = 0, 0
	return !did.Empty() && did != planned
}

// heading is what the run's changes are called.
func (v runView) heading() string {
	switch v.run.Kind {
	case engine.RunDrift:
		return "What differs"
	case engine.RunPreview:
		return "Preview"
	default:
		return "Joint plan"
	}
}

// logOpen reports whether a step's log is shown at first: that of the first
// step at work, or else of the first that failed.
func (v runView) logOpen(step *engine.Step) bool {
	for _, wanted := range [][]engine.StepStatus{{engine.StepPlanning, engine.StepApplying}, {engine.StepFailed, engine.StepInterrupted}} {
		for _, s := range v.run.Steps {
			if slices.Contains(wanted, s.Status) {
				return s == step
			}
		}
	}
	return false
}

func (p *Pages) cancel(c *gin.Context) error {
	return p.decide(c, func(ctx context.Context, who engine.Principal) error {
		_, err := p.Runs.Cancel(ctx, who, c.Param("run"))
		return err
	})
}

func (p *Pages) retry(c *gin.Context) error {
	ctx := c.Request.Context()
	run, err := p.Runs.Retry(ctx, engine.PrincipalFrom(ctx), c.Param("run"), "")
	if refused(err) {
		return p.showRun(c, statusOf(err), err.Error())
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/runs/"+run.ID)
	return nil
}

// decide does what a form asks for and shows the run, with what is wrong
// where it was refused.
func (p *Pages) decide(c *gin.Context, do func(context.Context, engine.Principal) error) error {
	ctx := c.Request.Context()
	err := do(ctx, engine.PrincipalFrom(ctx))
	if refused(err) {
		return p.showRun(c, statusOf(err), err.Error())
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/runs/"+c.Param("run"))
	return nil
}
