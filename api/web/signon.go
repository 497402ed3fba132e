package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// SignOn signs people in somewhere else.
type SignOn interface {
	// Name is what the button says.
	Name() string
	// Begin gives the address to send a browser to, and what it keeps until it
	// comes back. User is who links the sign-on, empty where somebody signs in.
	Begin(ctx context.Context, next, user string) (to, kept string, err error)
	// Finish turns the answer that a browser brings into who has signed in
	// there, and gives what Begin was told.
	Finish(ctx context.Context, kept string, answer url.Values) (engine.SignOnIdentity, engine.SignOnFlow, error)
	// SignOutURL is where a browser signs out there; empty for nowhere.
	SignOutURL(ctx context.Context, back string) string
}

// flowLife is how long a browser keeps a sign-on under way, in seconds.
const flowLife = 600

// flowCookie holds a sign-on under way.
func (p *Pages) flowCookie() string { return p.Cookie + "_flow" }

// beginSignOn sends the browser away to sign in.
func (p *Pages) beginSignOn(c *gin.Context) error {
	next := safeNext(c.Query("next"))
	to, err := p.sendAway(c, next, "")
	if errors.Is(err, engine.ErrConflict) { // it is away
		return p.refuseLogin(c, next, err)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, to)
	return nil
}

// linkSignOn does so for somebody who is signed in, to be known by it from then
// on. It answers with a link, for pages may send no form to another site.
func (p *Pages) linkSignOn(c *gin.Context) error {
	to, err := p.sendAway(c, "/account?said=linked", engine.PrincipalFrom(c.Request.Context()).User)
	if err != nil {
		return p.refuseAccount(c, err)
	}
	p.render(c, http.StatusOK, linkPage(p.frame(c, "Single sign-on"), p.SignOn.Name(), to))
	return nil
}

func (p *Pages) sendAway(c *gin.Context, next, user string) (string, error) {
	if p.SignOn == nil {
		return "", engine.NotFound("there is no single sign-on here")
	}
	to, kept, err := p.SignOn.Begin(c.Request.Context(), next, user)
	if err == nil {
		p.setCookie(c, p.flowCookie(), kept, flowLife)
	}
	return to, err
}

// finishSignOn takes the browser back.
func (p *Pages) finishSignOn(c *gin.Context) error {
	if p.SignOn == nil {
		return engine.NotFound("there is no single sign-on here")
	}
	kept, err := c.Cookie(p.flowCookie())
	if err != nil {
		kept = "" // which is refused
	}
	p.setCookie(c, p.flowCookie(), "", -1)
	id, flow, err := p.SignOn.Finish(c.Request.Context(), kept, c.Request.URL.Query())
	if err == nil && flow.User != "" {
		err = p.link(c, id, flow)
	} else if err == nil {
		err = p.signOn(c, id)
	}
	if engine.Refused(err) {
		return p.refuseLogin(c, safeNext(flow.Next), err)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, safeNext(flow.Next))
	return nil
}

func (p *Pages) signOn(c *gin.Context, id engine.SignOnIdentity) error {
	cookie, session, err := p.Access.SignIn(c.Request.Context(), id)
	if err == nil {
		p.keepSession(c, cookie, session)
	}
	return err
}

// link takes a sign-on for who began it, if it is still the same person.
func (p *Pages) link(c *gin.Context, id engine.SignOnIdentity, flow engine.SignOnFlow) error {
	who := p.visitor(c)
	if who.User != flow.User {
		return engine.Forbidden("you are not signed in as %s any more", flow.User)
	}
	return p.Access.Link(c.Request.Context(), who, id)
}

// refuseLogin shows the page to sign in with what went wrong.
func (p *Pages) refuseLogin(c *gin.Context, next string, err error) error {
	p.render(c, statusOf(err), loginPage(p.loginView(c, next, err.Error())))
	return nil
}
