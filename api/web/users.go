package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// usersView is the page of all users.
type usersView struct {
	frame
	users     []*engine.User
	directory *engine.Directory
	err       string
}

// state says in a word whether somebody can sign in.
func (f frame) state(u *engine.User) string {
	switch {
	case u.Disabled:
		return "disabled"
	case u.Locked(f.now):
		return "locked"
	case u.MustChange:
		return "new"
	}
	return "active"
}

func (p *Pages) users(c *gin.Context) error { return p.showUsers(c, http.StatusOK, "") }

func (p *Pages) showUsers(c *gin.Context, status int, problem string) error {
	ctx := c.Request.Context()
	v := usersView{frame: p.frame(c, "Users"), err: problem}
	if p.closed(c, v.frame, engine.MayReadAccess, status, problem) {
		return nil
	}
	var err error
	if v.users, err = p.Store.Users(ctx, engine.Everything()); err != nil {
		return err
	}
	if v.directory, err = p.Access.Directory(ctx); err != nil {
		return err
	}
	p.render(c, status, usersPage(v))
	return nil
}

// createUser makes a person, whose first password has to be changed, or a
// service account.
func (p *Pages) createUser(c *gin.Context) error {
	ctx := c.Request.Context()
	n := engine.NewUser{Name: strings.TrimSpace(c.PostForm("name")), Kind: engine.UserKind(c.PostForm("kind")), Password: engine.Secret(c.PostForm("password")), MustChange: true}
	if role := c.PostForm("role"); role != "" {
		n.Roles = []engine.Role{engine.Role(role)}
	}
	err := p.Access.AddUser(ctx, engine.PrincipalFrom(ctx), n)
	if engine.Refused(err) {
		return p.showUsers(c, statusOf(err), err.Error())
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/users/"+url.PathEscape(n.Name))
	return nil
}

// userView is the page of one user.
type userView struct {
	frame
	user     *engine.User
	roles    []engine.Role
	tokens   []*engine.Token
	sessions []*engine.Session
	made     engine.Secret // token that was just made, shown this once
	err      string
}

func (p *Pages) user(c *gin.Context) error { return p.showUser(c, http.StatusOK, userView{}) }

func (p *Pages) showUser(c *gin.Context, status int, v userView) error {
	ctx, name := c.Request.Context(), c.Param("user")
	v.frame = p.frame(c, name)
	if p.closed(c, v.frame, engine.MayReadAccess, status, v.err) {
		return nil
	}
	var err error
	if v.user, err = p.Store.User(ctx, name); err != nil {
		return err
	}
	d, err := p.Access.Directory(ctx)
	if err != nil {
		return err
	}
	v.roles = d.RolesOf(name)
	if v.may(engine.MayReadAccess) || v.may(engine.MayManageUsers) {
		if v.tokens, err = p.Access.TokensOf(ctx, name, engine.Everything()); err != nil {
			return err
		}
		if v.sessions, err = p.Access.Sessions(ctx, name, engine.Everything()); err != nil {
			return err
		}
	}
	p.render(c, status, userPage(v))
	return nil
}

// back answers a form of the user's page: with the page, or what is wrong.
func (p *Pages) back(c *gin.Context, err error) error {
	if engine.Refused(err) {
		return p.showUser(c, statusOf(err), userView{err: err.Error()})
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/users/"+url.PathEscape(c.Param("user")))
	return nil
}

// changeUser does what a button of the user's page says.
func (p *Pages) changeUser(c *gin.Context) error {
	var ch engine.UserChange
	switch c.PostForm("do") {
	case "disable":
		ch.Disabled = new(true)
	case "enable":
		ch.Disabled = new(false)
	case "unlock":
		ch.Unlock = true
	case "password":
		ch.Password = new(engine.Secret(c.PostForm("password")))
	case "owner":
		ch.Owner = new(strings.TrimSpace(c.PostForm("owner")))
	default:
		return engine.Invalid("this page knows no such change; load it again")
	}
	ctx := c.Request.Context()
	_, err := p.Access.UpdateUser(ctx, engine.PrincipalFrom(ctx), c.Param("user"), ch)
	return p.back(c, err)
}

func (p *Pages) endUserSessions(c *gin.Context) error {
	ctx := c.Request.Context()
	return p.back(c, p.Access.EndSessions(ctx, engine.PrincipalFrom(ctx), c.Param("user")))
}

// createUserToken makes a token for a service account.
func (p *Pages) createUserToken(c *gin.Context) error {
	ctx := c.Request.Context()
	secret, _, err := p.Access.CreateToken(ctx, engine.PrincipalFrom(ctx), engine.TokenRequest{User: c.Param("user"), Name: strings.TrimSpace(c.PostForm("name"))})
	if err != nil {
		return p.back(c, err)
	}
	return p.showUser(c, http.StatusOK, userView{made: secret})
}

func (p *Pages) deleteUserToken(c *gin.Context) error {
	ctx := c.Request.Context()
	return p.back(c, p.Access.DeleteToken(ctx, engine.PrincipalFrom(ctx), c.Param("id")))
}
