package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

func withStep(ctx context.Context, step *engine.Step) context.Context {
	return context.WithValue(ctx, runnerKey{}, step)
}

// held is the step that the runner which asks has in hand.
func held(ctx context.Context) *engine.Step {
	step, _ := ctx.Value(runnerKey{}).(*engine.Step)
	return step
}

// RawRequest is a request with a body that is not JSON.
type RawRequest struct {
	RawBody []byte `contentType:"application/octet-stream"`
}

func (s *server) runnerRoutes() {
	op := func(method, path, id, summary string) operation {
		return operation{method: method, path: "/v1/runner/" + path, id: id, summary: summary, tag: "runner", permission: asRunner, raw: true}
	}
	gives := func(c content, op operation) operation { op.gives = c; return op }
	handle(s, gives(anyJSON, op("GET", "job", "runner-job", "Read what there is to do")), func(ctx context.Context, _ *none) (*file, error) {
		job, err := s.Runs.Job(ctx, held(ctx))
		if err != nil {
			return nil, err
		}
		b, err := json.Marshal(job)
		return &file{Type: "application/json", Body: b}, err
	})
	handle(s, gives(aBundle, op("GET", "sources", "runner-sources", "Read the bundle, a tar.gz")), func(ctx context.Context, _ *none) (*file, error) {
		b, err := s.Runs.Sources(ctx, held(ctx))
		return &file{Type: "application/gzip", Body: b}, err
	})
	handle(s, gives(someBytes, op("GET", "artifacts/plan", "runner-plan", "Read the plan that is to be applied")), func(ctx context.Context, _ *none) (*file, error) {
		b, err := s.Runs.PlanFile(ctx, held(ctx))
		return &file{Type: "application/octet-stream", Body: b}, err
	})
	handle(s, op("PUT", "artifacts/{name}", "runner-artifact", "Send what the step made"), func(ctx context.Context, in *struct {
		NamePath
		RawRequest
	}) (*none, error) {
		return &none{}, s.Runs.PutArtifact(ctx, held(ctx), in.Name, in.RawBody)
	})
	handle(s, op("POST", "log", "runner-log", "Send a part of the log"), func(ctx context.Context, in *struct {
		Offset int64 `query:"offset" minimum:"0"`
		RawRequest
	}) (*body[client.LogSize], error) {
		size, err := s.Runs.AppendLog(ctx, held(ctx), in.Offset, in.RawBody)
		return answer(client.LogSize{Size: size}, err)
	})
	handle(s, op("POST", "renew", "runner-renew", "Extend the lease, and wait for a signal"), s.renew)
	handle(s, gives(anyJSON, op("POST", "identity", "runner-identity", "Make a token that says to a cloud which phase of which step asks")), func(ctx context.Context, _ *none) (*file, error) {
		id, err := s.Runs.Identity(ctx, held(ctx))
		if err != nil {
			return nil, err
		}
		b, err := json.Marshal(id)
		return &file{Type: "application/json", Body: b}, err
	})
	handle(s, op("POST", "report", "runner-report", "Say how the phase ended"), func(ctx context.Context, in *RawRequest) (*none, error) {
		var rep engine.Report
		if err := json.Unmarshal(in.RawBody, &rep); err != nil {
			return nil, engine.Invalid("the report is not JSON: %v", err)
		}
		return &none{}, s.Runs.Report(ctx, held(ctx), rep)
	})
}

// maxRenewal bounds how long a renewal is held.
const maxRenewal = 20 * time.Second

// renew extends the lease and answers when there is a signal or the time that
// the runner gave is over.
func (s *server) renew(ctx context.Context, in *struct {
	Wait string `query:"wait" default:"10s" doc:"How long to wait for a signal."`
	Stop bool   `query:"stop" doc:"The runner knows that it should stop."`
	Kill bool   `query:"kill" doc:"The runner knows that it should kill what runs."`
}) (*body[client.Signal], error) {
	wait, err := time.ParseDuration(in.Wait)
	if err != nil {
		return nil, engine.Invalid("wait is a duration such as 10s, not %q", in.Wait)
	}
	step := held(ctx)
	rings, stop := s.Bell.Listen(engine.TopicStep(step.ID))
	defer stop()
	timer := time.NewTimer(min(wait, maxRenewal))
	defer timer.Stop()
	for {
		sig, err := s.Runs.Renew(ctx, step)
		if known := (engine.Signal{Stop: in.Stop, Kill: in.Kill}); err != nil || sig != known {
			return answer(client.Signal(sig), err)
		}
		select {
		case <-rings:
		case <-timer.C:
			return answer(client.Signal(sig), nil)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
