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
	table, walkers := pageTable(t), s.walkers()
	t.Logf("%d pages and forms as %d roles, as nobody, with only what each takes and with all but that", len(table), len(engine.Roles()))
	for _, route := range slices.Sorted(maps.Keys(table)) {
		perm := table[route]
		if status, let := s.knock(route, ""); let != (perm == "") {
			t.Errorf("%s as nobody: status %d", route, status)
		}
		for name, w := range walkers {
			if !strings.HasPrefix(name, "pure-") && !strings.HasSuffix(name, "-"+string(perm)) {
				continue
			}
			want := perm == "" || perm == engine.MaySelf || slices.Contains(w.holds, perm)
			if status, let := s.knock(route, w.token); let != want {
				t.Errorf("%s as %s: status %d", route, name, status)
			}
		}
	}
}

// walker is a user with what its role holds.
type walker struct {
	holds []engine.Permission
	token engine.Secret
}

// walkers are one of each role that is always there, and of two roles for each
// permission: one that holds nothing else, and one that holds everything else.
func (s *site) walkers() map[string]walker {
	s.t.Helper()
	who, all := map[string]walker{}, engine.Permissions()
	for _, role := range engine.Roles() {
		who["pure-"+string(role)] = walker{holds: role.Permissions()}
	}
	for _, p := range all {
		who["only-"+string(p)] = walker{holds: []engine.Permission{p}}
		who["all-but-"+string(p)] = walker{holds: slices.DeleteFunc(slices.Clone(all), func(o engine.Permission) bool { return o == p })}
	}
	ctx, boss := s.t.Context(), engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}
	for name, w := range who {
		var permissions []string
		for _, p := range w.holds {
			permissions = append(permissions, string(p))
		}
		role, err := engine.NewCustomRole(engine.Role(name), "", permissions)
		ok(s.t, err)
		ok(s.t, s.access.PutRole(ctx, boss, role))
		ok(s.t, s.access.CreateUser(ctx, boss, name, []engine.Role{role.Name}, password))
		w.token, _, err = s.access.CreateToken(ctx, engine.Principal{User: name}, engine.TokenRequest{Name: "test", Forever: true})
		ok(s.t, err)
		who[name] = w
	}
	return who
}

// TestAuditorLooksAtEveryPageAndChangesNothing goes through the table.
func TestAuditorLooksAtEveryPageAndChangesNothing(t *testing.T) {
	for route, perm := range pageTable(t) {
		judged := route == "POST /runs/:run/break-glass" // takes approve or apply behind the door
		if perm != "" && perm != engine.MaySelf && !judged && engine.RoleAuditor.May(perm) != strings.HasPrefix(route, "GET ") {
			t.Errorf("%s, which takes %s: an auditor may: %v", route, perm, engine.RoleAuditor.May(perm))
		}
	}
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
