// Package web is the pages: rendered on the server with templ, kept up to date
// with htmx over server-sent events. They work on the same use cases as the
// API, and the API's table of permissions lets people in.
package web

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// htmx 4.0 and its extension for server-sent events, both under the Zero-Clause
// BSD licence, are vendored beside our own files.
//
//go:embed static
var static embed.FS

// Deps is what the pages show.
type Deps struct {
	Runs   *engine.Runs
	Stacks *engine.Stacks
	Access *engine.Access
	Store  engine.Store
	Bell   engine.Bell
	Now    func() time.Time
	Log    *slog.Logger
	Secure bool   // browsers come by HTTPS
	Cookie string // name of the session's cookie
}

// Pages are the web pages.
type Pages struct {
	Deps
	files fs.FS
}

// New returns the pages.
func New(d Deps) (*Pages, error) {
	files, err := fs.Sub(static, "static")
	return &Pages{Deps: d, files: files}, err
}

// route is one page or form with what it takes.
type route struct {
	method, path string
	permission   engine.Permission
	handle       func(*gin.Context) error
}

func (p *Pages) routes() []route {
	return []route{
		{"GET", "/static/*file", "", p.staticFile},
		{"GET", "/login", "", p.showLogin},
		{"POST", "/login", "", p.login},
		{"POST", "/logout", engine.MaySelf, p.logout},
		{"GET", "/", engine.MayRead, p.stacks},
		{"GET", "/stacks/:stack", engine.MayRead, p.stack},
		{"POST", "/stacks/:stack/runs", engine.MaySubmit, p.startRun},
		{"GET", "/runs", engine.MayRead, p.runs},
		{"GET", "/runs/:run", engine.MayRead, p.run},
		{"GET", "/runs/:run/live", engine.MayRead, p.live},
		{"POST", "/runs/:run/approve", engine.MayApprove, p.approve},
		{"POST", "/runs/:run/discard", engine.MayApprove, p.discard},
		{"POST", "/runs/:run/cancel", engine.MaySubmit, p.cancel},
		{"GET", "/drift", engine.MayRead, p.drift},
		{"GET", "/audit", engine.MayReadState, p.audit},
		{"GET", "/account", engine.MaySelf, p.account},
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

// fail shows an error as a page.
func (p *Pages) fail(c *gin.Context, err error) {
	status, message := http.StatusInternalServerError, "Something went wrong on our side. The log has the details."
	for kind, s := range map[error]int{
		engine.ErrNotFound: http.StatusNotFound, engine.ErrInvalid: http.StatusUnprocessableEntity,
		engine.ErrConflict: http.StatusConflict, engine.ErrForbidden: http.StatusForbidden, engine.ErrUnauthorized: http.StatusUnauthorized,
	} {
		if errors.Is(err, kind) {
			status, message = s, err.Error()
		}
	}
	if status == http.StatusInternalServerError {
		p.Log.ErrorContext(c, "page failed", "path", c.Request.URL.Path, "err", err)
	}
	p.Error(c, status, message)
}

// Error shows a page that says what is wrong.
func (p *Pages) Error(c *gin.Context, status int, message string) {
	p.render(c, status, errorPage(p.frame(c, http.StatusText(status)), message))
	c.Abort()
}

func (p *Pages) render(c *gin.Context, status int, page templ.Component) {
	c.Header("Content-Type", "text/html; charset=utf-8")
	c.Header("Cache-Control", "no-store")
	c.Status(status)
	if err := page.Render(c.Request.Context(), c.Writer); err != nil {
		p.Log.DebugContext(c, "page not sent", "err", err) // who asked has gone
	}
}

// frame is what every page has around it.
type frame struct {
	title string
	path  string
	who   engine.Principal
	csrf  string
	now   time.Time
}

// may reports whether who looks may do something.
func (f frame) may(perm engine.Permission) bool { return f.who.Role.May(perm) }

func (p *Pages) frame(c *gin.Context, title string) frame {
	f := frame{title: title, path: c.Request.URL.Path, who: engine.PrincipalFrom(c.Request.Context()), now: p.Now()}
	if cookie, err := c.Cookie(p.Cookie); err == nil {
		if _, session, err := p.Access.BySession(c.Request.Context(), engine.Secret(cookie)); err == nil {
			f.csrf = session.CSRF
		}
	}
	return f
}

func (p *Pages) staticFile(c *gin.Context) error {
	c.Header("Cache-Control", "public, max-age=3600")
	c.FileFromFS(strings.TrimPrefix(c.Param("file"), "/"), http.FS(p.files))
	return nil
}

func (p *Pages) showLogin(c *gin.Context) error {
	p.render(c, http.StatusOK, loginPage(p.frame(c, "Sign in"), safeNext(c.Query("next")), ""))
	return nil
}

// safeNext keeps a redirect on this site.
func safeNext(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, "\\") {
		return "/"
	}
	return next
}

// login signs a browser in. A form on another site cannot do so: browsers say
// where a form comes from.
func (p *Pages) login(c *gin.Context) error {
	next := safeNext(c.PostForm("next"))
	if site := c.GetHeader("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return engine.Forbidden("sign in on the page itself")
	}
	cookie, _, err := p.Access.Login(c.Request.Context(), c.PostForm("name"), engine.Secret(c.PostForm("password")))
	if errors.Is(err, engine.ErrUnauthorized) {
		p.render(c, http.StatusUnauthorized, loginPage(p.frame(c, "Sign in"), next, err.Error()))
		return nil
	}
	if err != nil {
		return err
	}
	p.setCookie(c, cookie.Reveal(), int(engine.SessionLife.Seconds()))
	c.Redirect(http.StatusSeeOther, next)
	return nil
}

func (p *Pages) setCookie(c *gin.Context, value string, seconds int) {
	http.SetCookie(c.Writer, &http.Cookie{Name: p.Cookie, Value: value, Path: "/", MaxAge: seconds,
		HttpOnly: true, Secure: p.Secure, SameSite: http.SameSiteLaxMode})
}

func (p *Pages) logout(c *gin.Context) error {
	if cookie, err := c.Cookie(p.Cookie); err == nil {
		if err := p.Access.Logout(c.Request.Context(), engine.Secret(cookie)); err != nil {
			return err
		}
	}
	p.setCookie(c, "", -1)
	c.Redirect(http.StatusSeeOther, "/login")
	return nil
}

func (p *Pages) account(c *gin.Context) error { return p.showAccount(c, "") }

func (p *Pages) showAccount(c *gin.Context, made string) error {
	tokens, err := p.Store.Tokens(c.Request.Context(), engine.PrincipalFrom(c.Request.Context()).User)
	if err != nil {
		return err
	}
	p.render(c, http.StatusOK, accountPage(p.frame(c, "Account"), tokens, made))
	return nil
}

// tokenLife is how long a token made on the page is good for.
const tokenLife = 90 * 24 * time.Hour

func (p *Pages) createToken(c *gin.Context) error {
	ctx := c.Request.Context()
	secret, _, err := p.Access.CreateToken(ctx, engine.PrincipalFrom(ctx), c.PostForm("name"), tokenLife)
	if err != nil {
		return err
	}
	return p.showAccount(c, secret.Reveal())
}

func (p *Pages) deleteToken(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := p.Access.DeleteToken(ctx, engine.PrincipalFrom(ctx), c.Param("id")); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/account")
	return nil
}

func (p *Pages) audit(c *gin.Context) error {
	events, err := p.Store.Events(c.Request.Context(), c.Query("stack"), engine.Page{After: c.Query("after"), Limit: pageSize + 1})
	if err != nil {
		return err
	}
	events, more := cut(events)
	p.render(c, http.StatusOK, auditPage(p.frame(c, "Audit log"), events, more))
	return nil
}

// pageSize is how many rows a list shows.
const pageSize = 50

// cut shortens a list that was read with one row too many.
func cut[T any](list []T) ([]T, bool) {
	if len(list) > pageSize {
		return list[:pageSize], true
	}
	return list, false
}

func (p *Pages) drift(c *gin.Context) error {
	history := c.Query("history") != ""
	found, err := p.Store.Findings(c.Request.Context(), c.Query("stack"), !history, engine.Page{After: c.Query("after"), Limit: pageSize + 1})
	if err != nil {
		return err
	}
	found, more := cut(found)
	p.render(c, http.StatusOK, driftPage(p.frame(c, "Drift"), c.Query("stack"), found, history, more))
	return nil
}

// latestRuns gives the newest run of each stack.
func (p *Pages) latestRuns(ctx context.Context, stacks []*engine.Stack) (map[string]*engine.Run, error) {
	latest := map[string]*engine.Run{}
	for _, s := range stacks {
		runs, err := p.Store.Runs(ctx, engine.RunFilter{Stack: s.Name}, engine.Page{Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(runs) > 0 {
			latest[s.Name] = runs[0]
		}
	}
	return latest, nil
}
