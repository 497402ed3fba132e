package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// sseEvent is one server-sent event. Source: the WHATWG HTML standard, 9.2.
type sseEvent struct {
	name string
	id   string
	data string
}

// maxEvent bounds one line of a stream, in bytes.
const maxEvent = 16 << 20

// stream reads events until the stream ends or take returns an error.
func (c *Client) stream(ctx context.Context, r request, take func(sseEvent) error) error {
	r.accept = "text/event-stream"
	res, err := c.open(ctx, r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, maxEvent)
	var e sseEvent
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data += value
		case "":
			if e.data != "" || e.name != "" {
				if err := take(e); err != nil {
					return &stopped{err}
				}
			}
			e = sseEvent{}
		}
	}
	return lines.Err()
}

// errEnded says that a stream told its end.
var errEnded = errors.New("stream ended")

// The pauses between two tries of a stream that broke.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 5 * time.Second
)

// again opens a stream over and over until it tells its end. A stream that
// breaks is opened again where it was; an answer of the server's is final.
func again(ctx context.Context, open func() error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		began := time.Now()
		err := open()
		if time.Since(began) > lastPause { // it worked for a while
			pause = firstPause
		}
		var refused *Error
		switch {
		case errors.Is(err, errEnded):
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &refused) && refused.Status < 500:
			return err
		}
		var stop *stopped
		if errors.As(err, &stop) {
			return stop.err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// stopped carries the error of who listens through again.
type stopped struct{ err error }

// Error implements error.
func (s *stopped) Error() string { return s.err.Error() }

// Unwrap gives the error of who listens.
func (s *stopped) Unwrap() error { return s.err }

// WatchRun calls see with the run now and after each change, until the run is
// over or see returns an error, which is returned.
func (c *Client) WatchRun(ctx context.Context, id string, see func(Run) error) error {
	return again(ctx, func() error {
		return c.stream(ctx, request{method: http.MethodGet, path: path("runs", id, "events")}, func(e sseEvent) error {
			var run Run
			if e.name != "run" {
				return nil
			}
			if err := json.Unmarshal([]byte(e.data), &run); err != nil {
				return err
			}
			if err := see(run); err != nil {
				return err
			}
			if engine.RunStatus(run.Status).Final() {
				return errEnded
			}
			return nil
		})
	})
}

// FollowLog copies a step's log from offset until the step is over, and gives
// the offset that it got to.
func (c *Client) FollowLog(ctx context.Context, step string, offset int64, to io.Writer) (int64, error) {
	err := again(ctx, func() error {
		r := request{method: http.MethodGet, path: path("steps", step, "log", "stream"), query: url.Values{"offset": {strconv.FormatInt(offset, 10)}}}
		return c.stream(ctx, r, func(e sseEvent) (err error) {
			if e.name == "end" {
				return errEnded
			}
			var chunk LogChunk
			if err := json.Unmarshal([]byte(e.data), &chunk); err != nil {
				return err
			}
			if _, err := io.WriteString(to, chunk.Text); err != nil {
				return err
			}
			// The text may be longer than the bytes it stands for, where they
			// are not UTF-8; the event tells where it ended.
			offset, err = strconv.ParseInt(e.id, 10, 64)
			return err
		})
	})
	return offset, err
}
