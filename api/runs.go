package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// RunPath is a request about one run.
type RunPath struct {
	Run string `path:"run"`
}

type decision struct {
	RunPath
	Body client.Decide
}

func (s *server) runRoutes() {
	handle(s, operation{method: "POST", path: "/v1/stacks/{stack}/runs", id: "start-run", summary: "Start a run of a stack", tag: "runs", permission: engine.MayPlan, status: http.StatusCreated}, s.startRun)
	handle(s, operation{method: "POST", path: "/v1/stacks/{stack}/scale", id: "scale-stack", summary: "Change a variable within its bounds and start a run of that", tag: "runs", permission: engine.MaySubmit, status: http.StatusCreated}, s.scale)
	handle(s, operation{method: "POST", path: "/v1/runs/{run}/retry", id: "retry-run", summary: "Start a run of what this one did not finish", tag: "runs", permission: engine.MayPlan, status: http.StatusCreated},
		func(ctx context.Context, in *struct {
			RunPath
			Body client.Retry
		}) (*body[client.Run], error) {
			return showRun(s.Runs.Retry(ctx, me(ctx), in.Run, in.Body.Message))
		})
	handle(s, operation{method: "GET", path: "/v1/runs", id: "list-runs", summary: "List runs, newest first", tag: "runs", permission: engine.MayRead}, s.listRuns)
	handle(s, operation{method: "GET", path: "/v1/runs/{run}", id: "get-run", summary: "Read a run with its steps", tag: "runs", permission: engine.MayRead},
		func(ctx context.Context, in *RunPath) (*body[client.Run], error) {
			return showRun(s.Runs.Get(ctx, in.Run))
		})
	handle(s, operation{method: "POST", path: "/v1/runs/{run}/approve", id: "approve-run", summary: "Approve the joint plan with the digest", tag: "runs", permission: engine.MayApprove},
		func(ctx context.Context, in *decision) (*body[client.Run], error) {
			if in.Body.Digest == "" {
				return nil, engine.Invalid("an approval names the digest of the plan that it is for")
			}
			return showRun(s.Runs.Approve(ctx, me(ctx), in.Run, in.Body.Digest, in.Body.Comment))
		})
	handle(s, operation{method: "POST", path: "/v1/runs/{run}/discard", id: "discard-run", summary: "Turn the joint plan down", tag: "runs", permission: engine.MayApprove},
		func(ctx context.Context, in *decision) (*body[client.Run], error) {
			return showRun(s.Runs.Discard(ctx, me(ctx), in.Run, in.Body.Comment))
		})
	handle(s, operation{method: "POST", path: "/v1/runs/{run}/cancel", id: "cancel-run", summary: "Stop a run; asked twice, kill what runs", tag: "runs", permission: engine.MayPlan},
		func(ctx context.Context, in *RunPath) (*body[client.Run], error) {
			return showRun(s.Runs.Cancel(ctx, me(ctx), in.Run))
		})
	handle(s, operation{method: "GET", path: "/v1/runs/{run}/plan", id: "get-run-plan", summary: "Read the joint plan, in JSON or as text", tag: "runs", permission: engine.MayRead, gives: content{"application/json": client.RunPlan{}, "text/plain": nil}}, s.runPlan)
	handle(s, operation{method: "GET", path: "/v1/runs/{run}/events", id: "watch-run", summary: "Follow a run as server-sent events", tag: "runs", permission: engine.MayRead, gives: events(client.Run{})}, s.watchRun)
}

func showRun(r *engine.Run, err error) (*body[client.Run], error) {
	if err != nil {
		return nil, err
	}
	return answer(runJSON(r), nil)
}

func (s *server) startRun(ctx context.Context, in *struct {
	StackPath
	Body client.StartRun
}) (*body[client.Run], error) {
	return showRun(s.Runs.Start(ctx, me(ctx), engine.StartRequest{
		Stack: in.Stack, Kind: engine.RunKind(in.Body.Kind), Revision: in.Body.Revision, Message: in.Body.Message, Only: in.Body.Only,
		Resources: engine.ResourceChoice{Replace: in.Body.Replace, Target: in.Body.Target, RefreshOnly: in.Body.RefreshOnly},
	}))
}

func (s *server) scale(ctx context.Context, in *struct {
	StackPath
	Body client.Scale
}) (*body[client.Run], error) {
	return showRun(engine.ScaleAndRun(ctx, s.Stacks, s.Runs, me(ctx), engine.ScaleRequest{
		Stack: in.Stack, Component: in.Body.Component, Name: in.Body.Name, Value: in.Body.Value, Message: in.Body.Message,
	}))
}

