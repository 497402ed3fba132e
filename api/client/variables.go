package client

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Variable is a value that is kept for a stack beside its sources.
type Variable struct {
	Kind      string          `json:"kind" enum:"input,environment"`
	Name      string          `json:"name"`
	Secret    bool            `json:"secret"`
	Value     json.RawMessage `json:"value,omitempty" doc:"Absent for a secret."`
	UpdatedBy string          `json:"updated_by"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// SetVariable keeps a value.
type SetVariable struct {
	Value  json.RawMessage `json:"value" doc:"Of an input any JSON; of the environment a text."`
	Secret bool            `json:"secret,omitempty" doc:"The value is never shown again."`
}

// VariableSet says what came of a change of a variable.
type VariableSet struct {
	Revision int `json:"revision,omitempty" doc:"That the change made; absent where it made none."`
}

// Variables lists the values that are kept for a stack.
func (c *Client) Variables(ctx context.Context, stack string) ([]Variable, error) {
	return items[Variable](ctx, c, path("stacks", stack, "variables"))
}

// SetVariable keeps a value for a stack.
func (c *Client) SetVariable(ctx context.Context, stack, kind, name string, v SetVariable) (set VariableSet, err error) {
	return set, c.call(ctx, http.MethodPut, path("stacks", stack, "variables", kind, name), nil, v, &set)
}

// UnsetVariable forgets a value that is kept for a stack.
func (c *Client) UnsetVariable(ctx context.Context, stack, kind, name string) (set VariableSet, err error) {
	return set, c.call(ctx, http.MethodDelete, path("stacks", stack, "variables", kind, name), nil, nil, &set)
}
