// Package client is the typed client of the API, for the CLI and the runner.
// Its exported shapes are the JSON that the API speaks.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Client calls one server with one token.
type Client struct {
	base  string
	token engine.Secret
	http  *http.Client
}

// New returns a client of the server at base, such as http://127.0.0.1:8080.
func New(base string, token engine.Secret) *Client {
	return &Client{base: strings.TrimRight(base, "/"), token: token, http: &http.Client{Transport: transport()}}
}

func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = time.Minute // the server holds renewals for ten seconds
	return t
}

// path joins escaped parts below /v1.
func path(parts ...string) string {
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "/v1/" + strings.Join(parts, "/")
}

// request is one call.
type request struct {
	method, path string
	query        url.Values
	body         []byte
	kind         string // content type of body
	accept       string
	header       http.Header
}

// The pauses between the tries of a request.
const (
	requestTries = 3
	requestPause = 150 * time.Millisecond
)

// open sends a request and returns the response of a success; the caller
// closes its body. What cannot have changed anything is tried again.
func (c *Client) open(ctx context.Context, r request) (*http.Response, error) {
	for try := 1; ; try++ {
		res, err := c.try(ctx, r)
		if err == nil || try == requestTries || !harmless(r, err) {
			return res, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(time.Duration(try) * requestPause):
		}
	}
}

// harmless reports whether a request that ended with err can be made again: it
// only reads and got no answer of the API's own, or it never left.
func harmless(r request, err error) bool {
	if dialing(err) {
		return true
	}
	var answered *Error
	if errors.As(err, &answered) {
		away := []int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
		return r.method == http.MethodGet && slices.Contains(away, answered.Status)
	}
	return r.method == http.MethodGet && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

func (c *Client) try(ctx context.Context, r request) (*http.Response, error) {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	if r.kind != "" {
		req.Header.Set("Content-Type", r.kind)
	}
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	if res.StatusCode >= 300 {
		defer res.Body.Close()
		return nil, problem(res)
	}
	return res, nil
}

// UnreachableError is of a server to which there is no connection.
type UnreachableError struct {
	Server string // its address
	Err    error  // of the dialing
}

// Error implements error.
func (e *UnreachableError) Error() string { return e.Server + ": " + e.Err.Error() }

// Unwrap gives the error of the dialing.
func (e *UnreachableError) Unwrap() error { return e.Err }

// withoutURL drops the method and address that net/http puts before an error,
// and keeps the server's.
func withoutURL(err error) error {
	var e *url.Error
	if !errors.As(err, &e) {
		return err
	}
	server := e.URL[:strings.Index(e.URL+"/v1", "/v1")]
	if dialing(e.Err) {
		return &UnreachableError{Server: server, Err: e.Err}
	}
	return fmt.Errorf("%s: %w", server, e.Err)
}

// dialing reports whether a request never left.
func dialing(err error) bool {
	var dial *net.OpError
	return errors.As(err, &dial) && dial.Op == "dial"
}

// maxProblem bounds how much of an error's body is read, in bytes.
const maxProblem = 4 << 20

func problem(res *http.Response) error {
	e := &Error{Problem{Title: res.Status, Status: res.StatusCode}}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxProblem))
	if err == nil && strings.Contains(res.Header.Get("Content-Type"), "json") && json.Unmarshal(b, &e.Problem) != nil {
		e.Detail = res.Status
	}
	e.Status = res.StatusCode
	return e
}

// call sends in as JSON and reads the answer into out; either may be nil.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	r := request{method: method, path: path, query: query, accept: "application/json"}
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		r.body, r.kind = b, "application/json"
	}
	return c.send(ctx, r, out)
}

func (c *Client) send(ctx context.Context, r request, out any) error {
	res, err := c.open(ctx, r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		_, err := io.Copy(io.Discard, res.Body) // so that the connection is used again
		return err
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// bytes reads an answer as it is.
func (c *Client) bytes(ctx context.Context, r request) ([]byte, error) {
	res, err := c.open(ctx, r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}

func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	var v T
	return v, c.call(ctx, http.MethodGet, path, query, nil, &v)
}

// items reads a whole list, with what the query says of it.
func items[T any](ctx context.Context, c *Client, path string, query url.Values) ([]T, error) {
	return All(ctx, func(ctx context.Context, p Page) (List[T], error) {
		q := p.values()
		maps.Copy(q, query)
		return get[List[T]](ctx, c, path, q)
	})
}

func post[T any](ctx context.Context, c *Client, path string, in any) (T, error) {
	var v T
	return v, c.call(ctx, http.MethodPost, path, nil, in, &v)
}

// values is the page as a query.
func (p Page) values() url.Values {
	q := url.Values{}
	if p.Cursor != "" {
		q.Set("cursor", p.Cursor)
	}
	if p.Limit > 0 {
		q.Set("limit", strconv.Itoa(p.Limit))
	}
	return q
}

// All reads every page of a list.
func All[T any](ctx context.Context, list func(context.Context, Page) (List[T], error)) ([]T, error) {
	all := []T{} // never null in JSON
	for p := (Page{Limit: 200}); ; {
		page, err := list(ctx, p)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.NextCursor == "" {
			return all, nil
		}
		p.Cursor = page.NextCursor
	}
}
