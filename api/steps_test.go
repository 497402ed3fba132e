package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// logged starts a run whose step has written text.
func (s *system) logged(text string) (client.Run, *client.Runner) {
	s.t.Helper()
	s.submit()
	run := s.start("apply")
	runner := client.New(s.url, s.claim(run).Token).Runner()
	s.append(runner, 0, text)
	return run, runner
}

func (s *system) append(runner *client.Runner, offset int64, text string) {
	s.t.Helper()
	size, err := runner.AppendLog(s.t.Context(), offset, []byte(text))
	s.ok(err)
	if size != offset+int64(len(text)) {
		s.t.Errorf("the log has %d bytes", size)
	}
}

func TestLogByRange(t *testing.T) {
	s := newSystem(t)
	run, _ := s.logged("0123456789")
	path := "/v1/steps/" + run.Steps[0].ID + "/log"
	tests := map[string]struct {
		header, text, content string
		status                int
	}{
		"the whole log":              {"", "0123456789", "", http.StatusOK},
		"a part":                     {"bytes=2-4", "234", "bytes 2-4/10", http.StatusPartialContent},
		"from a byte on":             {"bytes=7-", "789", "bytes 7-9/10", http.StatusPartialContent},
		"the end":                    {"bytes=-2", "89", "bytes 8-9/10", http.StatusPartialContent},
		"more than there is":         {"bytes=8-99", "89", "bytes 8-9/10", http.StatusPartialContent},
		"more of the end than there": {"bytes=-99", "0123456789", "bytes 0-9/10", http.StatusPartialContent},
		"behind the end":             {"bytes=10-", "", "", http.StatusRequestedRangeNotSatisfiable},
		"backwards":                  {"bytes=4-2", "", "", http.StatusRequestedRangeNotSatisfiable},
		"nothing of the end":         {"bytes=-0", "", "", http.StatusRequestedRangeNotSatisfiable},
		"two ranges are passed over": {"bytes=0-1,3-4", "0123456789", "", http.StatusOK},
		"another unit is, too":       {"lines=0-1", "0123456789", "", http.StatusOK},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := s.send("GET", path, engine.RoleViewer, nil, "Range", tt.header)
			if r.StatusCode != tt.status || r.Header.Get("Content-Range") != tt.content {
				t.Errorf("status %d, range %q", r.StatusCode, r.Header.Get("Content-Range"))
			}
			if tt.text != "" && string(r.body) != tt.text {
				t.Errorf("it reads %q", r.body)
			}
		})
	}
}

func TestLongLogComesWhole(t *testing.T) {
	s := newSystem(t)
	long := strings.Repeat("a line of the log\n", 200_000)
	run, _ := s.logged(long)
	var got bytes.Buffer
	s.ok(s.as(engine.RoleViewer).Log(t.Context(), run.Steps[0].ID, &got))
	if got.String() != long {
		t.Errorf("%d bytes, not %d", got.Len(), len(long))
	}
	s.end(run)
	followed := s.follow(run.Steps[0].ID, 0)
	if followed != long {
		t.Errorf("followed: %d bytes, not %d", len(followed), len(long))
	}
}

func (s *system) end(run client.Run) {
	s.t.Helper()
	for range 2 { // interrupts, then kills
		_, err := s.as(engine.RoleOperator).Cancel(s.t.Context(), run.ID)
		s.ok(err)
	}
	step, err := s.store.Run(s.t.Context(), run.ID)
	s.ok(err)
	s.ok(s.runs.Report(s.t.Context(), step.Steps[0], engine.Report{Outcome: engine.OutcomeCancelled}))
}

// follow reads a log to the end of its step.
func (s *system) follow(step string, offset int64) string {
	s.t.Helper()
	return within(s.t, func(ctx context.Context) string {
		var b strings.Builder
		if _, err := s.as(engine.RoleViewer).FollowLog(ctx, step, offset, &b); err != nil {
			s.t.Error(err)
		}
		return b.String()
	})
}

