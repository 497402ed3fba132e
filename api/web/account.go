package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

func (p *Pages) showLogin(c *gin.Context) error {
	p.render(c, http.StatusOK, loginPage(p.frame(c, "Sign in"), safeNext(c.Query("next")), ""))
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
		p.render(c, http.StatusUnauthorized, loginPage(p.frame(c, "Sign in"), next, err.Error()))
		return nil
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, next)
	return nil
}

func (p *Pages) openSession(c *gin.Context, name string, password engine.Secret) error {
	cookie, _, err := p.Access.Login(c.Request.Context(), name, password)
	if err == nil {
		p.setCookie(c, cookie.Reveal(), int(engine.SessionLife.Seconds()))
	}
	return err
}

func (p *Pages) setCookie(c *gin.Context, value string, seconds int) {
	http.SetCookie(c.Writer, &http.Cookie{Name: p.Cookie, Value: value, Path: "/", MaxAge: seconds, // #nosec G124 -- Secure wherever browsers come by HTTPS
		HttpOnly: true, Secure: p.Secure || c.Request.TLS != nil, SameSite: http.SameSiteLaxMode})
}

func (p *Pages) logout(c *gin.Context) error {
	if err := p.endSession(c); err != nil {
		return err
	}
	p.setCookie(c, "", -1)
	c.Redirect(http.StatusSeeOther, "/login")
	return nil
}

func (p *Pages) endSession(c *gin.Context) error {
	cookie, err := c.Cookie(p.Cookie)
	if err != nil {
		return nil // came with a token
	}
	return p.Access.Logout(c.Request.Context(), engine.Secret(cookie))
}

// accountView is all that a person's own page shows.
type accountView struct {
	frame
	tokens []*engine.Token
	made   engine.Secret // token that was just made, shown this once
	said   string        // what was done
	err    string
}

func (p *Pages) account(c *gin.Context) error {
	v := accountView{}
	if c.Query("said") == "password" {
		v.said = "Your password is changed."
	}
	return p.showAccount(c, http.StatusOK, v)
}

func (p *Pages) showAccount(c *gin.Context, status int, v accountView) error {
	var err error
	v.frame = p.frame(c, "Account")
	if v.tokens, err = p.Store.Tokens(c.Request.Context(), v.who.User, engine.Everything()); err != nil {
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

// tokenLife is how long a token made on the page is good for.
const tokenLife = 90 * 24 * time.Hour

func (p *Pages) createToken(c *gin.Context) error {
	ctx := c.Request.Context()
	secret, _, err := p.Access.CreateToken(ctx, engine.PrincipalFrom(ctx), strings.TrimSpace(c.PostForm("name")), tokenLife)
	if err != nil {
		return p.refuseAccount(c, err)
	}
	return p.showAccount(c, http.StatusOK, accountView{made: secret})
}

func (p *Pages) deleteToken(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := p.Access.DeleteToken(ctx, engine.PrincipalFrom(ctx), c.Param("id")); err != nil {
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
	cookie, session, err := p.Access.Login(ctx, who.User, engine.Secret(c.PostForm("old")))
	if err != nil {
		return p.refuseAccount(c, err)
	}
	if _, err := p.Access.UpdateUser(ctx, who, who.User, engine.UserChange{Password: &next}); err != nil {
		if err := p.Access.Logout(ctx, cookie); err != nil {
			return err
		}
		return p.refuseAccount(c, err)
	}
	if err := p.endSession(c); err != nil {
		return err
	}
	p.setCookie(c, cookie.Reveal(), int(session.ExpiresAt.Sub(p.Now()).Seconds()))
	c.Redirect(http.StatusSeeOther, "/account?said=password")
	return nil
}
