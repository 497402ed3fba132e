package api

import (
	"slices"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// when is a time that may be missing.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// each turns what the engine has into what the API shows.
func each[T, U any](list []T, show func(T) U) []U {
	out := make([]U, len(list))
	for i, v := range list {
		out[i] = show(v)
	}
	return out
}

// paged cuts a list that was read with one item too many, and gives the cursor.
func paged[T, U any](list []T, p PageQuery, show func(T) U, cursor func(T) string) *body[client.List[U]] {
	next := ""
	if len(list) > p.Limit {
		list = list[:p.Limit]
		next = cursor(list[p.Limit-1])
	}
	return &body[client.List[U]]{client.List[U]{Items: each(list, show), NextCursor: next}}
}

// part is the page of a list that was read as a whole, with one more than is shown.
func part[T any](all []T, p PageQuery, id func(T) string) []T {
	if i := slices.IndexFunc(all, func(v T) bool { return p.Cursor != "" && id(v) == p.Cursor }); i >= 0 {
		all = all[i+1:]
	}
	return all[:min(len(all), p.Limit+1)]
}

// listed is what paged gives of a list that may not have been read.
func listed[T, U any](list []T, err error, p PageQuery, show func(T) U, cursor func(T) string) (*body[client.List[U]], error) {
	if err != nil {
		return nil, err
	}
	return paged(list, p, show, cursor), nil
}

func stackJSON(s *engine.Stack, findings int) client.Stack {
	labels := s.Labels
	if labels == nil {
		labels = map[string]string{}
	}
	var hold *client.Hold
	if s.Hold != nil {
		hold = &client.Hold{By: s.Hold.By, Reason: s.Hold.Reason, At: s.Hold.At}
	}
	return client.Stack{Name: s.Name, Description: s.Description, Labels: labels, Latest: s.Latest, Applied: s.Applied,
		OpenFindings: findings, Hold: hold, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt}
}

func revisionJSON(r *engine.Revision) client.Revision {
	return client.Revision{Stack: r.Stack, Number: r.Number, Digest: r.Digest, Author: r.Author, Message: r.Message,
		Components: each(r.Blueprint.Components, componentJSON), Upstreams: each(r.Blueprint.Upstreams, upstreamJSON), Scales: each(r.Blueprint.Scales, scaleJSON),
		CreatedAt: r.CreatedAt}
}

func upstreamJSON(u engine.Upstream) client.Upstream {
	return client.Upstream{Name: u.Name, Stack: u.Stack, Trigger: u.Trigger, Outputs: list(u.Outputs)}
}

func scaleJSON(s engine.Scale) client.Scalable {
	return client.Scalable{Variable: s.Variable, Min: s.Min, Max: s.Max, Value: s.Value, Inputs: list(s.Inputs)}
}

func hostJSON(h *engine.KnownHost) client.Host {
	return client.Host{
		ID: h.ID, Stack: h.Stack, Component: h.Component, Name: h.Name, Address: h.Address, Port: h.Port, User: h.User, Groups: list(h.Groups),
		MadeBy: h.MadeBy, Resource: h.Resource, ResourceID: h.ResourceID, Keys: list(h.Keys), KeysAt: when(h.KeysAt), Facts: h.Facts, FactsAt: when(h.FactsAt),
		FirstRun: h.FirstRun, LastRun: h.LastRun, FirstSeen: h.FirstSeen, LastSeen: h.LastSeen, RetiredAt: when(h.RetiredAt), RetiredWhy: h.RetiredWhy,
	}
}

func componentJSON(c engine.Component) client.Component {
	return client.Component{Address: c.Address, Kind: string(c.Kind), Cloud: string(c.Cloud), Region: c.Region,
		Credentials: c.Credentials, Source: c.Source, Constraint: c.Constraint, Version: c.Version, Commit: c.Commit, Needs: list(c.Needs)}
}

// list is never null in JSON.
func list[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

func runJSON(r *engine.Run) client.Run {
	return client.Run{
		ID: r.ID, Stack: r.Stack, Revision: r.Revision, Kind: string(r.Kind), Trigger: string(r.Trigger), Origin: r.Origin, Status: string(r.Status),
		Reason: r.Reason, StartedBy: r.StartedBy, Message: r.Message, Digest: r.Digest,
		ReleaseAt: when(r.ReleaseAt), Glass: glassJSON(r.Glass),
		Partial: r.Partial, Cancelling: r.CancelBy != "" && !r.Status.Final(), Summary: client.Summary(r.Summary()),
		Approvals: each(r.Approvals, approvalJSON), Steps: each(r.Steps, stepJSON),
		CreatedAt: r.CreatedAt, PlanningAt: when(r.PlanningAt), PlannedAt: when(r.PlannedAt), ApprovedAt: when(r.ApprovedAt),
		ApplyingAt: when(r.ApplyingAt), FinishedAt: when(r.FinishedAt), PurgedAt: when(r.PurgedAt),
	}
}

func approvalJSON(a engine.Approval) client.Approval {
	return client.Approval{By: a.By, Role: string(a.Role), Verdict: string(a.Verdict), Digest: a.Digest, Comment: a.Comment, At: a.At}
}

func stepJSON(s *engine.Step) client.Step {
	return client.Step{
		ID: s.ID, Run: s.Run, Address: s.Component.Address, Kind: string(s.Component.Kind), Cloud: string(s.Component.Cloud),
		Needs: list(s.Needs), Revision: s.Revision, Destroy: s.Destroy, Status: string(s.Status), Reason: s.Reason,
		Attempt: s.Attempt, Worker: s.Worker, Walls: s.Walls, PlanHash: s.PlanHash, Summary: client.Summary(s.Summary),
		Applied: client.Summary(s.Applied), Notes: s.Notes,
		QueuedAt: when(s.QueuedAt), StartedAt: when(s.StartedAt), EndedAt: when(s.EndedAt),
	}
}

func progressJSON(p *engine.Progress) client.Progress {
	return client.Progress{Serial: p.Serial, Version: p.Version, Run: p.Run, Finished: each(p.Finished, touchedJSON), Unknown: each(p.Unknown, touchedJSON), Lines: p.Lines()}
}

func touchedJSON(t engine.Touched) client.Touched {
	return client.Touched{Address: t.Address, Action: string(t.Action), ID: t.ID, InState: t.InState, Host: t.Host, Task: t.Task}
}

func stateJSON(v *engine.StateVersion) client.StateVersion {
	return client.StateVersion{ID: v.ID, Stack: v.Stack, Component: v.Component, Serial: v.Serial, Lineage: v.Lineage,
		Size: v.Size, Resources: v.Resources, Run: v.Run, By: v.By, CreatedAt: v.CreatedAt}
}

func lockJSON(l *engine.StateLock) client.Lock {
	return client.Lock{ID: l.ID, Stack: l.Stack, Component: l.Component, Holder: l.Holder, Reason: l.Reason, CreatedAt: l.CreatedAt}
}

func findingJSON(f *engine.Finding) client.Finding {
	return client.Finding{ID: f.ID, Stack: f.Stack, Component: f.Component, Change: f.Change, Run: f.Run,
		FirstSeen: f.FirstSeen, LastSeen: f.LastSeen, ResolvedAt: when(f.ResolvedAt)}
}

func scheduleJSON(s *engine.Schedule) client.Schedule {
	return client.Schedule{ID: s.ID, Stack: s.Stack, Name: s.Name, Kind: string(s.Kind), Cron: s.Cron, Timezone: s.Timezone,
		Paused: s.Paused, NextRunAt: s.NextRunAt, LastRunAt: when(s.LastRunAt), LastRun: s.LastRun, CreatedBy: s.CreatedBy}
}

func eventJSON(e *engine.Event) client.Event {
	return client.Event{ID: e.ID, Seq: e.Seq, At: e.At, Actor: e.Actor, Action: e.Action, Stack: e.Stack, Project: e.Project, Run: e.Run, Subject: e.Subject,
		Address: e.Address, Request: e.Request, Via: e.Via, Detail: e.Detail, Before: e.Before, After: e.After, Previous: e.Previous, Hash: e.Hash}
}

func outputsJSON(outputs engine.Outputs, reveal bool) map[string]client.Output {
	out := make(map[string]client.Output, len(outputs))
	for name, o := range outputs {
		shown := client.Output{Sensitive: o.Sensitive, Unknown: o.Unknown}
		if !o.Sensitive || reveal {
			shown.Value = o.Value
		}
		out[name] = shown
	}
	return out
}

func diagnosticsJSON(ds engine.Diagnostics) []client.Diagnostic {
	return each(ds, func(d engine.Diagnostic) client.Diagnostic {
		return client.Diagnostic{Severity: string(d.Severity), Summary: d.Summary, Detail: d.Detail, File: d.File,
			Line: d.Start.Line, Column: d.Start.Column, EndLine: d.End.Line, EndColumn: d.End.Column, Snippet: d.Snippet}
	})
}
