// Package web is the pages: rendered on the server with templ, kept up to date
// with htmx over server-sent events. They work on the same use cases as the
// API, and the API's table of permissions lets people in.
package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// Deps is what the pages show.
type Deps struct {
	Runs     *engine.Runs
	Stacks   *engine.Stacks
	States   *engine.States
	Access   *engine.Access
	Policies *engine.Policies
	Store    engine.Store
	Webhooks *engine.Webhooks
	Bell     engine.Bell
	Now      func() time.Time
	Log      *slog.Logger
	Secure   bool   // browsers come by HTTPS
	Cookie   string // name of the session's cookie; empty for cloudops_session
	URL      string // of the pages, as browsers see it
	SignOn   SignOn // nil for none
}

// Pages are the web pages.
type Pages struct {
	Deps
	assets assets
}

// New returns the pages.
func New(d Deps) (*Pages, error) {
	if d.Cookie == "" {
		d.Cookie = "cloudops_session"
	}
	files, err := loadAssets()
	return &Pages{Deps: d, assets: files}, err
}

// route is one page or form with what it takes.
type route struct {
	method, path string
	permission   engine.Permission
	handle       func(*gin.Context) error
}

func (p *Pages) routes() []route {
	return slices.Concat(p.mainRoutes(), p.projectRoutes(), p.accessRoutes())
}

func (p *Pages) mainRoutes() []route {
	return []route{
		{"GET", "/static/*file", "", p.staticFile},
		{"GET", "/login", "", p.showLogin},
		{"POST", "/login", "", p.login},
		{"GET", "/login/sso", "", p.beginSignOn},
		{"GET", "/login/callback", "", p.finishSignOn},
		{"GET", "/device", engine.MaySelf, p.device},
		{"POST", "/device", engine.MaySelf, p.answerDevice},
		{"POST", "/logout", engine.MaySelf, p.logout},
		{"GET", "/", engine.MayRead, p.stacks},
		{"GET", "/stacks/:stack", engine.MayRead, p.stack},
		{"POST", "/stacks/:stack/runs", engine.MayPlan, p.startRun},
		{"POST", "/stacks/:stack/scale", engine.MaySubmit, p.scale},
		{"POST", "/stacks/:stack/variables", engine.MaySubmit, p.setVariable},
		{"POST", "/stacks/:stack/variables/unset", engine.MaySubmit, p.unsetVariable},
		{"POST", "/stacks/:stack/unlock", engine.MayWriteState, p.breakLock},
		{"POST", "/stacks/:stack/recover", engine.MayWriteState, p.recoverState},
		{"POST", "/stacks/:stack/restore", engine.MayWriteState, p.restoreState},
		{"GET", "/runs", engine.MayRead, p.runs},
		{"GET", "/runs/:run", engine.MayRead, p.run},
		{"GET", "/runs/:run/live", engine.MayRead, p.live},
		{"GET", "/runs/:run/steps/:step/changes", engine.MayRead, p.changes},
		{"POST", "/runs/:run/approve", engine.MayApprove, p.approve},
		{"POST", "/runs/:run/discard", engine.MayApprove, p.discard},
		{"POST", "/runs/:run/cancel", engine.MayPlan, p.cancel},
		{"POST", "/runs/:run/retry", engine.MayPlan, p.retry},
		{"GET", "/credentials", engine.MayRead, p.credentials},
		{"POST", "/runs/:run/apply", engine.MayApply, p.apply},
		{"POST", "/runs/:run/break-glass", engine.MayRead, p.breakGlass},
		{"GET", "/rules", engine.MayRead, p.rules},
		{"POST", "/rules", engine.MayWritePolicy, p.putRule},
		{"POST", "/rules/delete", engine.MayWritePolicy, p.deleteRule},
		{"POST", "/projects/:project/rule", engine.MayWritePolicy, p.putRule},
		{"POST", "/projects/:project/rule/delete", engine.MayWritePolicy, p.deleteRule},
		{"GET", "/variable-sets", engine.MayRead, p.variableSets},
		{"POST", "/variable-sets", engine.MayWriteCredentials, p.putSet},
		{"POST", "/variable-sets/:set/variables", engine.MayWriteCredentials, p.setShared},
		{"POST", "/variable-sets/:set/unset", engine.MayWriteCredentials, p.unsetShared},
		{"POST", "/variable-sets/:set/delete", engine.MayWriteCredentials, p.deleteSet},
		{"GET", "/webhooks", engine.MayRead, p.webhooks},
		{"POST", "/webhooks", engine.MayWritePolicy, p.createWebhook},
		{"POST", "/webhooks/:webhook/test", engine.MayWritePolicy, p.testWebhook},
		{"POST", "/webhooks/:webhook/rotate", engine.MayWritePolicy, p.rotateWebhook},
		{"POST", "/webhooks/:webhook/switch", engine.MayWritePolicy, p.switchWebhook},
		{"POST", "/webhooks/:webhook/delete", engine.MayWritePolicy, p.deleteWebhook},
		{"GET", "/drift", engine.MayRead, p.drift},
		{"GET", "/audit", engine.MayReadAudit, p.audit},
		{"GET", "/users", engine.MayReadAccess, p.users},
		{"POST", "/users", engine.MayManageUsers, p.createUser},
		{"GET", "/users/:user", engine.MayReadAccess, p.user},
		{"POST", "/users/:user", engine.MayManageUsers, p.changeUser},
		{"POST", "/users/:user/sessions/end", engine.MayManageUsers, p.endUserSessions},
		{"POST", "/users/:user/tokens", engine.MayManageUsers, p.createUserToken},
		{"POST", "/users/:user/tokens/:id/delete", engine.MayManageUsers, p.deleteUserToken},
		{"GET", "/account", engine.MaySelf, p.account},
		{"POST", "/account/password", engine.MaySelf, p.changePassword},
		{"POST", "/account/sessions/:id/end", engine.MaySelf, p.endSession},
		{"POST", "/account/link", engine.MaySelf, p.linkSignOn},
		{"POST", "/account/tokens", engine.MaySelf, p.createToken},
		{"POST", "/account/tokens/:id/delete", engine.MaySelf, p.deleteToken},
	}
}

