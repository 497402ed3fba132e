package client

import (
	"context"
	"net/http"
	"time"
)

// PutPolicy writes an approval rule over stacks.
type PutPolicy struct {
	Rule string `json:"rule" doc:"HCL: an approval block, a freeze block or both, as in a stack block."`
}

// Policy is an approval rule over the stacks of a project, or over all there are.
type Policy struct {
	Project   string    `json:"project,omitempty" doc:"Absent for the rule over all stacks."`
	Rule      string    `json:"rule" doc:"As it was written."`
	Says      []string  `json:"says" doc:"What it asks for, in words."`
	UpdatedBy string    `json:"updated_by"`
	UpdatedAt time.Time `json:"updated_at"`
}

// BreakGlass asks to apply a plan in spite of a freeze, or confirms that.
type BreakGlass struct {
	Digest string `json:"digest" minLength:"1" doc:"Of the plan that is meant."`
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"Why; wanted of who asks first, and shown with the run for ever."`
}

// Glass is what two people break to apply a plan in a freeze.
type Glass struct {
	By          string     `json:"by"`
	Reason      string     `json:"reason"`
	Digest      string     `json:"digest"`
	At          time.Time  `json:"at"`
	With        string     `json:"with,omitempty" doc:"Who confirmed it."`
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty"`
}

// Decision is what a run's plan takes before it is applied.
type Decision struct {
	Run         string     `json:"run"`
	Status      string     `json:"status"`
	Digest      string     `json:"digest,omitempty"`
	Waits       string     `json:"waits,omitempty" doc:"What it waits for beside approvals."`
	Rules       []RuleFrom `json:"rules" doc:"In force together; in each part the strictest holds."`
	Classes     []string   `json:"classes" doc:"Of the changes that wait."`
	Needs       []Need     `json:"needs" doc:"Of the plan that waits; empty where none does."`
	Words       []Word     `json:"words" doc:"Approvals of the plan that waits."`
	FrozenUntil *time.Time `json:"frozen_until,omitempty"`
	Window      string     `json:"window,omitempty" doc:"That freezes it."`
	MayApprove  bool       `json:"may_approve" doc:"Whether your approval would count."`
	WhyNot      string     `json:"why_not,omitempty" doc:"As in: wrote revision 7."`
}

// RuleFrom is one of the rules that hold, in words.
type RuleFrom struct {
	From string   `json:"from"`
	Says []string `json:"says"`
}

// Need is one thing that a plan has to have before it is applied.
type Need struct {
	Class        string   `json:"class,omitempty" doc:"Of the changes that it is for; absent for every plan."`
	Approvals    int      `json:"approvals"`
	Has          int      `json:"has"`
	Roles        []string `json:"roles" doc:"Whose approval counts; empty for all who may approve."`
	Confirmation bool     `json:"confirmation" doc:"A mere confirmation, which may come from who started the run."`
	Text         string   `json:"text"`
}

// Word is an approval of the plan that waits.
type Word struct {
	Approval
	Counts bool   `json:"counts"`
	Why    string `json:"why,omitempty" doc:"It counts no longer."`
}

func policyPath(project string) string {
	if project == "" {
		return path("rule")
	}
	return path("projects", project, "rule")
}

// Policy reads the approval rule of a project, or that over all stacks for "".
func (c *Client) Policy(ctx context.Context, project string) (Policy, error) {
	return get[Policy](ctx, c, policyPath(project), nil)
}

// PutPolicy writes it.
func (c *Client) PutPolicy(ctx context.Context, project, rule string) (p Policy, err error) {
	return p, c.call(ctx, http.MethodPut, policyPath(project), nil, PutPolicy{Rule: rule}, &p)
}

// DeletePolicy removes it.
func (c *Client) DeletePolicy(ctx context.Context, project string) error {
	return c.call(ctx, http.MethodDelete, policyPath(project), nil, nil, nil)
}

// Decision reads which approvals a run takes, has and lacks.
func (c *Client) Decision(ctx context.Context, run string) (Decision, error) {
	return get[Decision](ctx, c, path("runs", run, "decision"), nil)
}

// ApplyRun lets an approved plan be applied.
func (c *Client) ApplyRun(ctx context.Context, id, digest, comment string) (Run, error) {
	return post[Run](ctx, c, path("runs", id, "apply"), Decide{Digest: digest, Comment: comment})
}

// BreakGlass asks to apply a plan in spite of a freeze, or confirms that.
func (c *Client) BreakGlass(ctx context.Context, id, digest, reason string) (Run, error) {
	return post[Run](ctx, c, path("runs", id, "break-glass"), BreakGlass{Digest: digest, Reason: reason})
}
