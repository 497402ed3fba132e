package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

// serve starts a server that answers with h, which learns how often it was
// asked before.
func serve(t *testing.T, h func(w http.ResponseWriter, r *http.Request, before int)) *Client {
	t.Helper()
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h(w, r, int(asked.Add(1))-1) }))
	t.Cleanup(srv.Close)
	return New(srv.URL, "cop_secret")
}

func fail(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func TestErrorsAreOfTheEnginesKinds(t *testing.T) {
	tests := map[int]error{
		400: engine.ErrInvalid, 401: engine.ErrUnauthorized, 403: engine.ErrForbidden, 404: engine.ErrNotFound,
		409: engine.ErrConflict, 413: engine.ErrInvalid, 422: engine.ErrInvalid, 423: engine.ErrConflict,
	}
	for status, kind := range tests {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { fail(w, status, `{"detail":"no"}`) })
		_, err := c.Whoami(t.Context())
		var e *Error
		if !errors.Is(err, kind) || !errors.As(err, &e) || e.Status != status || e.Error() != "no" {
			t.Errorf("%d is %v", status, err)
		}
	}
}

func TestErrorsAreWordedForPeople(t *testing.T) {
	tests := map[string]struct {
		status     int
		body, want string
	}{
		"with all that is wrong": {422, `{"detail":"validation failed","errors":[{"message":"too short","location":"body.name"},{"message":"missing"}]}`, "validation failed; name: too short; missing"},
		// Found when a step starts, this is all that its run says.
		"with the places of mistakes, without sources": {422, `{"detail":"there is a mistake in what was written","diagnostics":[{"severity":"error","summary":"Wrong type","detail":"A number is wanted.","file":"stack.hcl","line":7,"column":3,"snippet":"  size = \"big\""}]}`,
			"there is a mistake in what was written\nstack.hcl:7:3: Wrong type: A number is wanted."},
		"ours with the log line":     {500, `{"detail":"internal error","request_id":"req-1"}`, "internal error (request req-1)"},
		"from something in between":  {404, `<html>`, "404 Not Found"},
		"with nothing but its title": {404, `{"title":"Not Found"}`, "Not Found"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { fail(w, tt.status, tt.body) })
			if _, err := c.Whoami(t.Context()); err == nil || err.Error() != tt.want {
				t.Errorf("it says %v", err)
			}
		})
	}
}

func TestOnlyWhatIsHarmlessIsTriedAgain(t *testing.T) {
	hangUp := func(w http.ResponseWriter) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		conn.Close()
	}
	away := func(w http.ResponseWriter) { fail(w, http.StatusServiceUnavailable, "{}") }
	broken := func(w http.ResponseWriter) { fail(w, http.StatusInternalServerError, "{}") }
	read := func(c *Client) error { _, err := c.Whoami(t.Context()); return err }
	write := func(c *Client) error { _, err := c.CreateStack(t.Context(), CreateStack{Name: "a"}); return err }
	tests := map[string]struct {
		trouble func(http.ResponseWriter)
		call    func(*Client) error
		tries   int64
		ok      bool
	}{
		"a read whose connection broke":     {hangUp, read, 2, true},
		"a read while the server is away":   {away, read, 2, true},
		"a read that the server cannot do":  {broken, read, 1, false},
		"a write whose connection broke":    {hangUp, write, 1, false},
		"a write while the server was away": {away, write, 1, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int64
			c := serve(t, func(w http.ResponseWriter, _ *http.Request, before int) {
				if tries.Add(1); before == 0 {
					tt.trouble(w)
					return
				}
				fmt.Fprint(w, "{}")
			})
			if err := tt.call(c); (err == nil) != tt.ok || tries.Load() != tt.tries {
				t.Errorf("after %d tries: %v", tries.Load(), err)
			}
		})
	}
}

