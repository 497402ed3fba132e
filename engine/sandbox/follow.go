package sandbox

import (
	"io"
	"math"
	"os"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Follow copies what is written to the file until ended is closed and
// everything is copied. The file is made where it is missing.
func Follow(path string, ended <-chan struct{}, to io.Writer) error {
	from, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		return err
	}
	defer from.Close()
	written, stop := changes(path)
	defer stop()
	for {
		if _, err := io.Copy(to, from); err != nil {
			return err
		}
		select {
		case <-written:
		case <-ended:
			_, err := io.Copy(to, from)
			return err
		}
	}
}

// How often, and for how long, a file is looked at before it is watched: to end a
// watch takes Linux some 20 ms, half of what a short command does.
const (
	lookAtFirst = 10 * time.Millisecond
	watchAfter  = time.Second
)

// lookEvery is how often a file is looked at where the system has no watch
// left to give: Linux grants a user 128 of them by default.
const lookEvery = 250 * time.Millisecond

// changes signals when there may be something new in a file or a folder, from
// now on. A signal that nobody has taken yet stands for all that follow.
func changes(path string) (<-chan struct{}, func()) {
	signal, stop := make(chan struct{}, 1), make(chan struct{})
	go func() {
		if !tick(signal, stop, lookAtFirst, watchAfter) {
			watch(path, signal, stop)
		}
	}()
	return signal, func() { close(stop) }
}

// watch signals until stop is closed.
func watch(path string, signal chan<- struct{}, stop <-chan struct{}) {
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer watcher.Close() // nothing is lost
		err = watcher.Add(path)
	}
	ring(signal) // for what came before
	if err != nil {
		tick(signal, stop, lookEvery, math.MaxInt64)
		return
	}
	pass(watcher, signal, stop)
}

// pass passes events on. An error, such as a queue that ran over, is a signal
// as well: it means that events were lost.
func pass(watcher *fsnotify.Watcher, signal chan<- struct{}, stop <-chan struct{}) {
	for {
		select {
		case <-watcher.Events:
		case <-watcher.Errors:
		case <-stop:
			return
		}
		ring(signal)
	}
}

// tick signals from time to time for a while, or until stop is closed, which it
// reports.
func tick(signal chan<- struct{}, stop <-chan struct{}, every, during time.Duration) (stopped bool) {
	ticker, over := time.NewTicker(every), time.NewTimer(during)
	defer ticker.Stop()
	defer over.Stop()
	for {
		select {
		case <-ticker.C:
			ring(signal)
		case <-over.C:
			return false
		case <-stop:
			return true
		}
	}
}

func ring(signal chan<- struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}
