package web_test

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/web"
	"github.com/cloudops-manager/cloudops/engine"
)

// openPages are all that nobody has to sign in for.
var openPages = []string{"GET /login", "GET /login/callback", "GET /login/sso", "GET /static/*file", "POST /login"}

// pageTable gives the routes of the pages with what each takes.
func pageTable(t *testing.T) map[string]engine.Permission {
	t.Helper()
	pages, err := web.New(web.Deps{})
	ok(t, err)
	return pages.Permissions()
}

func TestNoPageIsOpenThatIsNotListed(t *testing.T) {
	var open []string
	for route, perm := range pageTable(t) {
		if perm == "" {
			open = append(open, route)
		}
	}
	if slices.Sort(open); !slices.Equal(open, openPages) {
		t.Errorf("open are %q, not %q", open, openPages)
	}
}

func TestEachPageTakesWhatTheTableSays(t *testing.T) {
	s := newSite(t)
	tokens := map[engine.Role]engine.Secret{"": ""}
	for _, role := range engine.Roles() {
		token, _, err := s.access.CreateToken(t.Context(), principal(role), engine.TokenRequest{Name: "test", Forever: true})
		ok(t, err)
		tokens[role] = token
	}
	table := pageTable(t)
	t.Logf("%d pages and forms as %d roles and as nobody", len(table), len(engine.Roles()))
	for _, route := range slices.Sorted(maps.Keys(table)) {
		for role, token := range tokens {
			want := table[route] == "" || may(role, table[route])
			if status, let := s.knock(route, token); let != want {
				t.Errorf("%s as %q: status %d", route, role, status)
			}
		}
	}
}

// may says whether the user that is named after a role holds the permission.
func may(role engine.Role, perm engine.Permission) bool {
	return slices.ContainsFunc(usual(role), func(r engine.Role) bool { return r.May(perm) })
}

// knock asks for a route like a browser, with a token or without, and tells
// whether it is let in. The form is one that no page takes.
func (s *site) knock(route string, token engine.Secret) (status int, let bool) {
	s.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	path = regexp.MustCompile(`[:*]\w+`).ReplaceAllString(path, "none")
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader("new=x&name=viewer&password="+password))
	ok(s.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "text/html")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	res, err := s.browser("").client.Do(req)
	ok(s.t, err)
	defer res.Body.Close()
	asked := strings.HasPrefix(res.Header.Get("Location"), "/login?next=")
	return res.StatusCode, !asked && res.StatusCode != http.StatusUnauthorized && res.StatusCode != http.StatusForbidden
}