func TestWriteThatNeverLeftIsTriedAgain(t *testing.T) {
	var dials atomic.Int64
	c := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { fmt.Fprint(w, "{}") })
	var dialer net.Dialer
	c.http.Transport = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials.Add(1) == 1 {
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}
		return dialer.DialContext(ctx, network, address)
	}}
	if _, err := c.CreateStack(t.Context(), CreateStack{Name: "a"}); err != nil {
		t.Error(err)
	}
}

func TestServerThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	base := "http://" + l.Addr().String()
	_, err = New(base, "cop_secret").Whoami(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), base+": dial tcp") || strings.Contains(err.Error(), "secret") {
		t.Errorf("it says %v", err)
	}
}

func TestFollowersGoOnWhereTheStreamBroke(t *testing.T) {
	var offsets []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request, before int) {
		offsets = append(offsets, r.URL.Query().Get("offset"))
		switch before {
		case 0: // breaks in the middle of an event
			fmt.Fprint(w, "event: log\nid: 4\ndata: {\"offset\":0,\"text\":\"one\\n\"}\n\nevent: log\nid: 8\ndata: {\"off")
		case 1:
			fail(w, http.StatusInternalServerError, "{}")
		default:
			fmt.Fprint(w, ": still here\n\nevent: log\nid: 8\ndata: {\"offset\":4,\"text\":\"two\\n\"}\n\nevent: end\nid: 8\ndata: {}\n\n")
		}
	})
	var b strings.Builder
	offset, err := c.FollowLog(t.Context(), "step-1", 0, &b)
	if err != nil || offset != 8 || b.String() != "one\ntwo\n" {
		t.Errorf("%d bytes, %q, %v", offset, b.String(), err)
	}
	if got := strings.Join(offsets, " "); got != "0 4 4" {
		t.Errorf("it asked from %s", got)
	}
}

func TestFollowersEnd(t *testing.T) {
	chunk := "event: log\nid: 4\ndata: {\"offset\":0,\"text\":\"one\\n\"}\n\n"
	tests := map[string]struct {
		answer func(w http.ResponseWriter)
		to     io.Writer
		kind   error
	}{
		"where the writer is closed":     {func(w http.ResponseWriter) { fmt.Fprint(w, chunk) }, closed{}, io.ErrClosedPipe},
		"where they may not look":        {func(w http.ResponseWriter) { fail(w, http.StatusForbidden, "{}") }, io.Discard, engine.ErrForbidden},
		"where there is nothing to read": {func(w http.ResponseWriter) { fail(w, http.StatusNotFound, "{}") }, io.Discard, engine.ErrNotFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { tt.answer(w) })
			if _, err := c.FollowLog(t.Context(), "step-1", 0, tt.to); !errors.Is(err, tt.kind) {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestFollowerIsCalledOff(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	c := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		w.(http.Flusher).Flush()
		stop(reason)
		<-r.Context().Done()
	})
	if err := c.WatchRun(ctx, "run-1", func(Run) error { return nil }); !errors.Is(err, reason) {
		t.Errorf("it ended with %v", err)
	}
}

func TestNamesAreEscapedInAddresses(t *testing.T) {
	var got string
	c := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		got = r.URL.EscapedPath()
		fmt.Fprint(w, `{"items":[]}`)
	})
	if _, err := c.StateVersions(t.Context(), "a", `terraform.x["a/b"]`, Page{}); err != nil {
		t.Fatal(err)
	}
	if want := "/v1/stacks/a/states/terraform.x%5B%22a%2Fb%22%5D/versions"; got != want {
		t.Errorf("it asks %s, not %s", got, want)
	}
}

func TestAllReadsEveryPage(t *testing.T) {
	pages := map[string]List[int]{"": {Items: []int{1, 2}, NextCursor: "a"}, "a": {Items: []int{3}}}
	all, err := All(t.Context(), func(_ context.Context, p Page) (List[int], error) { return pages[p.Cursor], nil })
	if err != nil || fmt.Sprint(all) != "[1 2 3]" {
		t.Errorf("%v, %v", all, err)
	}
}
