package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
)

// Stacks lists stacks by name.
func (c *Client) Stacks(ctx context.Context, p Page) (List[Stack], error) {
	return get[List[Stack]](ctx, c, path("stacks"), p.values())
}

// CreateStack makes a stack without a revision.
func (c *Client) CreateStack(ctx context.Context, s CreateStack) (Stack, error) {
	return post[Stack](ctx, c, path("stacks"), s)
}

// Stack reads one stack.
func (c *Client) Stack(ctx context.Context, name string) (Stack, error) {
	return get[Stack](ctx, c, path("stacks", name), nil)
}

// DeleteStack removes a stack of which nothing is left.
func (c *Client) DeleteStack(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, path("stacks", name), nil, nil, nil)
}

// HoldStack puts a stack under a legal hold.
func (c *Client) HoldStack(ctx context.Context, name, reason string) error {
	return c.call(ctx, http.MethodPut, path("stacks", name, "hold"), url.Values{"reason": {reason}}, nil, nil)
}

// ReleaseStack ends a stack's legal hold.
func (c *Client) ReleaseStack(ctx context.Context, name, reason string) error {
	return c.call(ctx, http.MethodDelete, path("stacks", name, "hold"), url.Values{"reason": {reason}}, nil, nil)
}

// StackOutputs reads a stack's outputs; sensitive values only with reveal.
func (c *Client) StackOutputs(ctx context.Context, name string, reveal bool) (map[string]Output, error) {
	q := url.Values{}
	if reveal {
		q.Set("reveal", "true")
	}
	return get[map[string]Output](ctx, c, path("stacks", name, "outputs"), q)
}

// SubmitBundle stores a tar.gz as the stack's next revision. With upgrade, the
// versions of modules from registries are chosen anew.
func (c *Client) SubmitBundle(ctx context.Context, stack string, bundle []byte, vars map[string]json.RawMessage, message string, upgrade bool) (Revision, error) {
	var rev Revision
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	values, err := json.Marshal(vars)
	if err != nil {
		return rev, err
	}
	for name, content := range map[string][]byte{"variables": values, "message": []byte(message)} {
		if err := w.WriteField(name, string(content)); err != nil {
			return rev, err
		}
	}
	part, err := w.CreateFormFile("bundle", "bundle.tar.gz")
	if err != nil {
		return rev, err
	}
	if _, err := part.Write(bundle); err != nil {
		return rev, err
	}
	if err := w.Close(); err != nil {
		return rev, err
	}
	return rev, c.send(ctx, request{method: http.MethodPost, path: path("stacks", stack, "revisions"), query: url.Values{"upgrade": {strconv.FormatBool(upgrade)}}, body: body.Bytes(), kind: w.FormDataContentType()}, &rev)
}

// Revisions lists a stack's revisions, newest first.
func (c *Client) Revisions(ctx context.Context, stack string, p Page) (List[Revision], error) {
	return get[List[Revision]](ctx, c, path("stacks", stack, "revisions"), p.values())
}

// StartRun starts a run.
func (c *Client) StartRun(ctx context.Context, stack string, s StartRun) (Run, error) {
	return post[Run](ctx, c, path("stacks", stack, "runs"), s)
}

// RunFilter narrows a list of runs.
type RunFilter struct{ Stack, Status, Kind string }

// Runs lists runs, newest first.
func (c *Client) Runs(ctx context.Context, f RunFilter, p Page) (List[Run], error) {
	q := p.values()
	for name, value := range map[string]string{"stack": f.Stack, "status": f.Status, "kind": f.Kind} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return get[List[Run]](ctx, c, path("runs"), q)
}

// Run reads one run.
func (c *Client) Run(ctx context.Context, id string) (Run, error) {
	return get[Run](ctx, c, path("runs", id), nil)
}

// Approve lets the joint plan with the digest be applied.
func (c *Client) Approve(ctx context.Context, id, digest, comment string) (Run, error) {
	return post[Run](ctx, c, path("runs", id, "approve"), Decide{Digest: digest, Comment: comment})
}

// Discard turns a plan down.
func (c *Client) Discard(ctx context.Context, id, comment string) (Run, error) {
	return post[Run](ctx, c, path("runs", id, "discard"), Decide{Comment: comment})
}

// Scale changes a variable with a scale block and starts a run of that.
func (c *Client) Scale(ctx context.Context, stack string, s Scale) (Run, error) {
	return post[Run](ctx, c, path("stacks", stack, "scale"), s)
}

// Retry starts a run of what another one did not finish.
func (c *Client) Retry(ctx context.Context, id, message string) (Run, error) {
	return post[Run](ctx, c, path("runs", id, "retry"), Retry{Message: message})
}

// Cancel stops a run; asked twice, it kills what runs.
func (c *Client) Cancel(ctx context.Context, id string) (Run, error) {
	return post[Run](ctx, c, path("runs", id, "cancel"), struct{}{})
}

// RunPlan reads a run's joint plan.
func (c *Client) RunPlan(ctx context.Context, id string) (RunPlan, error) {
	return get[RunPlan](ctx, c, path("runs", id, "plan"), nil)
}

