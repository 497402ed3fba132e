package api

import (
	"context"
	"encoding/json"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// VariablePath is a request about one value that is kept for a stack.
type VariablePath struct {
	StackPath
	Kind string `path:"kind" enum:"input,environment"`
	Name string `path:"name"`
}

func (s *server) variableRoutes() {
	handle(s, operation{method: "GET", path: "/v1/stacks/{stack}/variables", id: "list-variables", summary: "List the values that are kept for a stack, secrets without theirs", tag: "variables", permission: engine.MayRead},
		func(ctx context.Context, in *StackPage) (*body[client.List[client.Variable]], error) {
			if _, err := s.Store.Stack(ctx, in.Stack); err != nil {
				return nil, err
			}
			all, err := s.Store.Variables(ctx, in.Stack, in.engine())
			return listed(all, err, in.PageQuery, variableJSON, func(v *engine.Variable) string { return string(v.Kind) + "/" + v.Name })
		})
	handle(s, operation{method: "PUT", path: "/v1/stacks/{stack}/variables/{kind}/{name}", id: "set-variable", summary: "Keep a value for a stack", tag: "variables", permission: engine.MaySubmit}, s.setVariable)
	handle(s, operation{method: "DELETE", path: "/v1/stacks/{stack}/variables/{kind}/{name}", id: "unset-variable", summary: "Forget a value", tag: "variables", permission: engine.MaySubmit},
		func(ctx context.Context, in *VariablePath) (*body[client.VariableChange], error) {
			return variableSet(s.Stacks.UnsetVariable(ctx, me(ctx), in.Stack, in.Name, engine.VariableKind(in.Kind)))
		})
}

func (s *server) setVariable(ctx context.Context, in *struct {
	VariablePath
	Body client.SetVariable
}) (*body[client.VariableChange], error) {
	v, err := variableOf(in.Kind, in.Name, in.Body)
	if err != nil {
		return nil, err
	}
	v.Stack = in.Stack
	return variableSet(s.Stacks.SetVariable(ctx, me(ctx), v))
}

// variableOf reads a value as it is sent.
func variableOf(kind, name string, in client.SetVariable) (*engine.Variable, error) {
	v := &engine.Variable{Kind: engine.VariableKind(kind), Name: name, Secret: in.Secret, Value: engine.Secret(in.Value)}
	if v.Kind == engine.VariableEnvironment {
		var text string
		if err := json.Unmarshal(in.Value, &text); err != nil {
			return nil, engine.Invalid("the value of environment variable %s is a text in quotes", name)
		}
		v.Value = engine.Secret(text)
	}
	return v, nil
}

func variableSet(rev *engine.Revision, err error) (*body[client.VariableChange], error) {
	if err != nil {
		return nil, err
	}
	set := client.VariableChange{}
	if rev != nil {
		set.Revision = rev.Number
	}
	return answer(set, nil)
}

func variableJSON(v *engine.Variable) client.Variable {
	out := client.Variable{Kind: string(v.Kind), Name: v.Name, Secret: v.Secret, UpdatedBy: v.UpdatedBy, UpdatedAt: v.UpdatedAt}
	if v.Secret {
		return out
	}
	out.Value = json.RawMessage(v.Value.Reveal())
	if v.Kind == engine.VariableEnvironment {
		out.Value, _ = json.Marshal(v.Value.Reveal()) // a text always renders
	}
	return out
}
