// Package rest calls services that take and give JSON over HTTP, and tries
// again where one cannot answer just now.
package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Request is a call of a service.
type Request struct {
	Method, URL string
	Header      http.Header
	Body        any // made into JSON; a url.Values is sent as a form
	// Prepare is called before each attempt, to sign it.
	Prepare func(r *http.Request, body []byte) error
}

// StatusError is an answer that is no success.
type StatusError struct {
	Status int
	Body   []byte // as far as it was read; it may say more than others should see
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("it answers with %d %s", e.Status, http.StatusText(e.Status))
}

// The patience that calls have.
const (
	attempts    = 4
	firstPause  = 200 * time.Millisecond
	attemptTime = 10 * time.Second
	maxAnswer   = 4 << 20 // bytes
)

// NewClient makes a client that goes through the proxy that the environment
// names, and follows no redirects: what is sent is for one address.
func NewClient() *http.Client {
	return &http.Client{Timeout: attemptTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Call makes the call and reads the answer into out, unless that is nil. It tries again, for some
// seconds, where the service is away or asks for patience.
func Call(ctx context.Context, client *http.Client, r Request, out any) error {
	var err error
	for n, pause := 0, firstPause; ; n, pause = n+1, 2*pause {
		if err = once(ctx, client, r, out); err == nil || !passing(err) || n == attempts-1 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// passing reports whether the same call may succeed later.
func passing(err error) bool {
	var status *StatusError
	if errors.As(err, &status) {
		return status.Status == http.StatusTooManyRequests || status.Status >= http.StatusInternalServerError
	}
	var network *url.Error
	return errors.As(err, &network)
}

func once(ctx context.Context, client *http.Client, r Request, out any) error {
	req, err := r.build(ctx)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return &StatusError{Status: resp.StatusCode, Body: b}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return errors.New("it answers with something else than the JSON that is documented") // what that is may be a secret
	}
	return nil
}

func (r Request) build(ctx context.Context) (*http.Request, error) {
	var body []byte
	kind := "application/json"
	switch b := r.Body.(type) {
	case nil:
		kind = ""
	case url.Values:
		body, kind = []byte(b.Encode()), "application/x-www-form-urlencoded"
	default:
		var err error
		if body, err = json.Marshal(b); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	if r.Prepare != nil {
		err = r.Prepare(req, body)
	}
	return req, err
}