// RunPlanText reads a run's joint plan as people read it.
func (c *Client) RunPlanText(ctx context.Context, id string) (string, error) {
	b, err := c.bytes(ctx, request{method: http.MethodGet, path: path("runs", id, "plan"), query: url.Values{"format": {"text"}}})
	return string(b), err
}

// Progress reads how far the apply of a step came.
func (c *Client) Progress(ctx context.Context, step string) (Progress, error) {
	return get[Progress](ctx, c, path("steps", step, "progress"), nil)
}

// Log copies a step's whole log.
func (c *Client) Log(ctx context.Context, step string, to io.Writer) error {
	res, err := c.open(ctx, request{method: http.MethodGet, path: path("steps", step, "log")})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(to, res.Body)
	return err
}

// States lists the newest state of each component.
func (c *Client) States(ctx context.Context, stack string) ([]StateVersion, error) {
	return items[StateVersion](ctx, c, path("stacks", stack, "states"), nil)
}

// StateVersions lists the versions of a component's state, newest first.
func (c *Client) StateVersions(ctx context.Context, stack, component string, p Page) (List[StateVersion], error) {
	return get[List[StateVersion]](ctx, c, path("stacks", stack, "states", component, "versions"), p.values())
}

// DownloadState reads a state version, secrets included.
func (c *Client) DownloadState(ctx context.Context, id string) ([]byte, error) {
	return c.bytes(ctx, request{method: http.MethodGet, path: path("state-versions", id)})
}

// Locks lists the locks on a stack's states.
func (c *Client) Locks(ctx context.Context, stack string) ([]Lock, error) {
	return items[Lock](ctx, c, path("stacks", stack, "locks"), nil)
}

// RestoreState makes a state version the newest once more.
func (c *Client) RestoreState(ctx context.Context, version, reason string) (v StateVersion, err error) {
	return v, c.call(ctx, http.MethodPost, path("state-versions", version, "restore"), nil, Reason{reason}, &v)
}

// RecoverState makes a state that a run could not write the newest. With dryRun it
// only says what would be recovered.
func (c *Client) RecoverState(ctx context.Context, stack, component, reason string, dryRun bool) (v StateVersion, err error) {
	q := url.Values{"dry_run": {strconv.FormatBool(dryRun)}}
	return v, c.call(ctx, http.MethodPost, path("stacks", stack, "states", component, "recover"), q, Reason{reason}, &v)
}

// EditState moves resources between addresses of states, or forgets them.
func (c *Client) EditState(ctx context.Context, stack, component string, e EditState, dryRun bool) (done EditedState, err error) {
	q := url.Values{"dry_run": {strconv.FormatBool(dryRun)}}
	return done, c.call(ctx, http.MethodPost, path("stacks", stack, "states", component, "edit"), q, e, &done)
}

// Hosts lists the machines that a stack's playbooks were run on, with retired
// those that are gone, too.
func (c *Client) Hosts(ctx context.Context, stack string, retired bool) ([]Host, error) {
	return items[Host](ctx, c, path("stacks", stack, "hosts"), url.Values{"retired": {strconv.FormatBool(retired)}})
}

// ForgetHostKey drops the SSH keys that a host is known by.
func (c *Client) ForgetHostKey(ctx context.Context, stack, host, reason string) error {
	return c.call(ctx, http.MethodPost, path("stacks", stack, "hosts", host, "forget-key"), nil, Reason{reason}, nil)
}

// BreakLock frees a state that somebody else has locked.
func (c *Client) BreakLock(ctx context.Context, stack, component, reason string) error {
	return c.call(ctx, http.MethodDelete, path("stacks", stack, "locks", component), url.Values{"reason": {reason}}, nil, nil)
}

// Findings lists drift, newest first.
func (c *Client) Findings(ctx context.Context, stack string, openOnly bool, p Page) (List[Finding], error) {
	q := p.values()
	q.Set("open", strconv.FormatBool(openOnly))
	return get[List[Finding]](ctx, c, path("stacks", stack, "findings"), q)
}

// Schedules lists a stack's schedules.
func (c *Client) Schedules(ctx context.Context, stack string) ([]Schedule, error) {
	return items[Schedule](ctx, c, path("stacks", stack, "schedules"), nil)
}

// CreateSchedule makes a schedule.
func (c *Client) CreateSchedule(ctx context.Context, stack string, s CreateSchedule) (Schedule, error) {
	return post[Schedule](ctx, c, path("stacks", stack, "schedules"), s)
}

// PauseSchedule stops a schedule from firing, or lets it go on.
func (c *Client) PauseSchedule(ctx context.Context, id string, paused bool) (Schedule, error) {
	var s Schedule
	return s, c.call(ctx, http.MethodPatch, path("schedules", id), nil, PauseSchedule{Paused: paused}, &s)
}

// DeleteSchedule removes a schedule.
func (c *Client) DeleteSchedule(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, path("schedules", id), nil, nil, nil)
}
