package api

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// patience is how long the server waits for a client that sends or takes
// slowly. It is time with a rate, so that much may take longer than little; a
// stream may last for ever, as long as what is sent is taken.
type patience struct {
	grace time.Duration
	rate  int64 // bytes a second
}

// clients may be as slow as a bad mobile connection.
var clients = patience{grace: 30 * time.Second, rate: 16 << 10}

// limit is the time for n bytes.
func (p patience) limit(n int64) time.Duration {
	return p.grace + time.Duration(n/p.rate)*time.Second
}

// wrap gives each body and each write of an answer its time.
func (p patience) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pw := &patientWriter{w, http.NewResponseController(w), p}
		pw.wait(0) // or the time of the answer before would run on
		if r.Body != nil && r.Body != http.NoBody {
			// Recorders of tests have no connection to wait for.
			_ = pw.control.SetReadDeadline(time.Now().Add(p.grace))
			// A copy, for net/http looks at the body of its own: who sends too much is
			// let read the answer before the connection is closed.
			body := &patientBody{ReadCloser: r.Body, control: pw.control, p: p}
			r = r.WithContext(r.Context())
			r.Body = body
		}
		h.ServeHTTP(pw, r)
	})
}

// patientBody gives a body time for what has come of it, whatever length it says
// it has. The time ends with the body: a request may be worked on for longer than
// it took to send.
type patientBody struct {
	io.ReadCloser
	control *http.ResponseController
	p       patience
	began   time.Time // when it was read first
	came    int64
}

// Read implements io.Reader.
func (b *patientBody) Read(p []byte) (int, error) {
	if b.began.IsZero() {
		b.began = time.Now()
	}
	_ = b.control.SetReadDeadline(b.began.Add(b.p.limit(b.came)))
	n, err := b.ReadCloser.Read(p)
	b.came += int64(n)
	if errors.Is(err, io.EOF) {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// patientWriter gives each write its time.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	p       patience
}

func (w *patientWriter) wait(n int) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.p.limit(int64(n))))
}

// WriteHeader implements http.ResponseWriter.
func (w *patientWriter) WriteHeader(status int) {
	w.wait(0)
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *patientWriter) Write(b []byte) (int, error) {
	w.wait(len(b))
	return w.ResponseWriter.Write(b)
}

// Flush implements http.Flusher, for streams.
func (w *patientWriter) Flush() {
	w.wait(0)
	_ = w.control.Flush() // a client that is gone is noticed by the next write
}

// SetReadDeadline keeps the libraries from taking the time for a body away.
func (w *patientWriter) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does so for the time of a write.
func (w *patientWriter) SetWriteDeadline(time.Time) error { return nil }

// Unwrap lets http.ResponseController find the connection.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
