package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// breakLock, recoverState and restoreState are the forms by which a person
// mends a state. Each wants a reason, which stands in the audit log.
func (p *Pages) breakLock(c *gin.Context) error {
	return p.mend(c, func(ctx context.Context, who engine.Principal, reason string) error {
		return p.States.Break(ctx, who, c.Param("stack"), c.PostForm("component"), reason)
	})
}

func (p *Pages) recoverState(c *gin.Context) error {
	return p.mend(c, func(ctx context.Context, who engine.Principal, reason string) error {
		_, err := p.States.Recover(ctx, who, c.Param("stack"), c.PostForm("component"), reason, false)
		return err
	})
}

func (p *Pages) restoreState(c *gin.Context) error {
	return p.mend(c, func(ctx context.Context, who engine.Principal, reason string) error {
		v, err := p.Store.State(ctx, c.PostForm("version"))
		if err == nil && v.Stack != c.Param("stack") {
			err = engine.Missing(engine.ThingVersion, v.ID) // as of one that there is not
		}
		if err == nil {
			_, err = p.States.Restore(ctx, who, v.ID, reason)
		}
		return err
	})
}

func (p *Pages) mend(c *gin.Context, do func(context.Context, engine.Principal, string) error) error {
	ctx, reason := c.Request.Context(), strings.TrimSpace(c.PostForm("reason"))
	if reason == "" {
		return p.showStack(c, http.StatusUnprocessableEntity, "Say why; the audit log keeps it.")
	}
	err := do(ctx, engine.PrincipalFrom(ctx), reason)
	if refused(err) {
		return p.showStack(c, statusOf(err), err.Error())
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/stacks/"+c.Param("stack"))
	return nil
}

// lockView is a lock, with whether there is a state to recover behind it.
type lockView struct {
	*engine.StateLock
	recoverable bool
}

// readLocks reads who holds which state.
func (p *Pages) readLocks(ctx context.Context, name string, v *stackView) error {
	locks, err := p.Store.StateLocks(ctx, name, engine.Everything())
	if err != nil {
		return err
	}
	for _, l := range locks {
		_, err := p.States.Recover(ctx, v.who, name, l.Component, "", true)
		v.locks = append(v.locks, lockView{l, err == nil})
	}
	return nil
}

// newest reports whether a state version is the newest of its component among
// those shown.
func (v stackView) newest(version *engine.StateVersion) bool {
	return !slices.ContainsFunc(v.states, func(s *engine.StateVersion) bool {
		return s.Component == version.Component && s.Serial > version.Serial
	})
}
