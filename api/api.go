// Package api is the HTTP API: JSON by huma on gin, with OpenAPI 3.1 made from
// the types; logs and runs as server-sent events; Terraform's state backend;
// and the calls of runners.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// Pages are the web pages beside the API. Permissions gives what each of their
// routes takes, by method and path as gin writes it, "" for none; a route that
// is missing there is closed.
type Pages interface {
	Mount(r gin.IRouter)
	Permissions() map[string]engine.Permission
	// Error answers a person's browser with a page that says what is wrong.
	Error(c *gin.Context, status int, message string)
}

// Deps is what the API serves.
type Deps struct {
	Runs      *engine.Runs
	Stacks    *engine.Stacks
	States    *engine.States
	Access    *engine.Access
	Keys      *engine.Keys
	Audit     *engine.Audit
	Forward   *engine.Forwarding
	Formats   map[string]engine.EventFormat // of exports, by name
	Webhooks  *engine.Webhooks
	Hooks     *engine.Hooks
	Policies  *engine.Policies
	Store     engine.Store
	Bell      engine.Bell
	Log       *slog.Logger
	Now       func() time.Time
	Ready     func(ctx context.Context) error               // whether databases answer
	PackFiles func(files map[string][]byte) ([]byte, error) // makes a bundle
	Pages     Pages
	Version   string
	Secure    bool // clients come by HTTPS, if only to a proxy before us
	// TrustedProxies are networks of proxies before us, such as 10.0.0.0/8.
	TrustedProxies []string
}

// server is the API with the table of what each route takes.
type server struct {
	Deps
	permissions map[string]engine.Permission
	secret      map[string]bool // routes whose answers hold a secret
	huma        huma.API
	logins      *limiter
	underway    *underway
	every       func(time.Duration, func()) (stop func()) // does something again and again
	stacks      lookup
	refusals    *refusals
}

// Permissions that are not a role's: what is open, and what takes a token of
// its own kind.
const (
	public     engine.Permission = ""
	signedIn   engine.Permission = "signed-in"
	asRunner   engine.Permission = "runner"
	asState    engine.Permission = "state"
	apiVersion                   = "/v1"
)

// New returns the handler of the API and the pages.
func New(d Deps) (http.Handler, error) {
	s, router := build(d)
	return clients.wrap(router), s.check(router)
}

// setUpLibraries sets what gin and huma keep for the whole process.
var setUpLibraries = sync.OnceFunc(func() {
	gin.SetMode(gin.ReleaseMode)
	huma.DefaultArrayNullable = false
	huma.NewError = newError
})

func build(d Deps) (*server, *gin.Engine) {
	setUpLibraries()
	s := &server{Deps: d, permissions: map[string]engine.Permission{}, secret: map[string]bool{}, logins: newLimiter(d.Now), underway: newUnderway(), every: every}
	s.refusals = s.newRefusals()
	router := gin.New()
	router.RemoteIPHeaders = []string{"X-Forwarded-For"}
	router.RedirectTrailingSlash = false
	router.HandleMethodNotAllowed = true
	router.UseRawPath = true // components such as terraform.x["a/b"] come escaped
	router.UnescapePathValues = true
	router.Use(s.identify, s.recover, s.origin, s.watchRefusals, s.secureHeaders, s.wellFormed, s.limitBody, s.authorize, s.idempotent)
	router.NoRoute(func(c *gin.Context) { s.fail(c, engine.NotFound("there is nothing at %s", c.Request.URL.Path)) })
	router.NoMethod(func(c *gin.Context) {
		s.answerProblem(c, problemOf(http.StatusMethodNotAllowed, c.Request.Method+" is not possible here; see Allow"))
	})
	s.huma = humagin.New(router, describe(d.Version))
	for _, name := range []string{"openapi.json", "openapi.yaml", "openapi-3.0.json", "openapi-3.0.yaml"} {
		s.permissions["GET /"+name] = public
	}
	s.routes(router)
	return s, router
}

// describe is the head of the OpenAPI description.
func describe(version string) huma.Config {
	config := huma.DefaultConfig("CloudOps Manager", version)
	config.Info.Description = "Stacks, runs, approvals, states and drift. Errors are RFC 9457 problems; lists are paged by cursor. " +
		"Writes take an Idempotency-Key: one that comes again is answered like the first time, with Idempotency-Replayed: true; " +
		"answers that hold a secret are not kept, and such writes are made again."
	config.DocsPath, config.SchemasPath = "", ""
	config.CreateHooks = nil // no $schema in answers
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "API token, or for runners the token of their step."},
		"session": {Type: "apiKey", In: "cookie", Name: SessionCookie(false), Description: "Browser session; unsafe methods send X-CSRF-Token too."},
	}
	return config
}

func (s *server) routes(router *gin.Engine) {
	s.healthRoutes()
	s.docsRoutes(router)
	s.accessRoutes()
	s.issuerRoutes()
	s.stackRoutes()
	s.revisionRoutes()
	s.variableRoutes()
	s.variableSetRoutes()
	s.runRoutes()
	s.decisionRoutes()
	s.policyRoutes()
	s.hostRoutes()
	s.keyRoutes()
	s.stepRoutes()
	s.stateRoutes(router)
	s.driftRoutes()
	s.runnerRoutes()
	s.auditRoutes()
	s.forwarderRoutes()
	s.webhookRoutes()
	if s.Pages != nil {
		s.Pages.Mount(router)
		for route, perm := range s.Pages.Permissions() {
			s.permissions[route] = perm
		}
	}
}

// check makes sure that the trusted proxies are networks, and that no route is
// without a line in the table.
func (s *server) check(router *gin.Engine) error {
	if err := router.SetTrustedProxies(s.TrustedProxies); err != nil {
		return engine.Invalid("trusted proxies: %v", err)
	}
	for _, r := range router.Routes() {
		if _, ok := s.permissions[r.Method+" "+r.Path]; !ok {
			return engine.Invalid("route %s %s has no permission", r.Method, r.Path)
		}
	}
	return nil
}
