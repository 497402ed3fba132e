package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// webhooksView is all that the page of webhooks shows.
type webhooksView struct {
	frame
	hooks []*engine.Webhook
	sent  map[string][]*engine.Delivery // the newest of each
	made  engine.Secret                 // of the one that was just made or has a new one, shown this once
	said  string                        // what was done
	err   string
}

// lastSent is how many messages of each webhook the page shows.
const lastSent = 5

func (p *Pages) webhooks(c *gin.Context) error {
	return p.showWebhooks(c, http.StatusOK, webhooksView{})
}

func (p *Pages) showWebhooks(c *gin.Context, status int, v webhooksView) error {
	ctx := c.Request.Context()
	v.frame, v.sent = p.frame(c, "Webhooks"), map[string][]*engine.Delivery{}
	var err error
	if v.hooks, err = p.Webhooks.List(ctx, engine.PrincipalFrom(ctx)); err != nil {
		return err
	}
	for _, w := range v.hooks {
		if v.sent[w.ID], err = p.Store.Deliveries(ctx, w.ID, engine.Page{Limit: lastSent}); err != nil {
			return err
		}
	}
	p.render(c, status, webhooksPage(v))
	return nil
}

func (p *Pages) createWebhook(c *gin.Context) error {
	return p.changeWebhooks(c, func(ctx context.Context, who engine.Principal, v *webhooksView) (err error) {
		v.made, err = p.Webhooks.Add(ctx, who, &engine.Webhook{
			Name: strings.TrimSpace(c.PostForm("name")), URL: strings.TrimSpace(c.PostForm("url")),
			Project: strings.TrimSpace(c.PostForm("project")), Stack: strings.TrimSpace(c.PostForm("stack")),
			Events: strings.FieldsFunc(c.PostForm("events"), func(r rune) bool { return r == ',' || r == ' ' }),
		})
		return err
	})
}

func (p *Pages) testWebhook(c *gin.Context) error {
	return p.changeWebhooks(c, func(ctx context.Context, who engine.Principal, v *webhooksView) error {
		d, err := p.Webhooks.Test(ctx, who, c.Param("webhook"))
		if err == nil {
			v.said = "The test was " + fate(d) + "."
		}
		return err
	})
}

func (p *Pages) switchWebhook(c *gin.Context) error {
	return p.changeWebhooks(c, func(ctx context.Context, who engine.Principal, _ *webhooksView) error {
		off := c.PostForm("off") != ""
		_, err := p.Webhooks.Update(ctx, who, c.Param("webhook"), engine.WebhookChange{Disabled: &off})
		return err
	})
}

func (p *Pages) rotateWebhook(c *gin.Context) error {
	return p.changeWebhooks(c, func(ctx context.Context, who engine.Principal, v *webhooksView) (err error) {
		v.made, err = p.Webhooks.Rotate(ctx, who, c.Param("webhook"))
		return err
	})
}

func (p *Pages) deleteWebhook(c *gin.Context) error {
	return p.changeWebhooks(c, func(ctx context.Context, who engine.Principal, _ *webhooksView) error {
		return p.Webhooks.Delete(ctx, who, c.Param("webhook"))
	})
}

// changeWebhooks does what a form asks for and shows the page, with what came of it.
func (p *Pages) changeWebhooks(c *gin.Context, change func(context.Context, engine.Principal, *webhooksView) error) error {
	ctx, v := c.Request.Context(), webhooksView{}
	err := change(ctx, engine.PrincipalFrom(ctx), &v)
	if refused(err) {
		return p.showWebhooks(c, statusOf(err), webhooksView{err: err.Error()})
	}
	if err != nil {
		return err
	}
	return p.showWebhooks(c, http.StatusOK, v)
}

// fate says what became of a message.
func fate(d *engine.Delivery) string {
	switch {
	case d.Error != "" && d.DoneAt.IsZero():
		return fmt.Sprintf("not taken at attempt %d: %s", d.Attempts, d.Error)
	case d.Error != "":
		return "given up: " + d.Error
	case d.DoneAt.IsZero():
		return "not sent yet"
	}
	return fmt.Sprintf("taken with %d", d.Status)
}

// tellsOf says what a webhook tells of.
func tellsOf(w *engine.Webhook) string {
	if w.Scope() == (engine.Scope{}) {
		return "all stacks"
	}
	return w.Scope().String()
}
