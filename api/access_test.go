package api

import (
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// open is all that nobody has to sign in for.
var open = []string{
	"GET /.well-known/jwks.json", "GET /.well-known/openid-configuration",
	"GET /docs", "GET /docs/start.js", "GET /docs/swagger-ui-bundle.js", "GET /docs/swagger-ui.css",
	"GET /healthz", "GET /openapi-3.0.json", "GET /openapi-3.0.yaml", "GET /openapi.json", "GET /openapi.yaml",
	"GET /readyz", "POST /v1/hooks/:id", "POST /v1/login", "POST /v1/login/device", "POST /v1/login/device/token",
}

func TestNothingIsOpenThatIsNotListed(t *testing.T) {
	s := newSystem(t)
	var public []string
	for route, perm := range s.server.permissions {
		if perm == "" {
			public = append(public, route)
		}
	}
	slices.Sort(public)
	if !slices.Equal(public, open) {
		t.Errorf("open are\n%s\nnot\n%s", strings.Join(public, "\n"), strings.Join(open, "\n"))
	}
}

// somewhere fills the parameters of a route.
func somewhere(path string) string {
	return regexp.MustCompile(`[:*]\w+`).ReplaceAllStringFunc(path, func(p string) string {
		if p == ":number" {
			return "7"
		}
		return "none"
	})
}

func TestEachRouteTakesWhatTheTableSays(t *testing.T) {
	s := newSystem(t)
	routes := map[string]gin.RouteInfo{}
	for _, r := range s.router.Routes() {
		routes[r.Method+" "+r.Path] = r
	}
	if len(routes) != len(s.server.permissions) {
		t.Errorf("%d routes, %d lines in the table", len(routes), len(s.server.permissions))
	}
	walkers := s.walkers()
	t.Logf("%d routes as %d roles, as nobody, with only what each takes and with all but that", len(routes), len(engine.Roles()))
	for _, name := range slices.Sorted(maps.Keys(routes)) {
		r, perm := routes[name], s.server.permissions[name]
		if name == "POST /v1/logout" { // takes back the token that asks
			continue
		}
		path := somewhere(r.Path)
		if got := s.send(r.Method, path, "", nil).StatusCode; (got == http.StatusUnauthorized) == (perm == public) {
			t.Errorf("%s without a token: status %d", name, got)
		}
		for who, holds := range walkers {
			if !strings.HasPrefix(string(who), "pure-") && !strings.HasSuffix(string(who), "-"+string(perm)) {
				continue
			}
			got := s.send(r.Method, path, who, nil).StatusCode
			if want := allowed(perm, r.Method, holds); (got != http.StatusUnauthorized && got != http.StatusForbidden) != want {
				t.Errorf("%s as %s: status %d", name, who, got)
			}
		}
	}
}

// walkers are a user of each role that is always there, and of two roles for each
// permission: one that holds nothing else, and one that holds everything else.
func (s *system) walkers() map[engine.Role][]engine.Permission {
	s.t.Helper()
	who, all := map[engine.Role][]engine.Permission{}, engine.Permissions()
	for _, role := range engine.Roles() {
		who["pure-"+role] = role.Permissions()
	}
	for _, p := range all {
		who["only-"+engine.Role(p)] = []engine.Permission{p}
		who["all-but-"+engine.Role(p)] = slices.DeleteFunc(slices.Clone(all), func(o engine.Permission) bool { return o == p })
	}
	ctx, boss := s.t.Context(), engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}
	for name, permissions := range who {
		role := engine.Role(strings.TrimPrefix(string(name), "pure-"))
		if !role.Known() {
			custom, err := engine.NewCustomRole(role, "", names(permissions))
			s.ok(err)
			s.ok(s.access.PutRole(ctx, boss, custom))
		}
		s.newcomer(string(name))
		s.ok(s.access.Bind(ctx, boss, engine.Binding{Subject: engine.Subject{Kind: engine.SubjectUser, Name: string(name)}, Role: role}))
	}
	return who
}

// allowed says whether people who hold the permissions are let in.
func allowed(perm engine.Permission, method string, holds []engine.Permission) bool {
	switch perm {
	case public, signedIn, engine.MaySelf:
		return true
	case asRunner:
		return false
	case asState:
		if method == http.MethodGet {
			return slices.Contains(holds, engine.MayReadState)
		}
		return slices.Contains(holds, engine.MayWriteState)
	}
	return slices.Contains(holds, perm)
}

