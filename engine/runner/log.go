package runner

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cloudops-manager/cloudops/engine"
)

// maxChunk is how much of a log is sent at a time, in bytes.
const maxChunk = 256 << 10

// The files of a log in the runner's folder: its lines, and where they begin
// in the log of the step.
const (
	logFile  = "log"
	baseFile = "log-begins"
)

// logWriter keeps a log in a file, whole lines with secrets masked, and sends it
// to the server by offset. A sender of its own takes what has come together
// since the last chunk, so a slow server gets fewer and larger chunks, and one
// that is away gets all of it later, from this runner or the next.
type logWriter struct {
	api  API
	log  *slog.Logger
	dir  string
	file *os.File // nil where the disk takes none

	masker atomic.Pointer[strings.Replacer]

	mu     sync.Mutex
	hidden []string // what masker replaces
	line   []byte   // the last line, as long as it is not whole
	size   int64    // of the file
	spill  []byte   // what follows the file, where the disk takes no more
	closed bool

	base int64         // where this attempt's log begins in the step's
	sent int64         // of file and spill; only the sender's after the start
	wake chan struct{} // there is something to send, or the end
	done chan struct{} // everything is sent
	stop context.CancelFunc
}

// openLog opens the log of the attempt, and goes on with what a runner before
// left there. The job's offset is how much of the step's log the server has. On a
// disk that takes no file the log is in memory only.
func openLog(api API, log *slog.Logger, dir string, job *engine.Job) *logWriter {
	ctx, stop := context.WithCancel(context.Background())
	l := &logWriter{
		api: api, log: log, dir: dir, base: job.LogOffset,
		wake: make(chan struct{}, 1), done: make(chan struct{}), stop: stop,
	}
	l.hide(job.Mask...)
	if err := l.openFile(); err != nil {
		log.Warn("the log is in memory only", "err", err)
	}
	l.sent = job.LogOffset - l.base
	go l.send(ctx)
	return l
}

// openFile opens the file of the log. It changes nothing where it fails.
func (l *logWriter) openFile() error {
	base, err := logBase(l.dir, l.base)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(l.dir, logFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.base, l.file, l.size = base, f, size
	return nil
}

// logBase is where the attempt's log begins: now, or as the first runner of the
// attempt wrote down.
func logBase(dir string, now int64) (int64, error) {
	path := filepath.Join(dir, baseFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return now, writeWhole(path, strconv.AppendInt(nil, now, 10))
	}
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(b), 10, 64)
}

func (l *logWriter) mask(s string) string { return l.masker.Load().Replace(s) }

// hide adds secrets to those that are masked.
func (l *logWriter) hide(secrets ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hidden = append(l.hidden, secrets...)
	l.masker.Store(newMasker(l.hidden))
}

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
	text := []byte(l.mask(string(l.line[:n])))
	l.line = append(l.line[:0], l.line[n:]...)
	if l.file != nil && l.spill == nil {
		written, err := l.file.WriteAt(text, l.size)
		l.size += int64(written)
		if text = text[written:]; err != nil {
			l.log.Warn("the log is in memory only from here on", "err", err)
		}
	}
	if len(text) > 0 {
		l.spill = append(l.spill, text...)
	}
	l.ring()
}

func (l *logWriter) ring() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Begin writes down that a command's output begins here. Without the mark a
// runner that takes over repeats a part of the log, and no more.
func (l *logWriter) Begin(command string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.take(len(l.line))
	if err := writeWhole(l.markFile(command), strconv.AppendInt(nil, l.size, 10)); err != nil {
		l.log.Warn("place in the log not marked", "command", command, "err", err)
	}
}

// Resume takes the log back to where the command began. What was sent of its
// output is the same once more, and is not sent again.
func (l *logWriter) Resume(command string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, err := os.ReadFile(l.markFile(command))
	if err != nil {
		return
	}
	if at, err := strconv.ParseInt(string(b), 10, 64); err == nil && at <= l.size {
		l.line, l.size = nil, at
	}
}

func (l *logWriter) markFile(command string) string {
	return filepath.Join(l.dir, logFile+"-"+command)
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
	_ = l.file.Close() // which was read to its end
}

// send delivers chunk after chunk until the log is closed and empty.
func (l *logWriter) send(ctx context.Context) {
	defer close(l.done)
	for {
		chunk, closed, err := l.next()
		if err != nil {
			l.log.Warn("log not read", "offset", l.sent, "err", err)
			return
		}
		if len(chunk) == 0 && closed {
			return
		}
		if len(chunk) == 0 {
			<-l.wake
			continue
		}
		_, err = retry(ctx, func() (int64, error) { return l.api.AppendLog(ctx, l.base+l.sent, chunk) })
		if err != nil {
			l.log.Warn("log not taken", "offset", l.base+l.sent, "err", err)
			return
		}
		l.sent += int64(len(chunk))
	}
}

// next reads up to maxChunk bytes of what is not sent yet.
func (l *logWriter) next() (chunk []byte, closed bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if left := l.size - l.sent; left > 0 {
		chunk = make([]byte, min(left, maxChunk))
		_, err = l.file.ReadAt(chunk, l.sent)
		return chunk, l.closed, err
	}
	if past := l.sent - l.size; past >= 0 && past < int64(len(l.spill)) {
		chunk = bytes.Clone(l.spill[past:min(int64(len(l.spill)), past+maxChunk)])
	}
	return chunk, l.closed, nil
}
