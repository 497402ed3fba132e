package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// problem is an error as huma sends it.
type problem struct{ client.Problem }

// Error implements error.
func (p *problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

func problemOf(status int, detail string) *problem {
	return &problem{client.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}}
}

// coded is a problem that a program does something about.
func coded(status int, code, detail string) *problem {
	p := problemOf(status, detail)
	p.Code = code
	return p
}

// newError makes problems of huma's own errors: requests that cannot be read
// or do not fit. What was sent is not repeated, for it may be a password.
func newError(status int, message string, errs ...error) huma.StatusError {
	p := problemOf(status, message)
	for _, err := range errs {
		var tooLarge *http.MaxBytesError
		var detailer huma.ErrorDetailer
		switch {
		case errors.As(err, &tooLarge):
			return problemOf(http.StatusRequestEntityTooLarge, tooLargeText(tooLarge))
		case errors.As(err, &detailer):
			d := detailer.ErrorDetail()
			p.Errors = append(p.Errors, client.FieldError{Message: d.Message, Location: d.Location})
		case err != nil:
			p.Errors = append(p.Errors, client.FieldError{Message: err.Error()})
		}
	}
	return p
}

func tooLargeText(e *http.MaxBytesError) string {
	switch e.Limit {
	case maxBody:
		return "the body is too large: a bundle has at most 10 MB"
	case maxLoginBody:
		return "the body is too large to sign in with"
	}
	return fmt.Sprintf("the body is too large: it has at most %d MB", e.Limit>>20)
}

// statuses maps the kinds of error that people can act on.
var statuses = []struct {
	kind   error
	status int
}{
	{engine.ErrInvalid, http.StatusUnprocessableEntity},
	{engine.ErrNotFound, http.StatusNotFound},
	{engine.ErrConflict, http.StatusConflict},
	{engine.ErrForbidden, http.StatusForbidden},
	{engine.ErrUnauthorized, http.StatusUnauthorized},
}

type requestIDKey struct{}

// problem tells callers about their own mistakes and hides ours behind the
// request's identifier, which finds the log line.
func (s *server) problem(ctx context.Context, err error) *problem {
	var already *problem
	var tooLarge *http.MaxBytesError
	var locked *engine.LockedError
	var change *engine.PasswordChangeError
	var ds engine.Diagnostics
	switch {
	case errors.As(err, &already):
		return already
	case errors.As(err, &tooLarge):
		return problemOf(http.StatusRequestEntityTooLarge, tooLargeText(tooLarge))
	case errors.As(err, &locked):
		return problemOf(http.StatusLocked, err.Error())
	case errors.As(err, &change):
		refused(ctx, func(r *denial) { r.reason = clipped(err.Error()) })
		return coded(http.StatusForbidden, client.CodePasswordChange, err.Error())
	case errors.As(err, &ds):
		p := problemOf(http.StatusUnprocessableEntity, mistakes(len(ds)))
		p.Diagnostics = diagnosticsJSON(ds)
		return p
	}
	for _, k := range statuses {
		if errors.Is(err, k.kind) {
			refused(ctx, func(r *denial) {
				r.reason, r.denied = clipped(err.Error()), r.denied || errors.Is(err, engine.ErrHidden)
			})
			return problemOf(k.status, err.Error())
		}
	}
	return s.ours(ctx, err)
}

// ours is the answer to what is not the caller's fault. A request that was cut
// short, by its caller or because the server stops, can be made again.
func (s *server) ours(ctx context.Context, err error) *problem {
	id, _ := ctx.Value(requestIDKey{}).(string)
	p := problemOf(http.StatusInternalServerError, "internal error")
	if ctx.Err() != nil {
		p = problemOf(http.StatusServiceUnavailable, "the request was cut short; make it again")
		s.Log.DebugContext(ctx, "request cut short", "request", id, "err", err)
	} else {
		s.Log.ErrorContext(ctx, "request failed", "request", id, "err", err)
	}
	p.RequestID = id
	return p
}

func mistakes(n int) string {
	if n == 1 {
		return "there is a mistake in what was written"
	}
	return fmt.Sprintf("there are %d mistakes in what was written", n)
}

// fail answers a request with an error: programs with a problem, people with
// a page.
func (s *server) fail(c *gin.Context, err error) {
	s.answerProblem(c, s.problem(c.Request.Context(), err))
}

func (s *server) answerProblem(c *gin.Context, p *problem) {
	c.Abort()
	switch {
	case c.Writer.Written():
		// The beginning of another answer is out; breaking off says enough.
	case s.Pages != nil && forPeople(c.Request):
		s.Pages.Error(c, p.Status, forPage(p))
	default:
		if p.Status == http.StatusUnauthorized {
			c.Header("WWW-Authenticate", challenge(c.Request))
		}
		c.Header("Content-Type", problemType)
		c.JSON(p.Status, p.Problem)
	}
}

// forPage words a problem for a page.
func forPage(p *problem) string {
	if p.RequestID != "" {
		return p.Detail + "; the log has it as " + p.RequestID
	}
	return p.Detail
}

// challenge says how to sign in. Basic is for Terraform only: a browser would
// ask its user for a password.
func challenge(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, apiVersion+"/state/") {
		return `Basic realm="cloudops"`
	}
	return `Bearer realm="cloudops"`
}