func TestRouteWithoutPermissionStopsTheServer(t *testing.T) {
	s := newSystem(t)
	s.router.GET("/v1/forgotten", func(c *gin.Context) { c.Status(http.StatusOK) })
	if err := s.server.check(s.router); err == nil {
		t.Error("a route that nobody gave a permission is served")
	}
	if got := s.send("GET", "/v1/forgotten", engine.RoleAdmin, nil).StatusCode; got != http.StatusForbidden {
		t.Errorf("it answers %d", got)
	}
}

func TestTokens(t *testing.T) {
	s := newSystem(t)
	c := s.as(engine.RoleViewer)
	made, err := c.CreateToken(t.Context(), client.CreateToken{Name: "ci", Forever: true})
	s.ok(err)
	s.tokens["ci"] = engine.Secret(made.Token)
	s.must(s.request("GET", "/v1/whoami", "ci", nil), http.StatusOK)
	tokens, err := c.Tokens(t.Context(), "")
	s.ok(err)
	for _, tok := range tokens {
		if tok.Name == "ci" {
			s.ok(c.DeleteToken(t.Context(), tok.ID))
		}
	}
	s.must(s.request("GET", "/v1/whoami", "ci", nil), http.StatusUnauthorized)
}

func TestCredentialsAreWriteOnly(t *testing.T) {
	s := newSystem(t)
	c := s.as(engine.RoleAdmin)
	put := client.PutCredential{Cloud: "aws", Values: map[string]string{"AWS_SECRET_ACCESS_KEY": "hunter2"}}
	s.ok(c.PutCredential(t.Context(), "prod", put))
	r := s.must(s.request("GET", "/v1/credentials", engine.RoleViewer, nil), http.StatusOK)
	if strings.Contains(string(r.body), "hunter2") || !strings.Contains(string(r.body), "AWS_SECRET_ACCESS_KEY") {
		t.Errorf("the list reads %s", r.body)
	}
	put.Values = map[string]string{"LD_PRELOAD": "x"}
	if err := c.PutCredential(t.Context(), "prod", put); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("a variable that would change how tools start: %v", err)
	}
	s.ok(c.DeleteCredential(t.Context(), "prod"))
	list, err := c.Credentials(t.Context())
	s.ok(err)
	if len(list) != 0 {
		t.Errorf("left are %+v", list)
	}
}

func TestClientReadsEveryPageOfAList(t *testing.T) {
	s := newSystem(t)
	const more = 201 // than a page may have
	for i := range more {
		s.ok(s.store.PutCredential(t.Context(), &engine.Credential{Name: "c" + strconv.Itoa(i), Kind: engine.CredentialEnvironment, Cloud: engine.CloudAWS, CreatedAt: s.clock.now(), UpdatedAt: s.clock.now()}, engine.Event{At: s.clock.now(), Actor: "ada", Action: "a"}))
	}
	list, err := s.as(engine.RoleViewer).Credentials(t.Context())
	s.ok(err)
	if len(list) != more {
		t.Errorf("%d of %d credentials are listed", len(list), more)
	}
	first := s.must(s.request("GET", "/v1/credentials?limit=2", engine.RoleViewer, nil), http.StatusOK)
	var page client.List[client.Credential]
	first.json(t, &page)
	if len(page.Items) != 2 || page.NextCursor != "c1" {
		t.Errorf("the first page is %s", first.body)
	}
}

func TestUsers(t *testing.T) {
	s := newSystem(t)
	c := s.as(engine.RoleAdmin)
	s.ok(c.CreateUser(t.Context(), client.CreateUser{Name: "ada", Roles: []string{"viewer"}, Password: password, MustChange: new(false)}))
	roles, disabled := []string{"approver"}, true
	s.ok(c.UpdateUser(t.Context(), "ada", client.UpdateUser{Roles: &roles}))
	token, err := client.New(s.url, "").Login(t.Context(), "ada", password, "laptop")
	s.ok(err)
	who, err := client.New(s.url, token).Whoami(t.Context())
	s.ok(err)
	if want := []client.Binding{{Subject: "user:ada", Role: "approver", Scope: "installation"}}; who.Name != "ada" || !slices.Equal(who.Bindings, want) {
		t.Errorf("signed in as %+v", who)
	}
	s.ok(c.UpdateUser(t.Context(), "ada", client.UpdateUser{Disabled: &disabled}))
	if _, err := client.New(s.url, token).Whoami(t.Context()); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("disabled: %v", err)
	}
	if err := c.UpdateUser(t.Context(), "admin", client.UpdateUser{Disabled: &disabled}); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("the last admin: %v", err)
	}
}
