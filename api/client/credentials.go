package client

import (
	"context"
	"net/http"
)

// Credentials lists credentials without their values.
func (c *Client) Credentials(ctx context.Context) ([]Credential, error) {
	return items[Credential](ctx, c, path("credentials"), nil)
}

// PutCredential stores credentials under a name.
func (c *Client) PutCredential(ctx context.Context, name string, p PutCredential) error {
	return c.call(ctx, http.MethodPut, path("credentials", name), nil, p, nil)
}

// Issuer tells who vouches to clouds for steps.
func (c *Client) Issuer(ctx context.Context) (Issuer, error) {
	return get[Issuer](ctx, c, path("issuer"), nil)
}

// RotateIssuer makes a new key to sign with.
func (c *Client) RotateIssuer(ctx context.Context, withdraw bool) (Issuer, error) {
	var i Issuer
	return i, c.call(ctx, http.MethodPost, path("issuer", "rotate"), nil, RotateIssuer{Withdraw: withdraw}, &i)
}

// DeleteCredential removes credentials.
func (c *Client) DeleteCredential(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, path("credentials", name), nil, nil, nil)
}
