package api

import (
	"context"
	"strings"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// SetPath is a request about one variable set.
type SetPath struct {
	Set string `path:"set"`
}

// SharedPath is a request about one variable of a set.
type SharedPath struct {
	SetPath
	Kind string `path:"kind" enum:"input,environment"`
	Name string `path:"name"`
}

func (s *server) variableSetRoutes() {
	handle(s, operation{method: "GET", path: "/v1/variable-sets", id: "list-variable-sets", summary: "List variable sets, secrets without their values", tag: "variables", permission: engine.MayRead},
		func(ctx context.Context, in *PageQuery) (*body[client.List[client.VariableSet]], error) {
			sets, err := s.Store.VariableSets(ctx, in.seen(ctx, engine.MayRead))
			return listed(sets, err, *in, variableSetJSON, func(v *engine.VariableSet) string { return v.Name })
		})
	handle(s, operation{method: "PUT", path: "/v1/variable-sets/{set}", id: "put-variable-set", summary: "Make a variable set, or change which stacks it is for", tag: "variables", permission: engine.MayWriteCredentials},
		func(ctx context.Context, in *struct {
			SetPath
			Body client.PutVariableSet
		}) (*none, error) {
			return &none{}, s.Stacks.PutVariableSet(ctx, me(ctx), &engine.VariableSet{Name: in.Set, Description: in.Body.Description, Stacks: in.Body.Stacks})
		})
	handle(s, operation{method: "DELETE", path: "/v1/variable-sets/{set}", id: "delete-variable-set", summary: "Delete a variable set", tag: "variables", permission: engine.MayWriteCredentials},
		func(ctx context.Context, in *SetPath) (*none, error) {
			return &none{}, s.Stacks.DeleteVariableSet(ctx, me(ctx), in.Set)
		})
	handle(s, operation{method: "PUT", path: "/v1/variable-sets/{set}/variables/{kind}/{name}", id: "set-shared-variable", summary: "Keep a value in a set, and make new revisions of the stacks that have it from there", tag: "variables", permission: engine.MayWriteCredentials},
		func(ctx context.Context, in *struct {
			SharedPath
			Body client.SetVariable
		}) (*body[client.List[client.Revised]], error) {
			v, err := variableOf(in.Kind, in.Name, in.Body)
			if err != nil {
				return nil, err
			}
			done, err := s.Stacks.SetShared(ctx, me(ctx), in.Set, v)
			return s.revised(ctx, done, err)
		})
	handle(s, operation{method: "DELETE", path: "/v1/variable-sets/{set}/variables/{kind}/{name}", id: "unset-shared-variable", summary: "Forget a value of a set", tag: "variables", permission: engine.MayWriteCredentials},
		func(ctx context.Context, in *SharedPath) (*body[client.List[client.Revised]], error) {
			done, err := s.Stacks.UnsetShared(ctx, me(ctx), in.Set, engine.VariableKind(in.Kind), in.Name)
			return s.revised(ctx, done, err)
		})
}

func (s *server) revised(ctx context.Context, done []engine.Revised, err error) (*body[client.List[client.Revised]], error) {
	return short(done, func(r engine.Revised) client.Revised {
		out := client.Revised{Stack: r.Stack, Revision: r.Revision}
		if r.Err == nil {
			return out
		}
		p := s.problem(ctx, r.Err)
		lines := []string{p.Detail}
		for _, d := range p.Diagnostics {
			lines = append(lines, d.Engine().String())
		}
		out.Problem = strings.Join(lines, "\n")
		return out
	}, err)
}

func variableSetJSON(v *engine.VariableSet) client.VariableSet {
	return client.VariableSet{Name: v.Name, Description: v.Description, Stacks: list(v.Stacks), Variables: each(v.Variables, variableJSON), UpdatedBy: v.UpdatedBy, UpdatedAt: v.UpdatedAt}
}
