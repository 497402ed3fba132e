package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// SessionCookie is the name of the cookie of a browser that is signed in. By
// HTTPS it has a prefix by which browsers take it from this host alone, and by
// no other way. Source: RFC 6265bis, section 4.1.3.2.
func SessionCookie(secure bool) string {
	if secure {
		return "__Host-cloudops_session"
	}
	return "cloudops_session"
}

// authorize is the one place where a request is let in: it looks its route up
// in the table and finds out who asks.
func (s *server) authorize(c *gin.Context) {
	if c.FullPath() == "" {
		return // no route: answered with 404 or 405
	}
	perm, ok := s.permissions[c.Request.Method+" "+c.FullPath()]
	switch {
	case !ok:
		s.fail(c, engine.Forbidden("this route is closed"))
	case perm == public:
		s.limitLogins(c)
	case perm == asState: // the state backend asks for its own tokens
	case perm == asRunner:
		s.authorizeRunner(c)
	default:
		s.authorizePrincipal(c, perm)
	}
}

// limitLogins slows down who guesses passwords on the page, or has the identity
// provider asked; the call of the API does so itself, for the name is in its body.
func (s *server) limitLogins(c *gin.Context) {
	name := ""
	switch c.Request.Method + " " + c.FullPath() {
	case "POST /login":
		name = c.PostForm("name")
	case "GET /login/callback":
	default:
		return
	}
	if err := s.logins.check(name, c.Request.RemoteAddr); err != nil {
		s.fail(c, err)
	}
}

func (s *server) authorizePrincipal(c *gin.Context, perm engine.Permission) {
	p, err := s.principal(c)
	var scope engine.Scope
	if err == nil {
		c.Request = c.Request.WithContext(via(engine.WithPrincipal(c.Request.Context(), p), viaOf(p)))
		if scope, err = s.mayDo(c, p, perm); err == nil {
			err = s.limitGuesses(c, p)
		}
		leave := func() {}
		if err == nil {
			leave, err = s.underway.enter(p.User)
		}
		if err == nil {
			defer leave()
			c.Request = c.Request.WithContext(engine.WithScope(c.Request.Context(), scope))
			s.serveWhileLetIn(c, perm, scope)
			return
		}
	}
	refused(c.Request.Context(), refusedBy(p, perm, scope, err))
	if to := wayIn(c, err); to != "" && browser(c.Request) {
		c.Redirect(http.StatusSeeOther, to)
		c.Abort()
		return
	}
	s.fail(c, err)
}

// wayIn is the page on which a person does something about not being let in;
// "" where nothing can be done.
func wayIn(c *gin.Context, err error) string {
	var change *engine.PasswordChangeError
	switch {
	case errors.Is(err, engine.ErrUnauthorized):
		return "/login?next=" + url.QueryEscape(c.Request.URL.RequestURI())
	case errors.As(err, &change):
		return "/account"
	}
	return ""
}

// limitGuesses slows down who guesses the codes of command lines on the page, or
// the password in somebody's browser. Source: RFC 8628, section 5.1.
func (s *server) limitGuesses(c *gin.Context, p engine.Principal) error {
	switch c.FullPath() {
	case "/account/password":
	case "/device":
		if c.Request.Method == http.MethodGet && c.Query("code") == "" {
			return nil
		}
	default:
		return nil
	}
	return s.logins.check(p.User, c.Request.RemoteAddr)
}

// browser reports whether a person is looking for a page.
func browser(r *http.Request) bool { return r.Method == http.MethodGet && forPeople(r) }

// forPeople reports whether a person will read the answer.
func forPeople(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, apiVersion+"/") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// principal finds out who asks, by API token or browser session.
func (s *server) principal(c *gin.Context) (engine.Principal, error) {
	if _, ok := bearer(c); ok {
		return s.byToken(c)
	}
	p, err := s.asks(c)(c.Request.Context())
	switch {
	case err != nil || !unsafe(c.Request.Method):
	case http.NewCrossOriginProtection().Check(c.Request) != nil: // browsers say which site a request comes from
		err = engine.Forbidden("another site asks for this in your name; do it on the page itself")
	case !sameToken(csrf(c), p.CSRF):
		err = engine.Forbidden("the page is too old for this; load it again")
	}
	return p, err
}

