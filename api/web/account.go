package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// loginView is what the page to sign in shows.
type loginView struct {
	frame
	next, err string
	button    string // of single sign-on; empty for none
	local     engine.LocalLogin
	signOut   string // where to sign out of single sign-on, too
}

func (p *Pages) loginView(c *gin.Context, next, problem string) loginView {
	v := loginView{frame: p.frame(c, "Sign in"), next: next, err: problem, local: p.Access.Policy.LocalLogin}
	if p.SignOn != nil {
		v.button = p.SignOn.Name()
	}
	return v
}

// ssoURL is where single sign-on begins.
func (v loginView) ssoURL() string { return "/login/sso?next=" + url.QueryEscape(v.next) }

func (p *Pages) showLogin(c *gin.Context) error {
	v := p.loginView(c, safeNext(c.Query("next")), "")
	if p.SignOn != nil && c.Query("out") != "" {
		v.signOut = p.SignOn.SignOutURL(c.Request.Context(), p.URL+"/login")
	}
	p.render(c, http.StatusOK, loginPage(v))
	return nil
}

// safeNext keeps a redirect on this site. Browsers take a backslash for a slash
// and drop tabs and line breaks, so that what is no address here may be one there.
func safeNext(next string) string {
	u, err := url.Parse(next) // which takes no control characters
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, "\\") {
		return "/"
	}
	return next
}

// login signs a browser in. A form on another site cannot do so: browsers say
// where a form comes from.
func (p *Pages) login(c *gin.Context) error {
	next := safeNext(c.PostForm("next"))
	if http.NewCrossOriginProtection().Check(c.Request) != nil {
		return engine.Forbidden("sign in on the page itself")
	}
	err := p.openSession(c, c.PostForm("name"), engine.Secret(c.PostForm("password")))
	if errors.Is(err, engine.ErrUnauthorized) {
		return p.refuseLogin(c, next, err)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, next)
	return nil
}

func (p *Pages) openSession(c *gin.Context, name string, password engine.Secret) error {
	cookie, session, err := p.Access.Login(c.Request.Context(), name, password)
	if err == nil {
		p.keepSession(c, cookie, session)
	}
	return err
}

// keepSession gives the browser its cookie for as long as the session may last.
func (p *Pages) keepSession(c *gin.Context, cookie engine.Secret, session *engine.Session) {
	p.setCookie(c, p.Cookie, cookie.Reveal(), int(session.ExpiresAt.Sub(p.Now()).Seconds()))
}

func (p *Pages) setCookie(c *gin.Context, name, value string, seconds int) {
	http.SetCookie(c.Writer, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: seconds, // #nosec G124 -- Secure wherever browsers come by HTTPS
		HttpOnly: true, Secure: p.Secure || c.Request.TLS != nil, SameSite: http.SameSiteLaxMode})
}

func (p *Pages) logout(c *gin.Context) error {
	ctx := c.Request.Context()
	if who := engine.PrincipalFrom(ctx); who.Session != "" { // a token that comes here stays
		if err := p.Access.Logout(ctx, who); err != nil {
			return err
		}
	}
	p.setCookie(c, p.Cookie, "", -1)
	c.Redirect(http.StatusSeeOther, "/login?out=1")
	return nil
}

// accountView is all that a person's own page shows.
type accountView struct {
	frame
	tokens   []*engine.Token
	sessions []*engine.Session
	made     engine.Secret // token that was just made, shown this once
	said     string        // what was done
	err      string
	button   string // to link single sign-on; empty for none
}

func (p *Pages) account(c *gin.Context) error {
	v := accountView{}
	switch c.Query("said") {
	case "password":
		v.said = "Your password is changed."
	case "linked":
		v.said = "You can sign in by single sign-on from now on."
	}
	return p.showAccount(c, http.StatusOK, v)
}

func (p *Pages) showAccount(c *gin.Context, status int, v accountView) error {
	var err error
	v.frame = p.frame(c, "Account")
	if p.SignOn != nil {
		v.button = p.SignOn.Name()
	}
	if v.sessions, err = p.Access.Sessions(c.Request.Context(), v.who.User, engine.Everything()); err != nil {
		return err
	}
	if v.tokens, err = p.Access.TokensOf(c.Request.Context(), v.who.User, engine.Everything()); err != nil {
		return err
	}
	p.render(c, status, accountPage(v))
	return nil
}

// refuseAccount shows the page with what is wrong with a form on it.
func (p *Pages) refuseAccount(c *gin.Context, err error) error {
	if !refused(err) && !errors.Is(err, engine.ErrUnauthorized) {
		return err
	}
	return p.showAccount(c, statusOf(err), accountView{err: err.Error()})
}

func (p *Pages) createToken(c *gin.Context) error {
	ctx := c.Request.Context()
	ask, err := tokenForm(c)
	if err != nil {
		return p.refuseAccount(c, err)
	}
	secret, _, err := p.Access.CreateToken(ctx, engine.PrincipalFrom(ctx), ask)
	if err != nil {
		return p.refuseAccount(c, err)
	}
	return p.showAccount(c, http.StatusOK, accountView{made: secret})
}

// tokenForm reads what a new token is to be good for.
func tokenForm(c *gin.Context) (engine.TokenRequest, error) {
	ask := engine.TokenRequest{Name: strings.TrimSpace(c.PostForm("name"))}
	for _, perm := range strings.FieldsFunc(c.PostForm("permissions"), func(r rune) bool { return r == ',' || r == ' ' }) {
		ask.Limit.Permissions = append(ask.Limit.Permissions, engine.Permission(perm))
	}
	if text := c.PostForm("days"); text != "" {
		days, err := strconv.Atoi(text)
		if err != nil || days < 1 || days > 3650 {
			return ask, engine.Invalid("a token is good for 1 to 3650 days")
		}
		ask.Life = time.Duration(days) * 24 * time.Hour
	}
	var err error
	ask.Limit.Scope, err = engine.ParseScope(strings.TrimSpace(c.PostForm("scope")))
	return ask, err
}

// goodFor says what a token is good for.
func goodFor(t *engine.Token) string {
	if t.Limit == nil {
		return "everything"
	}
	perms := make([]string, len(t.Limit.Permissions))
	for i, perm := range t.Limit.Permissions {
		perms[i] = string(perm)
	}
	return cmp.Or(strings.Join(perms, ", "), "everything") + " on " + t.Limit.Scope.String()
}

func (p *Pages) deleteToken(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := p.Access.DeleteToken(ctx, engine.PrincipalFrom(ctx), c.Param("id")); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/account")
	return nil
}

// endSession signs another browser out.
func (p *Pages) endSession(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := p.Access.EndSession(ctx, engine.PrincipalFrom(ctx), c.Param("id")); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/account")
	return nil
}

// changePassword takes the password that is to go, so that a browser left
// alone does not give the account away. The browser gets a new session.
func (p *Pages) changePassword(c *gin.Context) error {
	ctx := c.Request.Context()
	who, next := engine.PrincipalFrom(ctx), engine.Secret(c.PostForm("new"))
	if next != engine.Secret(c.PostForm("again")) {
		return p.refuseAccount(c, engine.Invalid("the new password was not repeated the same"))
	}
	change := engine.PasswordChange{Old: engine.Secret(c.PostForm("old")), New: next, EndTokens: c.PostForm("tokens") == "on"}
	if err := p.Access.ChangePassword(ctx, who.User, change); err != nil {
		return p.refuseAccount(c, err)
	}
	if err := p.openSession(c, who.User, next); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/account?said=password")
	return nil
}
