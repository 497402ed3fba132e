package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// stream is an answer of server-sent events. Source: the WHATWG HTML
// standard, section 9.2.
type stream struct {
	ctx   context.Context
	w     io.Writer
	flush func()
}

// stream answers with the events that tell sends. An error ends the answer;
// the client comes again where it was.
func (s *server) stream(tell func(*stream) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "text/event-stream")
		ctx.SetHeader("Cache-Control", "no-store")
		ctx.SetHeader("X-Accel-Buffering", "no")
		st := &stream{ctx: ctx.Context(), w: ctx.BodyWriter(), flush: func() {}}
		if f, ok := ctx.BodyWriter().(http.Flusher); ok {
			st.flush = f.Flush
		}
		st.flush() // so that who asks knows it is followed, even while nothing happens
		if err := tell(st); err != nil && st.ctx.Err() == nil {
			s.Log.DebugContext(st.ctx, "stream ended", "err", err)
		}
	}}
}

// send sends one event with data as JSON.
func (st *stream) send(name, id string, data any) error {
	b, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(st.w, "event: %s\nid: %s\ndata: %s\n\n", name, id, b); err != nil {
		return err
	}
	st.flush()
	return nil
}

// keepAlive is how often something is sent at least, so that what is between
// us and the client does not take the connection for dead. What is waited for
// is looked at again then, too, in case a ring was lost.
const keepAlive = 15 * time.Second

// wait waits for a ring of one of the bells.
func (st *stream) wait(rings ...<-chan struct{}) error {
	timer := time.NewTimer(keepAlive)
	defer timer.Stop()
	var second <-chan struct{}
	if len(rings) > 1 {
		second = rings[1]
	}
	select {
	case <-st.ctx.Done():
		return context.Cause(st.ctx)
	case <-rings[0]:
	case <-second:
	case <-timer.C:
		_, err := io.WriteString(st.w, ": still here\n\n")
		st.flush()
		return err
	}
	return nil
}
