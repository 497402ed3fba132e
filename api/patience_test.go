package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// hurried is a server that waits for hardly anything.
func hurried(t *testing.T, h http.HandlerFunc) net.Conn {
	t.Helper()
	s := httptest.NewServer(patience{grace: 50 * time.Millisecond, rate: 1 << 30}.wrap(h))
	t.Cleanup(s.Close)
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestABodyThatDoesNotComeIsNotWaitedFor(t *testing.T) {
	read := make(chan error, 1)
	conn := hurried(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
	})
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello")
	if err := <-read; err == nil {
		t.Error("a body that is cut short was read to its end")
	}
}

// A body in chunks does not say how long it is, so that its time cannot follow
// from the most that is taken.
func TestABodyInChunksThatDoNotComeIsNotWaitedFor(t *testing.T) {
	read := make(chan error, 1)
	s := httptest.NewServer(patience{grace: 50 * time.Millisecond, rate: 1 << 10}.wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
	})))
	defer s.Close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
	select {
	case err := <-read:
		if err == nil {
			t.Error("a body that is cut short was read to its end")
		}
	case <-time.After(10 * time.Second):
		t.Error("it is still waited for")
		conn.Close()
	}
}

func TestAnAnswerThatNobodyTakesIsNotKept(t *testing.T) {
	written := make(chan error, 1)
	conn := hurried(t, func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for err == nil {
			_, err = w.Write(make([]byte, 1<<20))
		}
		written <- err
	})
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := <-written; !strings.Contains(err.Error(), "timeout") {
		t.Errorf("error = %v, want a timeout", err)
	}
}

func TestWorkMayTakeLongerThanTheRequest(t *testing.T) {
	ended := make(chan error, 2)
	conn := hurried(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select { // for longer than either deadline
		case <-r.Context().Done():
		case <-time.After(120 * time.Millisecond):
		}
		ended <- context.Cause(r.Context())
		io.WriteString(w, "done")
	})
	lines := bufio.NewReader(conn)
	for range 2 { // the second on a connection that has had deadlines
		fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
		if err := <-ended; err != nil {
			t.Errorf("the request was given up: %v", err)
		}
		res, err := http.ReadResponse(lines, nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := io.ReadAll(res.Body); string(b) != "done" {
			t.Errorf("it says %q", b)
		}
	}
}

// The library that reads bodies sets deadlines of its own, and takes ours away.
func TestABodyForTheAPIIsNotWaitedForEither(t *testing.T) {
	s := newSystem(t)
	web := httptest.NewServer(patience{grace: 50 * time.Millisecond, rate: 1 << 30}.wrap(s.router))
	t.Cleanup(web.Close)
	conn, err := net.Dial("tcp", web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode < 400 {
		t.Errorf("%+v, %v", res, err)
	}
}
