package client

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// DataKey is a key that values in the database are sealed under.
type DataKey struct {
	ID          int        `json:"id"`
	Status      string     `json:"status" enum:"pending,primary,retiring,retired,destroyed"`
	Master      string     `json:"master,omitempty" doc:"What the key itself is sealed under."`
	CreatedAt   time.Time  `json:"created_at"`
	ActiveAt    *time.Time `json:"active_at,omitempty" doc:"From when on it seals what is written."`
	RetiredAt   *time.Time `json:"retired_at,omitempty" doc:"Since when nothing is under it."`
	DestroyedAt *time.Time `json:"destroyed_at,omitempty"`
}

// KeyUsage is how many values of a column are under a data key.
type KeyUsage struct {
	Key    int    `json:"key" doc:"0 for a key that is not there."`
	Column string `json:"column"`
	Values int    `json:"values"`
}

// DataKeys lists data keys, oldest first.
func (c *Client) DataKeys(ctx context.Context) ([]DataKey, error) {
	return items[DataKey](ctx, c, path("keys"), nil)
}

// KeyUsage counts what is sealed, by data key.
func (c *Client) KeyUsage(ctx context.Context) ([]KeyUsage, error) {
	return items[KeyUsage](ctx, c, path("keys", "usage"), nil)
}

// RotateKeys makes a new data key.
func (c *Client) RotateKeys(ctx context.Context) (DataKey, error) {
	var k DataKey
	return k, c.call(ctx, http.MethodPost, path("keys"), nil, nil, &k)
}

// DestroyKey removes a retired data key for good.
func (c *Client) DestroyKey(ctx context.Context, id int) error {
	return c.call(ctx, http.MethodDelete, path("keys", strconv.Itoa(id)), nil, nil, nil)
}
