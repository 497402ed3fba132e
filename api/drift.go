package api

import (
	"context"
	"net/http"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func (s *server) driftRoutes() {
	handle(s, operation{method: "GET", path: "/v1/stacks/{stack}/findings", id: "list-findings", summary: "List drift, newest first", tag: "drift", permission: engine.MayRead}, s.findings)
	handle(s, operation{method: "GET", path: "/v1/stacks/{stack}/schedules", id: "list-schedules", summary: "List a stack's schedules", tag: "schedules", permission: engine.MayRead},
		func(ctx context.Context, in *StackPage) (*body[client.List[client.Schedule]], error) {
			if _, err := s.Store.Stack(ctx, in.Stack); err != nil {
				return nil, err
			}
			all, err := s.Store.Schedules(ctx, in.Stack, in.engine())
			return listed(all, err, in.PageQuery, scheduleJSON, func(sch *engine.Schedule) string { return sch.Name })
		})
	handle(s, operation{method: "POST", path: "/v1/stacks/{stack}/schedules", id: "create-schedule", summary: "Make a schedule", tag: "schedules", permission: engine.MayPlan, status: http.StatusCreated}, s.createSchedule)
	handle(s, operation{method: "PATCH", path: "/v1/schedules/{schedule}", id: "pause-schedule", summary: "Stop a schedule from firing, or let it go on", tag: "schedules", permission: engine.MayPlan},
		func(ctx context.Context, in *struct {
			SchedulePath
			Body client.PauseSchedule
		}) (*body[client.Schedule], error) {
			sch, err := s.Stacks.PauseSchedule(ctx, me(ctx), in.Schedule, in.Body.Paused)
			if err != nil {
				return nil, err
			}
			return answer(scheduleJSON(sch), nil)
		})
	handle(s, operation{method: "DELETE", path: "/v1/schedules/{schedule}", id: "delete-schedule", summary: "Delete a schedule", tag: "schedules", permission: engine.MayPlan},
		func(ctx context.Context, in *SchedulePath) (*none, error) {
			return &none{}, s.Stacks.DeleteSchedule(ctx, me(ctx), in.Schedule)
		})
}

// SchedulePath is a request about one schedule.
type SchedulePath struct {
	Schedule string `path:"schedule"`
}

func (s *server) findings(ctx context.Context, in *struct {
	StackPath
	PageQuery
	Open bool `query:"open" default:"true" doc:"Leave out what is resolved."`
}) (*body[client.List[client.Finding]], error) {
	if _, err := s.Store.Stack(ctx, in.Stack); err != nil {
		return nil, err
	}
	found, err := s.Store.Findings(ctx, in.Stack, in.Open, in.engine())
	if err != nil {
		return nil, err
	}
	return paged(found, in.PageQuery, findingJSON, func(f *engine.Finding) string { return f.ID }), nil
}

func (s *server) createSchedule(ctx context.Context, in *struct {
	StackPath
	Body client.CreateSchedule
}) (*body[client.Schedule], error) {
	sch := &engine.Schedule{Stack: in.Stack, Name: in.Body.Name, Kind: engine.RunKind(in.Body.Kind), Cron: in.Body.Cron, Timezone: in.Body.Timezone}
	if err := s.Stacks.AddSchedule(ctx, me(ctx), sch); err != nil {
		return nil, err
	}
	return answer(scheduleJSON(sch), nil)
}
