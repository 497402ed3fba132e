package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// Runner is the part of the API that a runner uses, with the token of its step.
type Runner struct{ c *Client }

// Runner gives the calls of a runner.
func (c *Client) Runner() *Runner { return &Runner{c} }

// Job reads what there is to do.
func (r *Runner) Job(ctx context.Context) (*engine.Job, error) {
	job, err := get[engine.Job](ctx, r.c, path("runner", "job"), nil)
	return &job, err
}

// Sources reads the bundle, a tar.gz.
func (r *Runner) Sources(ctx context.Context) ([]byte, error) {
	return r.c.bytes(ctx, request{method: http.MethodGet, path: path("runner", "sources")})
}

// PlanFile reads the plan that is to be applied.
func (r *Runner) PlanFile(ctx context.Context) ([]byte, error) {
	return r.c.bytes(ctx, request{method: http.MethodGet, path: path("runner", "artifacts", engine.ArtifactPlan)})
}

// Renew extends the lease, and comes back after wait, or as soon as there is
// another signal than the one that is known.
func (r *Runner) Renew(ctx context.Context, wait time.Duration, known engine.Signal) (engine.Signal, error) {
	var s Signal
	q := url.Values{"wait": {wait.String()}, "stop": {strconv.FormatBool(known.Stop)}, "kill": {strconv.FormatBool(known.Kill)}}
	err := r.c.call(ctx, http.MethodPost, path("runner", "renew"), q, nil, &s)
	return engine.Signal(s), err
}

// Identity makes a token of workload identity for the phase in hand.
func (r *Runner) Identity(ctx context.Context) (engine.Identity, error) {
	var id engine.Identity
	return id, r.c.call(ctx, http.MethodPost, path("runner", "identity"), nil, nil, &id)
}

// AppendLog sends a part of the log and gives the log's size after it.
func (r *Runner) AppendLog(ctx context.Context, offset int64, data []byte) (int64, error) {
	var size LogSize
	err := r.c.send(ctx, request{
		method: http.MethodPost, path: path("runner", "log"), query: url.Values{"offset": {strconv.FormatInt(offset, 10)}},
		body: data, kind: "application/octet-stream",
	}, &size)
	return size.Size, err
}

// PutArtifact sends what the step made.
func (r *Runner) PutArtifact(ctx context.Context, name string, data []byte) error {
	return r.c.send(ctx, request{method: http.MethodPut, path: path("runner", "artifacts", name), body: data, kind: "application/octet-stream"}, nil)
}

// Report says how the phase ended.
func (r *Runner) Report(ctx context.Context, rep engine.Report) error {
	b, err := json.Marshal(rep)
	if err != nil {
		return err
	}
	return r.c.send(ctx, request{method: http.MethodPost, path: path("runner", "report"), body: b, kind: "application/octet-stream"}, nil)
}
