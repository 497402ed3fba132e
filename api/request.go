package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// identify gives each request an identifier, for its log lines and answers.
func (s *server) identify(c *gin.Context) {
	began := s.Now()
	id := engine.NewID("req", began)
	c.Header("X-Request-Id", id)
	ctx := context.WithValue(c.Request.Context(), requestIDKey{}, id)
	quiet := strings.Contains(c.GetHeader("Accept"), "text/event-stream")
	c.Request = c.Request.WithContext(engine.WithOrigin(ctx, engine.Origin{Address: c.ClientIP(), Request: id, Agent: c.Request.UserAgent(), Quiet: quiet}))
	c.Next()
	s.Log.DebugContext(c.Request.Context(), "request", "request", id, "method", c.Request.Method, "path", c.Request.URL.Path,
		"status", c.Writer.Status(), "took", s.Now().Sub(began))
}

// wellFormed refuses addresses with bytes in them that are no text, which no
// database keeps and no log should show.
func (s *server) wellFormed(c *gin.Context) {
	query, err := url.QueryUnescape(c.Request.URL.RawQuery)
	if text := c.Request.URL.Path + query; err != nil || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		s.fail(c, problemOf(http.StatusBadRequest, "the address has characters in it that are no text"))
	}
}

// recover answers a request whose handler panicked.
func (s *server) recover(c *gin.Context) {
	defer func() {
		v := recover()
		if v == http.ErrAbortHandler {
			panic(v) // which breaks off an answer that cannot be ended
		}
		if v != nil {
			s.fail(c, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}
	}()
	c.Next()
}

// secureHeaders tells browsers what pages may do: nothing but what is ours.
func (s *server) secureHeaders(c *gin.Context) {
	style := "'self'"
	if strings.HasPrefix(c.Request.URL.Path, "/docs") {
		style = "'self' 'unsafe-inline'" // the library that shows the API sets styles
	}
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src "+style+"; img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store") // states and outputs hold secrets; files that don't say so themselves
	if s.Secure || c.Request.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// The limits of bodies, in bytes.
const (
	maxBody       = 11 << 20  // a bundle of 10 MB with its form around it
	maxRunnerBody = 100 << 20 // plans and states
	maxLoginBody  = 16 << 10  // of who is not known yet
	maxHookBody   = 64 << 10
)

// limitBody keeps a request from filling the memory.
func (s *server) limitBody(c *gin.Context) {
	limit := int64(maxBody)
	switch path := c.Request.URL.Path; {
	case path == "/login", strings.HasPrefix(path, apiVersion+"/login"):
		limit = maxLoginBody
	case strings.HasPrefix(path, apiVersion+"/hooks/"):
		limit = maxHookBody
	case strings.HasPrefix(path, apiVersion+"/runner/"), strings.HasPrefix(path, apiVersion+"/state/"):
		limit = maxRunnerBody
	}
	if c.Request.ContentLength > limit {
		c.Header("Connection", "close") // rather than read what nobody wants
		s.fail(c, &http.MaxBytesError{Limit: limit})
		return
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, limit)
}
