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

// VariableChange says what came of a change of a variable.
type VariableChange struct {
	Revision int `json:"revision,omitempty" doc:"That the change made; absent where it made none."`
}

// Variables lists the values that are kept for a stack.
func (c *Client) Variables(ctx context.Context, stack string) ([]Variable, error) {
	return items[Variable](ctx, c, path("stacks", stack, "variables"), nil)
}

// SetVariable keeps a value for a stack.
func (c *Client) SetVariable(ctx context.Context, stack, kind, name string, v SetVariable) (set VariableChange, err error) {
	return set, c.call(ctx, http.MethodPut, path("stacks", stack, "variables", kind, name), nil, v, &set)
}

// UnsetVariable forgets a value that is kept for a stack.
func (c *Client) UnsetVariable(ctx context.Context, stack, kind, name string) (set VariableChange, err error) {
	return set, c.call(ctx, http.MethodDelete, path("stacks", stack, "variables", kind, name), nil, nil, &set)
}

// VariableSet is values that several stacks share.
type VariableSet struct {
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Stacks      []string   `json:"stacks" doc:"Names of stacks, or patterns such as payments-*, that it is for."`
	Variables   []Variable `json:"variables"`
	UpdatedBy   string     `json:"updated_by"`
	UpdatedAt   time.Time  `json:"updated_at"`
}

// PutVariableSet makes a set, or changes which stacks it is for.
type PutVariableSet struct {
	Description string   `json:"description,omitempty"`
	Stacks      []string `json:"stacks" doc:"Names of stacks, or patterns such as payments-*."`
}

// Revised is what a change of a variable set did to one stack.
type Revised struct {
	Stack    string `json:"stack"`
	Revision int    `json:"revision,omitempty" doc:"That was made; absent where the stack stayed as it is."`
	Problem  string `json:"problem,omitempty" doc:"Why it stayed as it is."`
}

// VariableSets lists variable sets.
func (c *Client) VariableSets(ctx context.Context) ([]VariableSet, error) {
	return items[VariableSet](ctx, c, path("variable-sets"), nil)
}

// PutVariableSet makes a variable set, or changes which stacks it is for.
func (c *Client) PutVariableSet(ctx context.Context, name string, p PutVariableSet) error {
	return c.call(ctx, http.MethodPut, path("variable-sets", name), nil, p, nil)
}

// DeleteVariableSet deletes a variable set.
func (c *Client) DeleteVariableSet(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, path("variable-sets", name), nil, nil, nil)
}

// SetShared keeps a value in a set, and says what that did to stacks.
func (c *Client) SetShared(ctx context.Context, set, kind, name string, v SetVariable) ([]Revised, error) {
	var done List[Revised]
	err := c.call(ctx, http.MethodPut, path("variable-sets", set, "variables", kind, name), nil, v, &done)
	return done.Items, err
}

// UnsetShared forgets a value of a set, and says what that did to stacks.
func (c *Client) UnsetShared(ctx context.Context, set, kind, name string) ([]Revised, error) {
	var done List[Revised]
	err := c.call(ctx, http.MethodDelete, path("variable-sets", set, "variables", kind, name), nil, nil, &done)
	return done.Items, err
}
