package api

import (
	"context"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func (s *server) decisionRoutes() {
	handle(s, operation{method: "GET", path: "/v1/runs/{run}/decision", id: "get-run-decision", summary: "Read which approvals a run takes, has and lacks, and whether you may give one", tag: "runs", permission: engine.MayRead},
		func(ctx context.Context, in *RunPath) (*body[client.Decision], error) {
			d, err := s.Runs.Decision(ctx, me(ctx), in.Run)
			if err != nil {
				return nil, err
			}
			return answer(decisionJSON(d), nil)
		})
	handle(s, operation{method: "POST", path: "/v1/runs/{run}/apply", id: "apply-run", summary: "Let the approved joint plan with the digest be applied", tag: "runs", permission: engine.MayApply},
		func(ctx context.Context, in *decision) (*body[client.Run], error) {
			if in.Body.Digest == "" {
				return nil, engine.Invalid("an apply names the digest of the plan that it is of")
			}
			return showRun(s.Runs.Apply(ctx, me(ctx), in.Run, in.Body.Digest, in.Body.Comment))
		})
	// Who approves and who applies may both have a part in it: the run decides.
	handle(s, operation{method: "POST", path: "/v1/runs/{run}/break-glass", id: "break-glass", summary: "Ask to apply a plan in spite of a freeze or, as the second person, confirm that", tag: "runs", permission: engine.MayRead},
		func(ctx context.Context, in *struct {
			RunPath
			Body client.BreakGlass
		}) (*body[client.Run], error) {
			return showRun(s.Runs.BreakGlass(ctx, me(ctx), in.Run, in.Body.Digest, in.Body.Reason))
		})
}

func decisionJSON(d *engine.Decision) client.Decision {
	shown := client.Decision{
		Run: d.Run.ID, Status: string(d.Run.Status), Digest: d.Run.Digest, Waits: d.Run.Reason,
		Classes: []string{}, Window: d.Window, FrozenUntil: when(d.Until), MayApprove: d.Run.Status == engine.RunPlanned && d.WhyNot == "", WhyNot: d.WhyNot,
		Needs: each(d.Needs, needJSON), Words: each(d.Words, wordJSON),
		Rules: each(d.Rules, func(r engine.RuleFrom) client.RuleFrom { return client.RuleFrom{From: r.From, Says: r.Says} }),
	}
	for _, c := range d.Classes {
		shown.Classes = append(shown.Classes, string(c))
	}
	return shown
}

func needJSON(n engine.Met) client.Need {
	return client.Need{Class: string(n.Class), Approvals: n.Approvals, Has: n.Has, Roles: each(n.Roles, func(r engine.Role) string { return string(r) }),
		Confirmation: n.Open, Text: n.String()}
}

func wordJSON(w engine.Word) client.Word {
	return client.Word{Approval: approvalJSON(w.Approval), Counts: w.Why == "", Why: w.Why}
}

func glassJSON(g engine.Glass) *client.Glass {
	if g.By == "" {
		return nil
	}
	return &client.Glass{By: g.By, Reason: g.Reason, Digest: g.Digest, At: g.At, With: g.With, ConfirmedAt: when(g.ConfirmedAt)}
}
