package web

import (
	"context"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// hindrance says why who looks cannot approve the plan, "" where they can.
func (v runView) hindrance() string {
	switch {
	case v.answer.WhyNot == "":
		return ""
	case !v.may(engine.MayApprove):
		return "The plan waits for somebody who may approve it; that takes the role approver."
	}
	return "You can't approve this plan because you " + v.answer.WhyNot + "."
}

func roleNames(roles []engine.Role) string {
	if len(roles) == 0 {
		return "none"
	}
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}

// yes is where the form goes by which who looks says yes to the plan.
func (v runView) yes() string {
	if v.may(engine.MayApprove) {
		return "/runs/" + v.run.ID + "/approve"
	}
	return "/runs/" + v.run.ID + "/apply"
}

// met reports whether the plan has all approvals that it takes.
func (v runView) met() bool {
	return v.run.Status == engine.RunPlanned && !slices.ContainsFunc(v.answer.Needs, func(m engine.Met) bool { return m.Has < m.Approvals })
}

// mayRelease reports whether the page offers to apply an approved plan.
func (v runView) mayRelease() bool {
	return v.met() && v.answer.Window == "" && v.may(engine.MayApply)
}

// mayBreak reports whether the page offers to go past a freeze.
func (v runView) mayBreak() bool {
	return v.answer.Window != "" && (v.may(engine.MayApprove) || v.may(engine.MayApply))
}

// asked reports whether somebody has asked to go past the freeze with this plan.
func (v runView) asked() bool { return v.run.GlassAsked(v.now) }

// doubt says why an approval of the plan that waits counts no longer.
func (v runView) doubt(a engine.Approval) string {
	for _, w := range v.answer.Words {
		if w.By == a.By && w.Digest == a.Digest && w.Why != "" {
			return "counts no longer: " + w.By + " " + w.Why
		}
	}
	return ""
}

func (p *Pages) approve(c *gin.Context) error {
	return p.decide(c, func(ctx context.Context, who engine.Principal) error {
		_, err := p.Runs.Approve(ctx, who, c.Param("run"), c.PostForm("digest"), strings.TrimSpace(c.PostForm("comment")))
		return err
	})
}

func (p *Pages) apply(c *gin.Context) error {
	return p.decide(c, func(ctx context.Context, who engine.Principal) error {
		_, err := p.Runs.Apply(ctx, who, c.Param("run"), c.PostForm("digest"), strings.TrimSpace(c.PostForm("comment")))
		return err
	})
}

func (p *Pages) breakGlass(c *gin.Context) error {
	return p.decide(c, func(ctx context.Context, who engine.Principal) error {
		_, err := p.Runs.BreakGlass(ctx, who, c.Param("run"), c.PostForm("digest"), strings.TrimSpace(c.PostForm("reason")))
		return err
	})
}

func (p *Pages) discard(c *gin.Context) error {
	return p.decide(c, func(ctx context.Context, who engine.Principal) error {
		_, err := p.Runs.Discard(ctx, who, c.Param("run"), strings.TrimSpace(c.PostForm("comment")))
		return err
	})
}
