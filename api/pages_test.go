package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// pages are two pages and a login.
type pages struct{}

func withPages(d *Deps) { d.Pages = pages{} }

func (pages) Mount(r gin.IRouter) {
	ok := func(c *gin.Context) {
		c.String(http.StatusOK, "page of %s", engine.PrincipalFrom(c.Request.Context()).User)
	}
	r.GET("/", ok)
	r.POST("/form", ok)
	r.POST("/login", ok)
	r.GET("/broken", func(*gin.Context) { panic("broken") })
}

func (pages) Permissions() map[string]engine.Permission {
	return map[string]engine.Permission{"GET /": engine.MayRead, "POST /form": engine.MaySubmit, "POST /login": "", "GET /broken": ""}
}

func (pages) Error(c *gin.Context, status int, message string) {
	c.String(status, "error page: %s", message)
}

func TestPagesErrors(t *testing.T) {
	tests := map[string]struct {
		method, path, accept string
		role                 engine.Role
		status               int
		text                 string
	}{
		"a browser that is not signed in is sent to the login": {"GET", "/?x=1", "text/html", "", http.StatusSeeOther, ""},
		"a program that is not signed in gets a problem":       {"GET", "/", "application/json", "", http.StatusUnauthorized, `"title":"Unauthorized"`},
		"a form of nobody gets a page":                         {"POST", "/form", "text/html", "", http.StatusUnauthorized, "error page: sign in"},
		"a form without the right gets a page":                 {"POST", "/form", "text/html", engine.RoleViewer, http.StatusForbidden, "error page: viewer may not submit"},
		"a page that is not there":                             {"GET", "/none", "text/html", "", http.StatusNotFound, "error page: there is nothing at /none"},
		"a page that is broken names the log line":             {"GET", "/broken", "text/html", "", http.StatusInternalServerError, "error page: internal error; the log has it as req-"},
		"the API answers browsers with problems too":           {"GET", "/v1/stacks", "text/html", "", http.StatusUnauthorized, `"title":"Unauthorized"`},
		"a page that is allowed":                               {"GET", "/", "text/html", engine.RoleViewer, http.StatusOK, "page of viewer"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t, withPages)
			r := s.must(s.send(tt.method, tt.path, tt.role, nil, "Accept", tt.accept), tt.status)
			if !strings.Contains(string(r.body), tt.text) {
				t.Errorf("it reads %s", r.body)
			}
			if to := r.Header.Get("Location"); tt.status == http.StatusSeeOther && to != "/login?next=%2F%3Fx%3D1" {
				t.Errorf("it goes to %s", to)
			}
		})
	}
}

func TestGuessingPasswordsOnThePageIsSlowedDown(t *testing.T) {
	s := newSystem(t, withPages)
	try := func(name string) int {
		return s.send("POST", "/login", "", strings.NewReader("name="+name), "Content-Type", "application/x-www-form-urlencoded").StatusCode
	}
	for range loginTries {
		try("admin")
	}
	if got := try("admin"); got != http.StatusTooManyRequests {
		t.Errorf("status %d after too many", got)
	}
	if got := try("viewer"); got != http.StatusOK {
		t.Errorf("status %d for another name", got)
	}
}

func TestHeadersThatProtectBrowsers(t *testing.T) {
	s := newSystem(t, withPages)
	for _, path := range []string{"/", "/docs", "/none", "/v1/whoami"} {
		h := s.send("GET", path, "", nil).Header
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") == "" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
}

func TestAnswersOfTheAPIAreNotCached(t *testing.T) {
	s := newSystem(t)
	for path, want := range map[string]string{"/v1/whoami": "no-store", "/docs/swagger-ui.css": "public, max-age=3600"} {
		if got := s.send("GET", path, engine.RoleViewer, nil).Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}

func TestDocsNeedNothingFromElsewhere(t *testing.T) {
	s := newSystem(t)
	page := s.must(s.send("GET", "/docs", "", nil), http.StatusOK)
	if strings.Contains(string(page.body), "http:") || strings.Contains(string(page.body), "https:") {
		t.Errorf("the page loads from elsewhere: %s", page.body)
	}
	for path, kind := range map[string]string{"/docs/start.js": "text/javascript", "/docs/swagger-ui-bundle.js": "text/javascript", "/docs/swagger-ui.css": "text/css"} {
		r := s.must(s.send("GET", path, "", nil), http.StatusOK)
		if !strings.HasPrefix(r.Header.Get("Content-Type"), kind) || len(r.body) == 0 {
			t.Errorf("%s: %d bytes of %s", path, len(r.body), r.Header.Get("Content-Type"))
		}
	}
}