// Mount adds the routes.
func (p *Pages) Mount(r gin.IRouter) {
	for _, rt := range p.routes() {
		r.Handle(rt.method, rt.path, func(c *gin.Context) {
			if err := rt.handle(c); err != nil {
				p.fail(c, err)
			}
		})
	}
}

// Permissions gives what each route takes, by method and path.
func (p *Pages) Permissions() map[string]engine.Permission {
	table := map[string]engine.Permission{}
	for _, rt := range p.routes() {
		table[rt.method+" "+rt.path] = rt.permission
	}
	return table
}

// statuses maps the kinds of error that people can act on.
var statuses = []struct {
	kind   error
	status int
}{
	{engine.ErrInvalid, http.StatusUnprocessableEntity},
	{engine.ErrNotFound, http.StatusNotFound},
	{engine.ErrConflict, http.StatusConflict},
	{engine.ErrForbidden, http.StatusForbidden},
	{engine.ErrUnauthorized, http.StatusUnauthorized},
}

// statusOf gives the status of an error, 500 for one that is ours.
func statusOf(err error) int {
	for _, k := range statuses {
		if errors.Is(err, k.kind) {
			return k.status
		}
	}
	return http.StatusInternalServerError
}

// refused reports whether an error answers a form: the page it stands on then
// shows it, so that what was on the page is not lost.
func refused(err error) bool {
	return errors.Is(err, engine.ErrInvalid) || errors.Is(err, engine.ErrConflict) || errors.Is(err, engine.ErrForbidden)
}

// fail shows an error as a page. One that is ours is named by the request's
// identifier, which finds the log line.
func (p *Pages) fail(c *gin.Context, err error) {
	status, message := statusOf(err), err.Error()
	if status == http.StatusInternalServerError {
		if c.Request.Context().Err() != nil {
			p.Log.DebugContext(c, "page cut short", "path", c.Request.URL.Path, "err", context.Cause(c.Request.Context()))
			return
		}
		id := c.Writer.Header().Get("X-Request-Id")
		p.Log.ErrorContext(c, "page failed", "request", id, "path", c.Request.URL.Path, "err", err)
		message = "Something went wrong on our side. The log has it as " + id + "."
	}
	p.Error(c, status, message)
}

// closed answers a refused form with what is wrong and nothing else, where who
// sent it may not look at the page that the form stands on.
func (p *Pages) closed(c *gin.Context, f frame, perm engine.Permission, status int, problem string) bool {
	if problem == "" || f.may(perm) { // without a form the route itself has asked
		return false
	}
	p.Error(c, status, problem)
	return true
}

// Error shows a page that says what is wrong.
func (p *Pages) Error(c *gin.Context, status int, message string) {
	p.render(c, status, errorPage(p.frame(c, http.StatusText(status)), message))
	c.Abort()
}
