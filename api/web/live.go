package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/engine"
)

// keepAlive is how often something is sent at least. What is followed is read
// again then, too, in case a ring was lost.
const keepAlive = 15 * time.Second

// streamLife is how long a stream lasts. The browser comes again at once, and
// is asked anew who it is.
const streamLife = 10 * time.Minute

// live sends the run's part of the page anew whenever the run changes, until
// it is over. htmx puts unnamed events in place. Source: the WHATWG HTML
// standard, section 9.2.
func (p *Pages) live(c *gin.Context) error {
	ctx, stop := context.WithTimeout(c.Request.Context(), streamLife)
	defer stop()
	id := c.Param("run")
	rings, stopListening := p.Bell.Listen(engine.TopicRun(id))
	defer stopListening()
	f := p.frame(c, "Run")
	v, err := p.view(ctx, f, id)
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		c.Header(name, value)
	}
	s := stream{w: c.Writer, flush: c.Writer.Flush}
	for err == nil && s.tell(ctx, v) == nil && !v.run.Status.Final() && s.wait(ctx, rings) {
		f.now = p.Now()
		v, err = p.view(ctx, f, id)
	}
	return nil // who looked has gone, or comes again and is told
}

// stream is an answer of server-sent events.
type stream struct {
	w     io.Writer
	flush func()
	last  string // what was sent, but for its times
}

// tell sends the run's part of the page where it is another than before, and
// says when there will be no more.
func (s *stream) tell(ctx context.Context, v runView) error {
	var html bytes.Buffer
	if err := runBody(v).Render(ctx, &html); err != nil {
		return err
	}
	if now := withoutTimes(html.String()); now != s.last {
		s.last = now
		if err := s.send("", html.String()); err != nil {
			return err
		}
	}
	if v.run.Status.Final() {
		return s.send("end", "")
	}
	return nil
}

// lineEnds are the ends of a line in a stream, which HTML takes for the same.
// Whoever could write another one into a page could end its event and begin their own.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func (s *stream) send(event, data string) error {
	var b strings.Builder
	if event != "" {
		fmt.Fprintf(&b, "event: %s\n", event)
	}
	for line := range strings.SplitSeq(lineEnds.Replace(data), "\n") {
		fmt.Fprintf(&b, "data: %s\n", line)
	}
	b.WriteString("\n")
	_, err := io.WriteString(s.w, b.String())
	s.flush()
	return err
}

// withoutTimes leaves out how long ago things were: that alone is no change,
// and the page itself counts on.
func withoutTimes(html string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(html, "<time ")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, html, _ = strings.Cut(rest, "</time>")
	}
}

// wait waits for a ring; false when nobody looks any more.
func (s *stream) wait(ctx context.Context, rings <-chan struct{}) bool {
	timer := time.NewTimer(keepAlive)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-rings:
		return true
	case <-timer.C:
		_, err := io.WriteString(s.w, ": still here\n\n")
		s.flush()
		return err == nil
	}
}
