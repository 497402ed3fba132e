package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
)

// maxChunk is how much of a log is sent at a time, in bytes.
const maxChunk = 256 << 10

// logWriter sends a log to the server by offset, whole lines at a time, with
// secrets masked. A sender of its own takes what has come together since the
// last chunk, so a slow server gets fewer and larger chunks.
type logWriter struct {
	api    API
	log    *slog.Logger
	masker *strings.Replacer

	mu     sync.Mutex
	line   []byte // the last line, as long as it is not whole
	ready  []byte // masked, to be sent
	closed bool

	offset int64         // of ready's first byte; only the sender's after the start
	wake   chan struct{} // there is something to send, or the end
	done   chan struct{} // everything is sent
	stop   context.CancelFunc
}

func newLog(api API, log *slog.Logger, offset int64, secrets []string) *logWriter {
	ctx, stop := context.WithCancel(context.Background())
	l := &logWriter{
		api: api, log: log, masker: newMasker(secrets), offset: offset,
		wake: make(chan struct{}, 1), done: make(chan struct{}), stop: stop,
	}
	go l.send(ctx)
	return l
}

// minSecret is the least length of a value that is masked: shorter ones would
// blot out ordinary text.
const minSecret = 4

// newMasker replaces each secret. One with several lines is masked line by
// line, since a log is sent so; one that JSON would spell otherwise is masked
// in that spelling, too. Longer ones come first, so that a secret within
// another leaves nothing of it.
func newMasker(secrets []string) *strings.Replacer {
	var words []string
	for _, secret := range secrets {
		for line := range strings.SplitSeq(secret, "\n") {
			if line = strings.TrimSpace(line); len(line) >= minSecret {
				words = append(words, line, inJSON(line))
			}
		}
	}
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, word := range slices.Compact(words) {
		pairs = append(pairs, word, "(sensitive)")
	}
	return strings.NewReplacer(pairs...)
}

// inJSON is the text as it stands between the quotes of a JSON string.
func inJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return string(b[1 : len(b)-1])
}

func (l *logWriter) mask(s string) string { return l.masker.Replace(s) }

// Write implements io.Writer. It never waits for the server and never fails.
func (l *logWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	l.line = append(l.line, p...)
	if end := bytes.LastIndexByte(l.line, '\n') + 1; end > 0 {
		l.take(end)
	}
	l.mu.Unlock()
	return len(p), nil
}

// take moves the first n bytes of whole lines over to what is sent.
func (l *logWriter) take(n int) {
	l.ready = append(l.ready, l.mask(string(l.line[:n]))...)
	l.line = append(l.line[:0], l.line[n:]...)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Close sends what is left and waits until it has arrived, or ctx ends.
func (l *logWriter) Close(ctx context.Context) {
	l.mu.Lock()
	l.closed = true
	l.take(len(l.line))
	l.mu.Unlock()
	select {
	case <-l.done:
	case <-ctx.Done():
	}
	l.stop()
}

// send delivers chunk after chunk until the log is closed and empty.
func (l *logWriter) send(ctx context.Context) {
	defer close(l.done)
	for {
		chunk, closed := l.next()
		if len(chunk) == 0 && closed {
			return
		}
		if len(chunk) == 0 {
			<-l.wake
			continue
		}
		_, err := retry(ctx, func() (int64, error) { return l.api.AppendLog(ctx, l.offset, chunk) })
		if err != nil {
			l.log.Warn("log not taken", "offset", l.offset, "err", err)
			return
		}
		l.offset += int64(len(chunk))
	}
}

// next takes up to maxChunk bytes of what is ready.
func (l *logWriter) next() (chunk []byte, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.ready), maxChunk)
	chunk = bytes.Clone(l.ready[:n])
	l.ready = append(l.ready[:0], l.ready[n:]...)
	return chunk, l.closed
}
