package api

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func (s *server) auditRoutes() {
	handle(s, operation{method: "GET", path: "/v1/events", id: "list-events", summary: "List the audit log, newest first", tag: "audit", permission: engine.MayReadAudit}, s.events)
	handle(s, operation{method: "GET", path: "/v1/audit/export", id: "export-events", summary: "Export the audit log, oldest first", tag: "audit", permission: engine.MayReadAudit,
		gives: content{"application/jsonl": nil, "text/csv": nil, "application/cloudevents-batch+json": nil}}, s.exportEvents)
	handle(s, operation{method: "GET", path: "/v1/audit/keys", id: "list-audit-keys", summary: "List the public keys that sign the audit log, the first first", tag: "audit", permission: engine.MayRead},
		func(ctx context.Context, in *PageQuery) (*body[client.List[client.AuditKey]], error) {
			keys, err := s.Store.AuditKeys(ctx)
			id := func(k engine.AuditKey) string { return k.ID }
			return listed(part(keys, *in, id), err, *in, auditKeyJSON, id)
		})
	handle(s, operation{method: "POST", path: "/v1/audit/keys", id: "rotate-audit-key", summary: "Sign the audit log with a new key from now on", tag: "audit", permission: engine.MayManageSystem, status: http.StatusCreated},
		func(ctx context.Context, _ *none) (*body[client.AuditKey], error) {
			key, err := s.Audit.RotateKey(ctx, me(ctx))
			return answer(auditKeyJSON(key), err)
		})
	handle(s, operation{method: "POST", path: "/v1/audit/checkpoint", id: "sign-audit-checkpoint", summary: "Sign what the audit log has now", tag: "audit", permission: engine.MayReadAudit}, s.checkpoint)
}

// EventQuery narrows the audit log.
type EventQuery struct {
	Actor   string    `query:"actor" doc:"By this person, program or part of the system only."`
	Action  string    `query:"action" doc:"Of this action, as in run.approve, or all of its kind, as in run."`
	Stack   string    `query:"stack" doc:"Of this stack only."`
	Project string    `query:"project" doc:"Of this project and of its stacks only."`
	Run     string    `query:"run" doc:"Of this run only."`
	Subject string    `query:"subject" doc:"Done to this only."`
	Address string    `query:"address" doc:"From this IP address only."`
	Request string    `query:"request" doc:"Of the request with this identifier only."`
	Text    string    `query:"text" doc:"With this somewhere in subject, detail, before or after, in any case. It is slow without anything else."`
	From    time.Time `query:"from" doc:"Not before."`
	To      time.Time `query:"to" doc:"Before."`
}

func (q EventQuery) filter() engine.EventFilter {
	return engine.EventFilter{Actor: q.Actor, Action: q.Action, Stack: q.Stack, Project: q.Project, Run: q.Run, Subject: q.Subject, Address: q.Address,
		Request: q.Request, Text: q.Text, From: q.From, To: q.To}
}

func (s *server) events(ctx context.Context, in *struct {
	PageQuery
	EventQuery
}) (*body[client.List[client.Event]], error) {
	events, err := s.Store.Events(ctx, in.filter(), in.seen(ctx, engine.MayReadAudit))
	if err != nil {
		return nil, err
	}
	return paged(events, in.PageQuery, eventJSON, func(e *engine.Event) string { return strconv.FormatInt(e.ID, 10) }), nil
}

// exportEvents streams the log. Where that fails in the middle the connection
// is broken off, so that nobody takes a part for the whole.
func (s *server) exportEvents(ctx context.Context, in *struct {
	EventQuery
	Format string `query:"format" enum:"jsonl,csv,cloudevents" default:"jsonl" doc:"Only jsonl without a filter can be verified."`
}) (*huma.StreamResponse, error) {
	format, f, complete := s.Formats[in.Format], in.filter(), in.Format == "jsonl" && in.filter() == (engine.EventFilter{})
	if complete { // which cannot leave anything out
		if err := me(ctx).Check(engine.MayReadAudit, engine.Scope{}); err != nil {
			return nil, err
		}
	}
	within := me(ctx).Within(engine.MayReadAudit)
	f.Within = &within
	e := s.newEvent(ctx, "audit.export", "audit log")
	e.Detail = []byte(`{"format":"` + in.Format + `"}`) // one of the three
	if err := s.Store.AddEvent(ctx, e); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", format.Type)
		h.SetHeader("Content-Disposition", `attachment; filename="audit.`+cmp.Or(map[string]string{"cloudevents": "json"}[in.Format], in.Format)+`"`)
		w := bufio.NewWriterSize(h.BodyWriter(), 1<<16)
		var err error
		if complete {
			err = s.Audit.Export(h.Context(), w)
		} else {
			err = s.Audit.ExportAs(h.Context(), w, format, f)
		}
		if err = errors.Join(err, w.Flush()); err != nil {
			s.Log.WarnContext(h.Context(), "export of the audit log broken off", "err", err)
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// newEvent is an event of something that is only read.
func (s *server) newEvent(ctx context.Context, action, subject string) engine.Event {
	return engine.Event{At: s.Now(), Actor: me(ctx).User, Action: action, Subject: subject, Detail: []byte("{}")}
}

func (s *server) checkpoint(ctx context.Context, _ *none) (*body[client.Checkpoint], error) {
	if err := me(ctx).Check(engine.MayReadAudit, engine.Scope{}); err != nil { // it is of the whole log
		return nil, err
	}
	c, err := s.Audit.Checkpoint(ctx)
	return answer(client.Checkpoint{Seq: c.Seq, Hash: c.Hash, At: c.At, Line: string(c.Line())}, err)
}

func auditKeyJSON(k engine.AuditKey) client.AuditKey {
	j := client.AuditKey{ID: k.ID, Public: k.Public, At: k.At, By: k.By}
	if !k.RetiredAt.IsZero() {
		j.RetiredAt = &k.RetiredAt
	}
	return j
}
