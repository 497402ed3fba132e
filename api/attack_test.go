package api

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestEveryAnswerTellsBrowsersWhatItMayDo(t *testing.T) {
	s := newSystem(t, withPages, func(d *Deps) { d.Secure = true })
	paths := map[string]bool{"GET /none": true, "PUT /v1/runs": true, "GET /a%00b": true}
	for route := range s.server.permissions {
		paths[route] = true
	}
	for route := range paths {
		method, path, _ := strings.Cut(route, " ")
		h := s.send(method, somewhere(path), "", nil).Header
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q", route, csp)
			}
		}
		if strings.Contains(csp, "unsafe-inline") && !strings.HasPrefix(path, "/docs") || strings.Contains(csp, "script-src 'self' ") || strings.Contains(csp, "unsafe-eval") {
			t.Errorf("%s: policy %q", route, csp)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q", route, name, got)
			}
		}
		if h.Get("Permissions-Policy") == "" || h.Get("Cache-Control") == "" {
			t.Errorf("%s: headers %v", route, h)
		}
	}
}

// sessionRoutes are those that a browser's session gets through and that change
// something.
func (s *system) sessionRoutes() (routes []string) {
	for _, route := range slices.Sorted(maps.Keys(s.server.permissions)) {
		method, _, _ := strings.Cut(route, " ")
		switch perm := s.server.permissions[route]; {
		case !unsafe(method), perm == public, perm == asRunner, perm == asState:
		default:
			routes = append(routes, route)
		}
	}
	return routes
}

func TestNoOtherSiteActsInSomebodysName(t *testing.T) {
	s := newSystem(t, withPages)
	cookie, session, err := s.access.Login(t.Context(), "admin", password)
	s.ok(err)
	signedIn := []string{"Cookie", SessionCookie(false) + "=" + cookie.Reveal()}
	tests := map[string][]string{
		"without the page's token":                 nil,
		"with somebody else's":                     {"X-CSRF-Token", "csrf_x"},
		"from another site that knows it":          {"X-CSRF-Token", session.CSRF, "Sec-Fetch-Site", "cross-site"},
		"from another one of the same domain":      {"X-CSRF-Token", session.CSRF, "Sec-Fetch-Site", "same-site"},
		"from another site in an old browser":      {"X-CSRF-Token", session.CSRF, "Origin", "https://evil.example"},
		"from a frame that says nothing of itself": {"X-CSRF-Token", session.CSRF, "Origin", "null"},
	}
	routes := s.sessionRoutes()
	if len(routes) < 20 {
		t.Fatalf("only %d routes are looked at", len(routes))
	}
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		for name, headers := range tests {
			if got := s.send(method, somewhere(path), "", nil, slices.Concat(signedIn, headers)...).StatusCode; got != http.StatusForbidden {
				t.Errorf("%s %s: status %d", route, name, got)
			}
		}
		good := slices.Concat(signedIn, []string{"X-CSRF-Token", session.CSRF, "Sec-Fetch-Site", "same-origin"})
		if strings.HasSuffix(path, "/logout") { // which it would do
			continue
		}
		if got := s.send(method, somewhere(path), "", nil, good...).StatusCode; got == http.StatusForbidden || got == http.StatusUnauthorized {
			t.Errorf("%s from the page itself: status %d", route, got)
		}
	}
}

func TestAddressesThatAreNoTextAreRefused(t *testing.T) {
	s := newSystem(t)
	for _, path := range []string{"/v1/stacks/a%00b", "/v1/stacks/a%ffb", "/v1/runs?cursor=%00", "/v1/runs?cursor=%ff", "/v1/runs?cursor=%zz"} {
		s.must(s.send("GET", path, engine.RoleViewer, nil), http.StatusBadRequest)
	}
}

// What comes from outside is a value in a log, never a line of it.
func TestNobodyForgesLinesOfTheLog(t *testing.T) {
	s := newSystem(t)
	forged := "\r\ntime=2026-01-02T03:04:05Z level=ERROR msg=forged\x1b[2J"
	s.send("GET", "/v1/stacks/a%0d%0atime=2026%20level=ERROR%20msg=forged%1b[2J", engine.RoleViewer, nil)
	s.send("GET", "/v1/runs?cursor=%0a%0dlevel=ERROR%20msg=forged", engine.RoleViewer, nil)
	s.request("POST", "/v1/login", "", map[string]string{"name": "ada" + forged, "password": "guess"})
	s.server.Log.Info("said", "by", "somebody"+forged)
	for _, line := range strings.Split(strings.TrimSpace(s.log.String()), "\n") {
		facts := regexp.MustCompile(`"(\\.|[^"\\])*"`).ReplaceAllString(line, "...")
		if !strings.HasPrefix(line, "time=") || strings.Contains(facts, "msg=forged") || strings.ContainsAny(line, "\r\x1b") {
			t.Errorf("a line reads %q", line)
		}
	}
}

func TestJSONThatIsABombIsRefused(t *testing.T) {
	s := newSystem(t)
	for name, body := range map[string]string{
		"deep":               `{"name":` + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + `}`,
		"a number of digits": `{"name":"ci","seconds":1` + strings.Repeat("0", 1<<20) + `}`,
		"an exponent":        `{"name":"ci","seconds":1e999999999}`,
		"an endless string":  `{"name":"` + strings.Repeat("a", 10<<20),
	} {
		r := s.send("POST", "/v1/tokens", engine.RoleViewer, strings.NewReader(body), "Content-Type", "application/json")
		if r.StatusCode < 400 || r.StatusCode >= 500 {
			t.Errorf("%s: status %d", name, r.StatusCode)
		}
	}
}
