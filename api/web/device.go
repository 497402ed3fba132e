package web

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// deviceView is the page on which a command line is let in.
type deviceView struct {
	frame
	device *engine.DeviceLogin // nil where a code is asked for
	said   string
	err    string
}

func (p *Pages) device(c *gin.Context) error {
	v := deviceView{frame: p.frame(c, "Let a command line in"), said: deviceSaid[c.Query("said")]}
	if code := c.Query("code"); code != "" {
		var err error
		v.device, err = p.Access.Device(c.Request.Context(), code)
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
		if err != nil {
			v.err = err.Error()
		}
	}
	p.render(c, http.StatusOK, devicePage(v))
	return nil
}

// deviceSaid is what the page says after an answer.
var deviceSaid = map[string]string{
	"granted": "The command line is signed in. You can close this page.",
	"denied":  "The command line was refused.",
}

func (p *Pages) answerDevice(c *gin.Context) error {
	ctx, granted := c.Request.Context(), c.PostForm("answer") == "grant"
	err := p.Access.AnswerDevice(ctx, engine.PrincipalFrom(ctx), c.PostForm("code"), granted)
	if errors.Is(err, engine.ErrNotFound) {
		p.render(c, http.StatusNotFound, devicePage(deviceView{frame: p.frame(c, "Let a command line in"), err: err.Error()}))
		return nil
	}
	if err != nil {
		return err
	}
	said := "denied"
	if granted {
		said = "granted"
	}
	c.Redirect(http.StatusSeeOther, "/device?said="+said)
	return nil
}
