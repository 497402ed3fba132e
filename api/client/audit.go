package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Event is one line of the audit log.
type Event struct {
	ID       int64           `json:"id"`
	Seq      int64           `json:"seq,omitempty" doc:"Place in the chain, from 1 without gaps."`
	At       time.Time       `json:"at"`
	Actor    string          `json:"actor"`
	Action   string          `json:"action"`
	Stack    string          `json:"stack,omitempty"`
	Project  string          `json:"project,omitempty" doc:"That it belongs to, where it is of no stack."`
	Run      string          `json:"run,omitempty"`
	Subject  string          `json:"subject"`
	Address  string          `json:"address,omitempty" doc:"IP address that it came from."`
	Request  string          `json:"request,omitempty" doc:"Identifier of the request."`
	Via      string          `json:"via,omitempty" doc:"Session, token, runner or part of the system."`
	Detail   json.RawMessage `json:"detail"`
	Before   json.RawMessage `json:"before,omitempty" doc:"What was changed, without secrets."`
	After    json.RawMessage `json:"after,omitempty" doc:"What it was changed to, without secrets."`
	Previous string          `json:"previous,omitempty" doc:"Hash of the event before."`
	Hash     string          `json:"hash,omitempty"`
}

// EventFilter narrows the audit log. Empty fields match everything.
type EventFilter struct {
	Actor, Action, Stack, Project, Run, Subject, Address, Request, Text string
	From, To                                                            time.Time
}

func (f EventFilter) values(q url.Values) url.Values {
	for name, value := range map[string]string{"actor": f.Actor, "action": f.Action, "stack": f.Stack, "project": f.Project, "run": f.Run,
		"subject": f.Subject, "address": f.Address, "request": f.Request, "text": f.Text} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, t := range map[string]time.Time{"from": f.From, "to": f.To} {
		if !t.IsZero() {
			q.Set(name, t.UTC().Format(time.RFC3339Nano))
		}
	}
	return q
}

// Events lists the audit log, newest first.
func (c *Client) Events(ctx context.Context, f EventFilter, p Page) (List[Event], error) {
	return get[List[Event]](ctx, c, path("events"), f.values(p.values()))
}

// ExportEvents copies the audit log to w, in one of the formats jsonl, csv and
// cloudevents. Only jsonl without a filter can be verified.
func (c *Client) ExportEvents(ctx context.Context, f EventFilter, format string, w io.Writer) error {
	q := f.values(url.Values{"format": {format}})
	res, err := c.open(ctx, request{method: http.MethodGet, path: path("audit", "export"), query: q})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(w, res.Body)
	return err
}

// AuditKey is a public key that signs the audit log.
type AuditKey struct {
	ID        string     `json:"id" doc:"First 16 digits of its SHA-256."`
	Public    []byte     `json:"public" doc:"Ed25519, in base64."`
	At        time.Time  `json:"at"`
	By        string     `json:"by,omitempty" doc:"Key that vouches for it."`
	RetiredAt *time.Time `json:"retired_at,omitempty"`
}

// Checkpoint is what the audit log has, signed.
type Checkpoint struct {
	Seq  int64     `json:"seq"`
	Hash string    `json:"hash"`
	At   time.Time `json:"at"`
	Line string    `json:"line" doc:"With the signature, to be kept elsewhere and given to cloudops audit verify."`
}

// AuditKeys lists the public keys that sign the audit log, the first first.
func (c *Client) AuditKeys(ctx context.Context) ([]AuditKey, error) {
	return items[AuditKey](ctx, c, path("audit", "keys"), nil)
}

// RotateAuditKey signs the audit log with a new key from now on.
func (c *Client) RotateAuditKey(ctx context.Context) (AuditKey, error) {
	return post[AuditKey](ctx, c, path("audit", "keys"), struct{}{})
}

// AuditCheckpoint signs what the audit log has now.
func (c *Client) AuditCheckpoint(ctx context.Context) (Checkpoint, error) {
	return post[Checkpoint](ctx, c, path("audit", "checkpoint"), struct{}{})
}
