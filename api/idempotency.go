package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// maxKey is how long an Idempotency-Key may be, in bytes.
const maxKey = 255

// idempotent answers a write that comes again with the same Idempotency-Key
// the way the first one was answered. Source: the IETF HTTPAPI draft
// "The Idempotency-Key HTTP Header Field". An answer that holds a secret is not
// kept, so the key means nothing there.
func (s *server) idempotent(c *gin.Context) {
	key := c.GetHeader("Idempotency-Key")
	user := engine.PrincipalFrom(c.Request.Context()).User
	if key == "" || user == "" || !unsafe(c.Request.Method) || s.secret[c.Request.Method+" "+c.FullPath()] || !strings.HasPrefix(c.Request.URL.Path, apiVersion+"/") {
		return
	}
	if len(key) > maxKey {
		s.fail(c, engine.Invalid("an Idempotency-Key has at most %d characters", maxKey))
		return
	}
	request, err := s.requestDigest(c.Request)
	if err != nil {
		s.fail(c, err)
		return
	}
	kept, err := s.Store.BeginRequest(c.Request.Context(), user, key, request, s.Now())
	switch {
	case err != nil:
		s.fail(c, err)
	case kept == nil:
		s.record(c, user, key, request)
	case kept.Request != request:
		s.fail(c, engine.Invalid("the Idempotency-Key %q was used for another request", key))
	case kept.Status == 0:
		s.fail(c, engine.Conflict("the first request with the Idempotency-Key %q is still being answered, or the server ended before it was; look whether it took effect, then use another key", key))
	default:
		c.Header("Idempotency-Replayed", "true")
		c.Data(kept.Status, kept.Type, kept.Body)
		c.Abort()
	}
}

// requestDigest tells requests apart, and leaves the body to be read again. The
// digest is keyed: a plain one would let passwords be guessed from it.
func (s *server) requestDigest(r *http.Request) (string, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return s.Runs.Hasher.Fingerprint(fmt.Appendf(nil, "%s %s\n%s", r.Method, r.URL.RequestURI(), body)), nil
}

// record keeps the answer. One that is our own fault is not kept, so that the
// request can be made again.
func (s *server) record(c *gin.Context, user, key, request string) {
	w := &recorder{ResponseWriter: c.Writer}
	c.Writer = w
	done := false
	defer func() { s.keep(c, w, done, user, key, request) }()
	c.Next()
	done = true
}

// keep is called when the request was answered, or its handler panicked.
func (s *server) keep(c *gin.Context, w *recorder, done bool, user, key, request string) {
	ctx := context.WithoutCancel(c.Request.Context()) // the caller may be gone
	var err error
	if !done || w.Status() >= http.StatusInternalServerError {
		err = s.Store.AbandonRequest(ctx, user, key)
	} else {
		err = s.Store.FinishRequest(ctx, user, key, engine.StoredResponse{
			Request: request, Status: w.Status(), Type: w.Header().Get("Content-Type"), Body: w.body.Bytes(),
		})
	}
	if err != nil { // the answer is out; a repetition will be told to wait
		s.Log.ErrorContext(ctx, "answer not kept", "key", key, "err", err)
	}
}

// recorder keeps what is written.
type recorder struct {
	gin.ResponseWriter
	body bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) {
	r.body.Write(p)
	return r.ResponseWriter.Write(p)
}

func (r *recorder) WriteString(s string) (int, error) { return r.Write([]byte(s)) }
