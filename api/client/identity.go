package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/cloudops-manager/cloudops/engine"
)

// Login gives an API token for a name and password.
func (c *Client) Login(ctx context.Context, name string, password engine.Secret, label string) (engine.Secret, error) {
	t, err := c.SignIn(ctx, Login{Name: name, Password: password.Reveal(), Label: label})
	return engine.Secret(t.Token), err
}

// SignIn gives an API token for a name and password, and changes the password
// first where there is another one. An Error with CodePasswordChange asks for that.
func (c *Client) SignIn(ctx context.Context, l Login) (NewToken, error) {
	return post[NewToken](ctx, c, path("login"), l)
}

// BeginDevice asks to be let in by somebody with a browser.
func (c *Client) BeginDevice(ctx context.Context, name string) (DeviceLogin, error) {
	return post[DeviceLogin](ctx, c, path("login", "device"), BeginDevice{Client: name})
}

// RedeemDevice gives the token of a sign-in once it is confirmed, or an Error
// with one of the codes.
func (c *Client) RedeemDevice(ctx context.Context, code string) (NewToken, error) {
	return post[NewToken](ctx, c, path("login", "device", "token"), RedeemDevice{DeviceCode: code})
}

// Logout takes the token in use back.
func (c *Client) Logout(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, path("logout"), nil, nil, nil)
}

// Whoami says whose token it is.
func (c *Client) Whoami(ctx context.Context) (Whoami, error) {
	return get[Whoami](ctx, c, path("whoami"), nil)
}

// ChangePassword changes one's own password, and signs all browsers out.
func (c *Client) ChangePassword(ctx context.Context, p ChangePassword) error {
	return c.call(ctx, http.MethodPut, path("password"), nil, p, nil)
}

// Users lists users by name.
func (c *Client) Users(ctx context.Context) ([]User, error) {
	return items[User](ctx, c, path("users"), nil)
}

// CreateUser makes a person or a service account.
func (c *Client) CreateUser(ctx context.Context, u CreateUser) error {
	return c.call(ctx, http.MethodPost, path("users"), nil, u, nil)
}

// UpdateUser changes a user.
func (c *Client) UpdateUser(ctx context.Context, name string, u UpdateUser) error {
	return c.call(ctx, http.MethodPatch, path("users", name), nil, u, nil)
}

// Sessions lists the browsers that one is signed in with, newest first.
func (c *Client) Sessions(ctx context.Context) ([]Session, error) {
	return items[Session](ctx, c, path("sessions"), nil)
}

// EndSession signs one of one's own browsers out.
func (c *Client) EndSession(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, path("sessions", id), nil, nil, nil)
}

// EndSessions signs all browsers of a user out.
func (c *Client) EndSessions(ctx context.Context, user string) error {
	return c.call(ctx, http.MethodDelete, path("users", user, "sessions"), nil, nil, nil)
}

// SignOns lists by which single sign-ons oneself, or a user, gets in.
func (c *Client) SignOns(ctx context.Context, user string) ([]SignOn, error) {
	return items[SignOn](ctx, c, path("sign-ons"), ofUser(user))
}

// Unlink ends that a single sign-on lets oneself, or a user, in.
func (c *Client) Unlink(ctx context.Context, user, id string) error {
	return c.call(ctx, http.MethodDelete, path("sign-ons", id), ofUser(user), nil, nil)
}

// ofUser asks for what is a user's; "" for one's own.
func ofUser(user string) url.Values {
	q := url.Values{}
	if user != "" {
		q.Set("user", user)
	}
	return q
}

// Tokens lists one's own tokens, or a user's.
func (c *Client) Tokens(ctx context.Context, user string) ([]Token, error) {
	return items[Token](ctx, c, path("tokens"), ofUser(user))
}

// CreateToken makes a token.
func (c *Client) CreateToken(ctx context.Context, t CreateToken) (NewToken, error) {
	return post[NewToken](ctx, c, path("tokens"), t)
}

// DeleteToken takes a token back.
func (c *Client) DeleteToken(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, path("tokens", id), nil, nil, nil)
}
