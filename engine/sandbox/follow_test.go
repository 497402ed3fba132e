package sandbox

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestFollowCopiesEverythingInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	ended, done := make(chan struct{}), make(chan error, 1)
	var got bytes.Buffer
	go func() { done <- Follow(path, ended, &got) }()
	f := appendTo(t, path)
	var want strings.Builder
	for i := range 1000 {
		line := "line " + strconv.Itoa(i) + "\n"
		want.WriteString(line)
		write(t, f, line)
	}
	close(ended)
	if err := <-done; err != nil || got.String() != want.String() {
		t.Errorf("copied %d bytes of %d, %v", got.Len(), want.Len(), err)
	}
}

func TestFollowShowsALineWhileTheFileIsStillWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	ended, seen := make(chan struct{}), make(chan string)
	defer close(ended)
	go func() { _ = Follow(path, ended, lineWriter(seen)) }()
	f := appendTo(t, path)
	for _, line := range []string{"first\n", "second\n", "third\n"} {
		write(t, f, line)
		if got := <-seen; got != line {
			t.Errorf("seen %q, want %q", got, line)
		}
	}
}

type lineWriter chan<- string

func (w lineWriter) Write(p []byte) (int, error) { w <- string(p); return len(p), nil }

func TestLookingFromTimeToTimeStandsInForAWatch(t *testing.T) {
	signal, stop := make(chan struct{}, 1), make(chan struct{})
	stopped := make(chan bool)
	go func() { stopped <- tick(signal, stop, time.Millisecond, time.Hour) }()
	<-signal
	close(stop)
	if !<-stopped {
		t.Error("it was not stopped")
	}
	if tick(signal, nil, time.Hour, time.Millisecond) {
		t.Error("it was stopped")
	}
}

func TestWatchTellsOfWhatCameBeforeIt(t *testing.T) {
	for name, path := range map[string]string{"a file": filepath.Join(t.TempDir(), "log"), "none to watch": filepath.Join(t.TempDir(), "missing")} {
		t.Run(name, func(t *testing.T) {
			if name == "a file" {
				appendTo(t, path)
			}
			signal, stop, stopped := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
			go func() { watch(path, signal, stop); close(stopped) }()
			<-signal // before anything happens
			if name == "a file" {
				write(t, appendTo(t, path), "line\n")
			}
			<-signal
			close(stop)
			<-stopped
		})
	}
}

func TestPidIsWaitedForUntilTheChildHasEnded(t *testing.T) {
	dir := t.TempDir()
	found := make(chan int)
	go func() {
		p, _ := AwaitProcess(filepath.Join(dir, "pid"), nil)
		found <- p.Pid
	}()
	s := Spec{Program: "/bin/true", PidFile: filepath.Join(dir, "pid")}
	if out, err := start(t, s); err != nil {
		t.Fatal(err, out)
	}
	if pid := <-found; pid <= 0 {
		t.Errorf("pid = %d", pid)
	}
	ended := make(chan struct{})
	close(ended)
	if _, ok := AwaitProcess(filepath.Join(dir, "missing"), ended); ok {
		t.Error("found a pid that nobody wrote")
	}
}

func appendTo(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func write(t *testing.T, f *os.File, text string) {
	t.Helper()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}
