package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// unsized hides how long a body is, so that it is sent in chunks.
type unsized struct{ io.Reader }

func TestProblems(t *testing.T) {
	large := bytes.Repeat([]byte("x"), maxBody+1)
	gzip := []string{"Content-Type", "application/gzip"}
	js := []string{"Content-Type", "application/json"}
	tests := map[string]struct {
		method, path string
		body         io.Reader
		headers      []string
		status       int
		detail       string
	}{
		"an address where nothing is":         {"GET", "/v1/none", nil, nil, http.StatusNotFound, "there is nothing at /v1/none"},
		"a method that is not possible":       {"PUT", "/v1/stacks", nil, nil, http.StatusMethodNotAllowed, "PUT is not possible here; see Allow"},
		"a stack that is not there":           {"GET", "/v1/stacks/none", nil, nil, http.StatusNotFound, `there is no stack "none"`},
		"JSON that is broken":                 {"POST", "/v1/stacks", strings.NewReader("{"), js, http.StatusBadRequest, ""},
		"JSON with a field too much":          {"POST", "/v1/stacks", strings.NewReader(`{"name":"a","nmae":"b"}`), js, http.StatusUnprocessableEntity, "validation failed"},
		"a name that is taken":                {"POST", "/v1/users", strings.NewReader(`{"name":"admin","roles":["viewer"],"password":"0123456789012"}`), js, http.StatusConflict, ""},
		"a page size out of range":            {"GET", "/v1/runs?limit=1000", nil, nil, http.StatusUnprocessableEntity, "validation failed"},
		"a status that does not exist":        {"GET", "/v1/runs?status=happy", nil, nil, http.StatusUnprocessableEntity, `there is no status "happy"`},
		"a kind that does not exist":          {"GET", "/v1/runs?kind=happy", nil, nil, http.StatusUnprocessableEntity, "validation failed"},
		"a body that says that it is large":   {"POST", "/v1/stacks/a/revisions", bytes.NewReader(large), gzip, http.StatusRequestEntityTooLarge, "the body is too large: a bundle has at most 10 MB"},
		"a body that turns out large":         {"POST", "/v1/stacks/a/revisions", unsized{bytes.NewReader(large)}, gzip, http.StatusRequestEntityTooLarge, "the body is too large: a bundle has at most 10 MB"},
		"a large body with a key":             {"POST", "/v1/stacks/a/revisions", unsized{bytes.NewReader(large)}, []string{"Idempotency-Key", "k"}, http.StatusRequestEntityTooLarge, "the body is too large: a bundle has at most 10 MB"},
		"large JSON":                          {"POST", "/v1/stacks", unsized{bytes.NewReader(large)}, js, http.StatusRequestEntityTooLarge, "the body is too large: a bundle has at most 10 MB"},
		"a revision in a form of its own":     {"POST", "/v1/stacks/a/revisions", strings.NewReader("x"), []string{"Content-Type", "text/plain"}, http.StatusUnprocessableEntity, "a revision is application/json, multipart/form-data or application/gzip, not text/plain"},
		"a step that is not there":            {"GET", "/v1/steps/none/log/stream", nil, nil, http.StatusNotFound, "there is no step none"},
		"a run that is not there":             {"GET", "/v1/runs/none/events", nil, nil, http.StatusNotFound, "there is no run none"},
		"a lock broken without saying why":    {"DELETE", "/v1/stacks/a/locks/b", nil, nil, http.StatusUnprocessableEntity, "validation failed"},
		"a revision whose number is a word":   {"GET", "/v1/stacks/a/revisions/first", nil, nil, http.StatusUnprocessableEntity, "validation failed"},
		"the locks of a stack not there":      {"GET", "/v1/stacks/none/locks", nil, nil, http.StatusNotFound, `there is no stack "none"`},
		"the schedules of a stack not there":  {"GET", "/v1/stacks/none/schedules", nil, nil, http.StatusNotFound, `there is no stack "none"`},
		"the revisions of a stack not there":  {"GET", "/v1/stacks/none/revisions", nil, nil, http.StatusNotFound, `there is no stack "none"`},
		"the state history of no stack":       {"GET", "/v1/stacks/none/states/a/versions", nil, nil, http.StatusNotFound, `there is no stack "none"`},
		"the outputs of a stack not there":    {"GET", "/v1/stacks/none/outputs", nil, nil, http.StatusNotFound, `there is no stack "none"`},
		"the findings of a stack not there":   {"GET", "/v1/stacks/none/findings", nil, nil, http.StatusNotFound, `there is no stack "none"`},
		"credentials that are not there":      {"DELETE", "/v1/credentials/none", nil, nil, http.StatusNotFound, ""},
		"a run of a stack without a revision": {"POST", "/v1/stacks/none/runs", strings.NewReader(`{"kind":"apply"}`), js, http.StatusNotFound, `there is no stack "none"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			p := s.must(s.send(tt.method, tt.path, engine.RoleAdmin, tt.body, tt.headers...), tt.status).problem(t)
			if tt.detail != "" && p.Detail != tt.detail {
				t.Errorf("it says %q", p.Detail)
			}
			if p.Title != http.StatusText(tt.status) || p.Detail == "" {
				t.Errorf("problem %+v", p)
			}
		})
	}
}

func TestAllViolationsComeAtOnceWithoutWhatWasSent(t *testing.T) {
	s := newSystem(t)
	r := s.request("POST", "/v1/users", engine.RoleAdmin, map[string]any{"name": 7, "roles": "king", "password": 123456789})
	p := s.must(r, http.StatusUnprocessableEntity).problem(t)
	places := map[string]bool{}
	for _, e := range p.Errors {
		places[e.Location] = true
	}
	if !places["body.name"] || !places["body.roles"] || !places["body.password"] {
		t.Errorf("errors %+v", p.Errors)
	}
	if strings.Contains(string(r.body), "123456789") {
		t.Errorf("the answer repeats the password: %s", r.body)
	}
}

func TestOurOwnErrorsAreHiddenAndFound(t *testing.T) {
	tests := map[string]gin.HandlerFunc{
		"a panic":                   func(*gin.Context) { panic("the secret is blue") },
		"an error without a kind":   nil,
		"a write that came too far": func(c *gin.Context) { c.String(http.StatusOK, "half"); panic("the secret is blue") },
	}
	for name, h := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			if h == nil {
				h = func(c *gin.Context) { s.server.fail(c, errors.New("the secret is blue")) }
			}
			s.router.GET("/v1/broken", h)
			s.server.permissions["GET /v1/broken"] = engine.MayRead
			r := s.send("GET", "/v1/broken", engine.RoleViewer, nil)
			if strings.Contains(string(r.body), "blue") {
				t.Errorf("the answer says %s", r.body)
			}
			if name == "a write that came too far" {
				if string(r.body) != "half" {
					t.Errorf("the answer went on: %s", r.body)
				}
				return
			}
			p := s.must(r, http.StatusInternalServerError).problem(t)
			if p.RequestID == "" || p.RequestID != r.Header.Get("X-Request-Id") {
				t.Errorf("request %q in the problem, %q before it", p.RequestID, r.Header.Get("X-Request-Id"))
			}
			if !strings.Contains(s.log.String(), "request="+p.RequestID) || !strings.Contains(s.log.String(), "the secret is blue") {
				t.Errorf("the log has %s", s.log)
			}
		})
	}
}

func TestRequestThatWasCutShortIsNoErrorOfOurs(t *testing.T) {
	s := newSystem(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if p := s.server.problem(ctx, errors.New("database: canceled")); p.Status != http.StatusServiceUnavailable {
		t.Errorf("problem %+v", p.Problem)
	}
	if strings.Contains(s.log.String(), "request failed") {
		t.Errorf("the log has %s", s.log)
	}
}

func TestChallengeNamesWhatTheCallerCanDo(t *testing.T) {
	s := newSystem(t)
	for path, want := range map[string]string{"/v1/stacks": "Bearer", "/v1/state/a/b": "Basic"} {
		if got := s.send("GET", path, "", nil).Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestHealth(t *testing.T) {
	sick := false
	s := newSystem(t, func(d *Deps) {
		d.Ready = func(context.Context) error {
			if sick {
				return errors.New("postgres://secret")
			}
			return nil
		}
	})
	s.must(s.send("GET", "/healthz", "", nil), http.StatusOK)
	s.must(s.send("GET", "/readyz", "", nil), http.StatusOK)
	sick = true
	s.must(s.send("GET", "/healthz", "", nil), http.StatusOK)
	if p := s.must(s.send("GET", "/readyz", "", nil), http.StatusServiceUnavailable).problem(t); strings.Contains(p.Detail, "secret") {
		t.Errorf("it says %q", p.Detail)
	}
}
