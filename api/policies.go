package api

import (
	"context"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func (s *server) policyRoutes() {
	handle(s, operation{method: "GET", path: "/v1/rule", id: "get-rule", summary: "Read the approval rule over all stacks", tag: "policies", permission: engine.MayRead},
		func(ctx context.Context, _ *none) (*body[client.Policy], error) {
			return showPolicy(s.Store.Policy(ctx, ""))
		})
	handle(s, operation{method: "PUT", path: "/v1/rule", id: "put-rule", summary: "Write the approval rule over all stacks", tag: "policies", permission: engine.MayWritePolicy},
		func(ctx context.Context, in *struct{ Body client.PutPolicy }) (*body[client.Policy], error) {
			return showPolicy(s.Policies.Put(ctx, me(ctx), "", in.Body.Rule))
		})
	handle(s, operation{method: "DELETE", path: "/v1/rule", id: "delete-rule", summary: "Delete the approval rule over all stacks", tag: "policies", permission: engine.MayWritePolicy},
		func(ctx context.Context, _ *none) (*none, error) { return &none{}, s.Policies.Delete(ctx, me(ctx), "") })
	handle(s, operation{method: "GET", path: "/v1/projects/{project}/rule", id: "get-project-rule", summary: "Read the approval rule of a project", tag: "policies", permission: engine.MayRead},
		func(ctx context.Context, in *ProjectPath) (*body[client.Policy], error) {
			return showPolicy(s.Store.Policy(ctx, in.Project))
		})
	handle(s, operation{method: "PUT", path: "/v1/projects/{project}/rule", id: "put-project-rule", summary: "Write the approval rule of a project", tag: "policies", permission: engine.MayWritePolicy},
		func(ctx context.Context, in *struct {
			ProjectPath
			Body client.PutPolicy
		}) (*body[client.Policy], error) {
			return showPolicy(s.Policies.Put(ctx, me(ctx), in.Project, in.Body.Rule))
		})
	handle(s, operation{method: "DELETE", path: "/v1/projects/{project}/rule", id: "delete-project-rule", summary: "Delete the approval rule of a project", tag: "policies", permission: engine.MayWritePolicy},
		func(ctx context.Context, in *ProjectPath) (*none, error) {
			return &none{}, s.Policies.Delete(ctx, me(ctx), in.Project)
		})
}

func showPolicy(p *engine.Policy, err error) (*body[client.Policy], error) {
	if err != nil {
		return nil, err
	}
	return answer(client.Policy{Project: p.Project, Rule: p.Source, Says: p.Rule.Says(), UpdatedBy: p.UpdatedBy, UpdatedAt: p.UpdatedAt}, nil)
}
