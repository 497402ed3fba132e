package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// problemError is a problem as huma sends errors.
type problemError struct{ client.Problem }

// Error implements error.
func (p *problemError) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *problemError) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *problemError) ContentType(string) string { return problemType }

// MarshalJSON leaves out what only embeds the problem.
func (p *problemError) MarshalJSON() ([]byte, error) { return json.Marshal(p.Problem) }

const problemType = "application/problem+json"

func problemOf(status int, detail string) *problemError {
	return &problemError{client.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}}
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
func (s *server) problem(ctx context.Context, err error) *problemError {
	var already *problemError
	var tooLarge *http.MaxBytesError
	var ds engine.Diagnostics
	switch {
	case errors.As(err, &already):
		return already
	case errors.As(err, &tooLarge):
		return problemOf(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d MB", tooLarge.Limit>>20))
	case errors.As(err, &ds):
		p := problemOf(http.StatusUnprocessableEntity, mistakes(len(ds)))
		p.Diagnostics = diagnosticsJSON(ds)
		return p
	}
	for _, k := range statuses {
		if errors.Is(err, k.kind) {
			return problemOf(k.status, err.Error())
		}
	}
	id, _ := ctx.Value(requestIDKey{}).(string)
	s.Log.ErrorContext(ctx, "request failed", "request", id, "err", err)
	p := problemOf(http.StatusInternalServerError, "internal error")
	p.RequestID = id
	return p
}

func mistakes(n int) string {
	if n == 1 {
		return "the stack has a mistake"
	}
	return fmt.Sprintf("the stack has %d mistakes", n)
}

// fail answers a request with an error.
func (s *server) fail(c *gin.Context, err error) {
	writeProblem(c, s.problem(c.Request.Context(), err))
}

func writeProblem(c *gin.Context, p *problemError) {
	c.Header("Content-Type", problemType)
	if p.Status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", `Bearer, Basic realm="cloudops"`)
	}
	c.AbortWithStatusJSON(p.Status, p.Problem)
}

// identify gives each request an identifier, for its log lines and answers.
func (s *server) identify(c *gin.Context) {
	id := engine.NewID("req", s.Now())
	c.Header("X-Request-Id", id)
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), requestIDKey{}, id))
	began := s.Now()
	c.Next()
	s.Log.DebugContext(c, "request", "request", id, "method", c.Request.Method, "path", c.Request.URL.Path, "status", c.Writer.Status(), "took", s.Now().Sub(began))
}

// recover answers a request whose handler panicked.
func (s *server) recover(c *gin.Context) {
	defer func() {
		if v := recover(); v != nil {
			s.fail(c, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}
	}()
	c.Next()
}
