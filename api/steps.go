package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// StepPath is a request about one step.
type StepPath struct {
	Step string `path:"step"`
}

func (s *server) stepRoutes() {
	handle(s, operation{method: "GET", path: "/v1/steps/{step}", id: "get-step", summary: "Read a step", tag: "steps", permission: engine.MayRead},
		func(ctx context.Context, in *StepPath) (*body[client.Step], error) {
			step, err := s.step(ctx, in.Step)
			if err != nil {
				return nil, err
			}
			return answer(stepJSON(step), nil)
		})
	handle(s, operation{method: "GET", path: "/v1/steps/{step}/plan", id: "get-step-plan", summary: "Read a step's plan, in JSON or as text", tag: "steps", permission: engine.MayRead, gives: content{"application/json": client.StepPlan{}, "text/plain": nil}}, s.getStepPlan)
	handle(s, operation{method: "GET", path: "/v1/steps/{step}/plan.json", id: "get-terraform-plan", summary: "Read Terraform's plan JSON, sensitive values masked", tag: "steps", permission: engine.MayRead, gives: anyJSON},
		func(ctx context.Context, in *StepPath) (*file, error) {
			return s.artifact(ctx, in.Step, engine.ArtifactPlanJSON)
		})
	handle(s, operation{method: "GET", path: "/v1/steps/{step}/recap", id: "get-recap", summary: "Read what a playbook did, by host and task", tag: "steps", permission: engine.MayRead, gives: content{"application/json": engine.Recap{}}},
		func(ctx context.Context, in *StepPath) (*file, error) {
			return s.artifact(ctx, in.Step, engine.ArtifactRecap)
		})
	handle(s, operation{method: "GET", path: "/v1/steps/{step}/progress", id: "get-progress", summary: "Read how far a step's apply came, by its log and the newest state", tag: "steps", permission: engine.MayRead},
		func(ctx context.Context, in *StepPath) (*body[client.Progress], error) {
			run, step, err := s.runStep(ctx, in.Step)
			if err != nil {
				return nil, err
			}
			p, err := s.Runs.Progress(ctx, step, run.Stack)
			if err != nil {
				return nil, err
			}
			return answer(progressJSON(p), nil)
		})
	handle(s, operation{method: "GET", path: "/v1/steps/{step}/log", id: "get-log", summary: "Read a step's log, or a range of bytes of it", tag: "steps", permission: engine.MayRead, gives: someText}, s.getLog)
	handle(s, operation{method: "GET", path: "/v1/steps/{step}/log/stream", id: "follow-log", summary: "Follow a step's log as server-sent events", tag: "steps", permission: engine.MayRead, gives: events(client.LogChunk{})}, s.followLog)
}

func (s *server) step(ctx context.Context, id string) (*engine.Step, error) {
	_, step, err := s.runStep(ctx, id)
	return step, err
}

// runStep reads a step with its run.
func (s *server) runStep(ctx context.Context, id string) (*engine.Run, *engine.Step, error) {
	run, err := s.Store.StepRun(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	r, err := s.Runs.Get(ctx, run)
	if err != nil {
		return nil, nil, err
	}
	return r, r.StepByID(id), nil
}

// kept refuses what was removed with the run's logs and plans.
func kept(run *engine.Run) error {
	if run.PurgedAt.IsZero() {
		return nil
	}
	return engine.NotFound("logs and plans of run %s were removed on %s, by the rules of retention", run.ID, run.PurgedAt.UTC().Format("2006-01-02"))
}

func (s *server) artifact(ctx context.Context, step, name string) (*file, error) {
	b, err := s.Store.Artifact(ctx, step, name)
	return &file{Type: "application/json", Body: b}, err
}

func (s *server) getStepPlan(ctx context.Context, in *struct {
	StepPath
	PlanFormat
}) (*huma.StreamResponse, error) {
	run, step, err := s.runStep(ctx, in.Step)
	if err == nil {
		err = kept(run)
	}
	if err != nil {
		return nil, err
	}
	plan, err := s.stepPlan(ctx, step)
	if err != nil {
		return nil, err
	}
	if in.text() {
		var b strings.Builder
		_ = engine.WritePlan(&b, plan.Plan) // a strings.Builder takes everything
		return textResponse(b.String()), nil
	}
	return jsonResponse(plan)
}

// logPart is how much of a log is read at a time, in bytes.
const logPart = 1 << 20

// getLog answers with the log, or the bytes that a Range header of one range
// asks for. Source: RFC 9110, section 14.
func (s *server) getLog(ctx context.Context, in *struct {
	StepPath
	Range string `header:"Range" doc:"One range, as in bytes=0-1023."`
}) (*huma.StreamResponse, error) {
	run, _, err := s.runStep(ctx, in.Step)
	if err == nil {
		err = kept(run)
	}
	if err != nil {
		return nil, err
	}
	_, size, err := s.Store.ReadLog(ctx, in.Step, 0, 0)
	if err != nil {
		return nil, err
	}
	from, to, partial, err := byteRange(in.Range, size)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", "text/plain; charset=utf-8")
		h.SetHeader("Accept-Ranges", "bytes")
		if partial {
			h.SetHeader("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, size))
			h.SetStatus(http.StatusPartialContent)
		}
		if err := s.copyLog(ctx, h.BodyWriter(), in.Step, from, to); err != nil {
			s.Log.DebugContext(ctx, "log not sent whole", "step", in.Step, "err", err)
		}
	}}, nil
}