func (s *server) listRuns(ctx context.Context, in *struct {
	PageQuery
	Stack  string `query:"stack"`
	Status string `query:"status"`
	Kind   string `query:"kind" enum:"apply,destroy,preview,drift"`
}) (*body[client.List[client.Run]], error) {
	if in.Status != "" && !engine.RunStatus(in.Status).Known() {
		return nil, engine.Invalid("there is no status %q", in.Status)
	}
	f := engine.RunFilter{Stack: in.Stack, Kind: engine.RunKind(in.Kind), Status: engine.RunStatus(in.Status)}
	runs, err := s.Store.Runs(ctx, f, in.seen(ctx, engine.MayRead))
	if err != nil {
		return nil, err
	}
	return paged(runs, in.PageQuery, runJSON, func(r *engine.Run) string { return r.ID }), nil
}

// PlanFormat asks for a plan as JSON or as text.
type PlanFormat struct {
	Format string `query:"format" enum:"json,text" default:"json"`
	Accept string `header:"Accept" hidden:"true"`
}

func (p PlanFormat) text() bool {
	return p.Format == "text" || strings.HasPrefix(p.Accept, "text/plain")
}

func (s *server) runPlan(ctx context.Context, in *struct {
	RunPath
	PlanFormat
}) (*huma.StreamResponse, error) {
	run, err := s.Runs.Get(ctx, in.Run)
	if err != nil {
		return nil, err
	}
	if err := kept(run); err != nil {
		return nil, err
	}
	plan := client.RunPlan{Run: run.ID, Digest: run.Digest, Summary: client.Summary(run.Summary()),
		Policy: client.Verdict{Status: "not_checked"}, Cost: client.Verdict{Status: "not_checked"}}
	for _, step := range run.Steps {
		p, err := s.stepPlan(ctx, step)
		if err != nil {
			return nil, err
		}
		plan.Steps = append(plan.Steps, p)
	}
	if in.text() {
		return textResponse(runPlanText(plan)), nil
	}
	return jsonResponse(plan)
}

// stepPlan reads a step's plan, an empty one where there is none yet.
func (s *server) stepPlan(ctx context.Context, step *engine.Step) (client.StepPlan, error) {
	p, err := s.Runs.Plan(ctx, step.ID)
	if errors.Is(err, engine.ErrNotFound) {
		p, err = engine.Plan{Notes: step.Notes}, nil
	}
	if p.Changes == nil {
		p.Changes = []engine.Change{}
	}
	return client.StepPlan{Step: step.ID, Address: step.Component.Address, Status: string(step.Status), Summary: client.Summary(step.Summary), Plan: p}, err
}

// runPlanText is the joint plan as people read it.
func runPlanText(plan client.RunPlan) string {
	var b strings.Builder
	for _, step := range plan.Steps {
		fmt.Fprintf(&b, "%s: %s\n", step.Address, step.Status)
		_ = engine.WritePlan(&b, step.Plan) // a strings.Builder takes everything
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "Plan: %s.\n", plan.Summary.Engine())
	fmt.Fprintf(&b, "Policies: %s. Cost: %s.\n", words(plan.Policy.Status), words(plan.Cost.Status))
	if plan.Digest != "" {
		fmt.Fprintf(&b, "Digest: %s\n", plan.Digest)
	}
	return b.String()
}

func words(status string) string { return strings.ReplaceAll(status, "_", " ") }

func textResponse(text string) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "text/plain; charset=utf-8")
		_, _ = ctx.BodyWriter().Write([]byte(text)) // who asked has gone
	}}
}

func jsonResponse(v any) (*huma.StreamResponse, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "application/json")
		_, _ = ctx.BodyWriter().Write(b) // who asked has gone
	}}, nil
}

func (s *server) watchRun(ctx context.Context, in *RunPath) (*huma.StreamResponse, error) {
	if _, err := s.Runs.Get(ctx, in.Run); err != nil {
		return nil, err
	}
	return s.stream(func(st *stream) error { return s.tellRun(st, in.Run) }), nil
}

// tellRun sends the run now and after each change, until it is over.
func (s *server) tellRun(st *stream, id string) error {
	rings, stop := s.Bell.Listen(engine.TopicRun(id))
	defer stop()
	for {
		run, err := s.Runs.Get(st.ctx, id)
		if err != nil {
			return err
		}
		if err := st.send("run", run.ID, runJSON(run)); err != nil || run.Status.Final() {
			return err
		}
		if err := st.wait(rings); err != nil {
			return err
		}
	}
}