func TestLogIsFollowedLive(t *testing.T) {
	s := newSystem(t)
	run, runner := s.logged("one\n")
	pr, pw := io.Pipe()
	go func() {
		_, err := s.as(engine.RoleViewer).FollowLog(t.Context(), run.Steps[0].ID, 0, pw)
		pw.CloseWithError(err)
	}()
	expect := func(want string) {
		t.Helper()
		got := within(t, func(context.Context) string {
			b := make([]byte, len(want))
			n, _ := io.ReadFull(pr, b)
			return string(b[:n])
		})
		if got != want {
			t.Errorf("it reads %q, not %q", got, want)
		}
	}
	expect("one\n")
	s.append(runner, 4, "two\n")
	expect("two\n")
	s.append(runner, 8, "three")
	expect("three")
	s.end(run)
	if _, err := pr.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestLogIsFollowedFromAnyByte(t *testing.T) {
	s := newSystem(t)
	run, _ := s.logged("0123456789")
	s.end(run)
	for offset, want := range map[int64]string{0: "0123456789", 4: "456789", 10: "", 99: ""} {
		if got := s.follow(run.Steps[0].ID, offset); got != want {
			t.Errorf("from %d: %q", offset, got)
		}
	}
	for id, want := range map[string]string{"7": `{"offset":7,"text":"789"}`, "-7": `{"offset":0,"text":"0123456789"}`, "x": `{"offset":5,"text":"56789"}`} {
		r := s.send("GET", "/v1/steps/"+run.Steps[0].ID+"/log/stream?offset=5", engine.RoleViewer, nil, "Last-Event-ID", id)
		if text := string(r.body); !strings.Contains(text, "data: "+want+"\n") || !strings.HasSuffix(text, "event: end\nid: 10\ndata: {}\n\n") {
			t.Errorf("after %s: %s", id, text)
		}
		if r.Header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("it comes as %s", r.Header.Get("Content-Type"))
		}
	}
}

func TestCharactersAreNotCutInTwo(t *testing.T) {
	s := newSystem(t)
	run, runner := s.logged("a\xe2\x82")
	pr, pw := io.Pipe()
	go func() {
		_, err := s.as(engine.RoleViewer).FollowLog(t.Context(), run.Steps[0].ID, 0, pw)
		pw.CloseWithError(err)
	}()
	first := make([]byte, 1)
	if _, err := io.ReadFull(pr, first); err != nil {
		t.Fatal(err)
	}
	s.append(runner, 3, "\xac!")
	s.end(run)
	rest, err := io.ReadAll(pr)
	if got := string(first) + string(rest); got != "a€!" || err != nil {
		t.Errorf("it reads %q, %v", got, err)
	}
}

func TestBytesThatAreNoTextDoNotShiftTheLog(t *testing.T) {
	s := newSystem(t)
	run, _ := s.logged("\xff\xff then text \xe2\x82")
	s.end(run)
	var b strings.Builder
	offset, err := s.as(engine.RoleViewer).FollowLog(t.Context(), run.Steps[0].ID, 0, &b)
	s.ok(err)
	if offset != 15 || !strings.Contains(b.String(), " then text ") {
		t.Errorf("%d bytes: %q", offset, b.String())
	}
}

func TestWholeRunes(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a": "a", "a\xe2": "a", "a\xe2\x82": "a", "a€": "a€", "a\xf0\x9f\x98": "a", "a\xff": "a\xff", "\x80\x80\x80\x80": "\x80\x80\x80\x80", "\xe2": "",
	} {
		if got := string(wholeRunes([]byte(in))); got != want {
			t.Errorf("%q becomes %q", in, got)
		}
	}
}

func TestStreamBeginsBeforeThereIsAnythingToTell(t *testing.T) {
	s := newSystem(t)
	s.submit()
	run := s.start("apply")
	status := within(t, func(ctx context.Context) int {
		ctx, stop := context.WithTimeout(ctx, keepAlive/2)
		defer stop()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/v1/steps/"+run.Steps[0].ID+"/log/stream", nil)
		s.ok(err)
		req.Header.Set("Authorization", "Bearer "+s.tokens[engine.RoleViewer].Reveal())
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0
		}
		defer res.Body.Close()
		return res.StatusCode
	})
	if status != http.StatusOK {
		t.Errorf("status %d", status)
	}
}
