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

func TestLogin(t *testing.T) {
	tests := map[string]struct {
		name, password string
		want           int
	}{
		"the right password gives a token":     {"operator", password, http.StatusOK},
		"a wrong password gives none":          {"operator", "not what it is", http.StatusUnauthorized},
		"a name that nobody has reads alike":   {"nobody", password, http.StatusUnauthorized},
		"a name that is too long is not taken": {strings.Repeat("a", 1000), password, http.StatusUnprocessableEntity},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			r := s.must(s.request("POST", "/v1/login", "", map[string]string{"name": tt.name, "password": tt.password}), tt.want)
			if tt.want != http.StatusOK && strings.Contains(string(r.body), tt.password) {
				t.Errorf("the answer repeats the password: %s", r.body)
			}
		})
	}
}

func TestGuessingPasswordsIsSlowedDown(t *testing.T) {
	s := newSystem(t)
	try := func() int {
		return s.request("POST", "/v1/login", "", map[string]string{"name": "admin", "password": "guess"}).StatusCode
	}
	for range loginTries {
		if got := try(); got != http.StatusUnauthorized {
			t.Fatalf("status %d", got)
		}
	}
	if got := try(); got != http.StatusTooManyRequests {
		t.Errorf("status %d after too many", got)
	}
	s.clock.add(loginWindow)
	if got := try(); got != http.StatusUnauthorized {
		t.Errorf("status %d a minute later", got)
	}
}

func TestNameThatNobodyCanHaveIsKeptNowhere(t *testing.T) {
	s := newSystem(t)
	before, err := s.store.Events(t.Context(), engine.EventFilter{}, engine.Page{Limit: 100})
	s.ok(err)
	for _, name := range []string{"", "No Name", strings.Repeat("x", 65)} {
		if _, _, err := s.access.Login(t.Context(), name, password); !errors.Is(err, engine.ErrUnauthorized) {
			t.Errorf("%.20q: %v", name, err)
		}
		s.ok(s.server.logins.check(name, "192.0.2.1:99"))
	}
	after, err := s.store.Events(t.Context(), engine.EventFilter{}, engine.Page{Limit: 100})
	s.ok(err)
	if len(after) != len(before) || len(s.server.logins.seen) != 1 {
		t.Errorf("%d new events, counts %v", len(after)-len(before), s.server.logins.seen)
	}
}

func TestBodyThatIsTooLargeToSignInWith(t *testing.T) {
	s := newSystem(t, withPages)
	for path, kind := range map[string]string{"/login": "application/x-www-form-urlencoded", "/v1/login": "application/json"} {
		r := s.send("POST", path, "", strings.NewReader("name="+strings.Repeat("x", maxLoginBody)), "Content-Type", kind)
		if r.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(r.body), "too large to sign in with") {
			t.Errorf("%s: status %d, %s", path, r.StatusCode, r.body)
		}
	}
}

func TestBrowserSession(t *testing.T) {
	s := newSystem(t, withPages)
	cookie, session, err := s.access.Login(t.Context(), "operator", password)
	s.ok(err)
	signedIn := "cloudops_session=" + cookie.Reveal()
	tests := map[string]struct {
		method, path, body string
		headers            []string
		want               int
	}{
		"reads":                               {"GET", "/v1/whoami", "", []string{"Cookie", signedIn}, http.StatusOK},
		"with another cookie does not":        {"GET", "/v1/whoami", "", []string{"Cookie", signedIn + "x"}, http.StatusUnauthorized},
		"writes with its token in a header":   {"DELETE", "/v1/tokens/none", "", []string{"Cookie", signedIn, "X-CSRF-Token", session.CSRF}, http.StatusNotFound},
		"writes with its token in a form":     {"POST", "/form", "csrf_token=" + session.CSRF, []string{"Cookie", signedIn, "Content-Type", "application/x-www-form-urlencoded"}, http.StatusOK},
		"does not write with an old form":     {"POST", "/form", "csrf_token=old", []string{"Cookie", signedIn, "Content-Type", "application/x-www-form-urlencoded"}, http.StatusForbidden},
		"does not write without":              {"DELETE", "/v1/tokens/none", "", []string{"Cookie", signedIn}, http.StatusForbidden},
		"does not write with another's token": {"DELETE", "/v1/tokens/none", "", []string{"Cookie", signedIn, "X-CSRF-Token", "csrf_x"}, http.StatusForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := s.send(tt.method, tt.path, "", strings.NewReader(tt.body), tt.headers...)
			if r.StatusCode != tt.want {
				t.Errorf("status %d, not %d: %s", r.StatusCode, tt.want, r.body)
			}
		})
	}
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