// bearer is the token that a request brings along.
func bearer(c *gin.Context) (engine.Secret, bool) {
	token, ok := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
	return engine.Secret(token), ok
}

// byToken finds out who sends a token, and slows down who tries them out.
func (s *server) byToken(c *gin.Context) (engine.Principal, error) {
	if err := s.logins.checkToken(c.Request.RemoteAddr); err != nil {
		return engine.Principal{}, err
	}
	p, err := s.asks(c)(c.Request.Context())
	if errors.Is(err, engine.ErrUnauthorized) {
		s.logins.badToken(c.Request.RemoteAddr)
	}
	return p, err
}

// asks gives what tells who asks, now and later.
func (s *server) asks(c *gin.Context) func(context.Context) (engine.Principal, error) {
	if token, ok := bearer(c); ok {
		return func(ctx context.Context) (engine.Principal, error) { return s.Access.ByToken(ctx, token) }
	}
	cookie, err := c.Cookie(SessionCookie(s.Secure))
	if err != nil || cookie == "" {
		return func(context.Context) (engine.Principal, error) {
			return engine.Principal{}, engine.Unauthorized("sign in, or send a token: Authorization: Bearer ...")
		}
	}
	return func(ctx context.Context) (engine.Principal, error) {
		return s.Access.BySession(ctx, engine.Secret(cookie))
	}
}

// askAgain is how often a request that lasts is asked again who it is of.
const askAgain = 10 * time.Second

// serveWhileLetIn goes on with a request, and cuts one that lasts, such as a
// stream, once who asks would not be let in any more.
func (s *server) serveWhileLetIn(c *gin.Context, perm engine.Permission, scope engine.Scope) {
	if c.Request.Method != http.MethodGet { // it ends by itself
		c.Next()
		return
	}
	ctx, cut := context.WithCancelCause(c.Request.Context())
	c.Request = c.Request.WithContext(ctx)
	ask := s.asks(c)
	stop := s.every(askAgain, func() {
		p, err := ask(engine.WithOrigin(ctx, engine.Origin{Quiet: true}))
		if errors.Is(err, engine.ErrUnauthorized) || err == nil && perm.Scoped() && !p.MayAnywhere(perm) || err == nil && scope != (engine.Scope{}) && !p.May(perm, scope) {
			cut(engine.Unauthorized("who asks is not let in any more"))
		}
	})
	defer stop()
	c.Next()
	cut(nil) // not where it panics: the answer to that needs the context as it was
}

// every does something again and again until it is stopped.
func every(d time.Duration, do func()) (stop func()) {
	ticker, done := time.NewTicker(d), make(chan struct{})
	go func() {
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				do()
			}
		}
	}()
	return func() { close(done) }
}

func unsafe(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// csrf is the token that a page of ours sends along, in a header or its form.
func csrf(c *gin.Context) string {
	if token := c.GetHeader("X-CSRF-Token"); token != "" || c.ContentType() != "application/x-www-form-urlencoded" {
		return token
	}
	return c.PostForm("csrf_token")
}

func sameToken(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

type runnerKey struct{}

// authorizeRunner lets the runner in that has the step in hand.
func (s *server) authorizeRunner(c *gin.Context) {
	token, ok := bearer(c)
	if !ok {
		s.fail(c, engine.Unauthorized("a runner sends its token: Authorization: Bearer ..."))
		return
	}
	step, err := s.Runs.Runner(c.Request.Context(), token)
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Request = c.Request.WithContext(via(withStep(c.Request.Context(), step), "runner "+step.ID))
}