func (s *server) copyLog(ctx context.Context, w io.Writer, step string, from, to int64) error {
	for from < to {
		data, _, err := s.Store.ReadLog(ctx, step, from, int(min(logPart, to-from)))
		if err != nil || len(data) == 0 {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
		from += int64(len(data))
	}
	return nil
}

// byteRange reads a Range header: from the first byte to the one before to.
func byteRange(header string, size int64) (from, to int64, partial bool, err error) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return 0, size, false, nil // what is not understood is passed over
	}
	bad := problemOf(http.StatusRequestedRangeNotSatisfiable, fmt.Sprintf("the log has %d bytes", size))
	if first == "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n <= 0 {
			return 0, 0, false, bad
		}
		return max(0, size-n), size, true, nil
	}
	if from, err = strconv.ParseInt(first, 10, 64); err != nil || from >= size {
		return 0, 0, false, bad
	}
	to = size
	if last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < from {
			return 0, 0, false, bad
		}
		to = min(size, n+1)
	}
	return from, to, true, nil
}

func (s *server) followLog(ctx context.Context, in *struct {
	StepPath
	Offset      int64  `query:"offset" minimum:"0" doc:"Byte to begin with."`
	LastEventID string `header:"Last-Event-ID" doc:"Byte to go on with after a break; wins over offset."`
}) (*huma.StreamResponse, error) {
	run, err := s.Store.StepRun(ctx, in.Step)
	if err != nil {
		return nil, err
	}
	offset := in.Offset
	if n, err := strconv.ParseInt(in.LastEventID, 10, 64); err == nil {
		offset = max(0, n)
	}
	return s.stream(func(st *stream) error { return s.tellLog(st, run, in.Step, offset) }), nil
}

// streamPart is how much of a log one event holds at most, in bytes.
const streamPart = 128 << 10

// tellLog sends what there is of a log and what comes, until the step is over.
func (s *server) tellLog(st *stream, run, step string, offset int64) error {
	grew, stopGrew := s.Bell.Listen(engine.TopicLog(step))
	defer stopGrew()
	moved, stopMoved := s.Bell.Listen(engine.TopicRun(run))
	defer stopMoved()
	for {
		// Whether it is over is asked first: what is read after that is all.
		over, err := s.over(st.ctx, run, step)
		if err != nil {
			return err
		}
		if offset, err = s.sendLog(st, step, offset, over); err != nil {
			return err
		}
		if over {
			return st.send("end", strconv.FormatInt(offset, 10), struct{}{})
		}
		if err := st.wait(grew, moved); err != nil {
			return err
		}
	}
}

// over reports whether nothing more will be written to the step's log.
func (s *server) over(ctx context.Context, run, step string) (bool, error) {
	r, err := s.Runs.Get(ctx, run)
	if err != nil {
		return false, err
	}
	return r.Status.Final() || r.StepByID(step).Status.Final(), nil
}

// sendLog sends what there is from offset on. The beginning of a character at
// the end waits for its rest, unless there will be none.
func (s *server) sendLog(st *stream, step string, offset int64, over bool) (int64, error) {
	for {
		data, size, err := s.Store.ReadLog(st.ctx, step, offset, streamPart)
		if err != nil {
			return offset, err
		}
		if !over || offset+int64(len(data)) < size {
			data = wholeRunes(data)
		}
		if len(data) == 0 {
			return offset, nil
		}
		next := offset + int64(len(data))
		if err := st.send("log", strconv.FormatInt(next, 10), client.LogChunk{Offset: offset, Text: string(data)}); err != nil {
			return offset, err
		}
		offset = next
	}
}

// wholeRunes drops the beginning of a character at the end.
func wholeRunes(data []byte) []byte {
	for i := 1; i <= min(utf8.UTFMax-1, len(data)); i++ {
		if tail := data[len(data)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return data[:len(data)-i]
			}
			return data
		}
	}
	return data
}
