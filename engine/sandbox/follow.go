package sandbox

import (
	"io"
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

// lookEvery is how often a file is looked at where the system has no watch
// left to give: Linux grants a user 128 of them by default.
const lookEvery = 250 * time.Millisecond

// changes signals when there may be something new in a file or a folder, from
// now on. A signal that nobody has taken yet stands for all that follow.
func changes(path string) (<-chan struct{}, func()) {
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		if err = watcher.Add(path); err != nil {
			_ = watcher.Close() // of no use
		}
	}
	signal, stop := make(chan struct{}, 1), make(chan struct{})
	if err != nil {
		go tick(signal, stop)
		return signal, func() { close(stop) }
	}
	go pass(watcher, signal)
	return signal, func() { _ = watcher.Close() }
}

// pass passes events on. An error, such as a queue that ran over, is a signal
// as well: it means that events were lost.
func pass(watcher *fsnotify.Watcher, signal chan<- struct{}) {
	for {
		select {
		case _, open := <-watcher.Events:
			if !open {
				return
			}
		case _, open := <-watcher.Errors:
			if !open {
				return
			}
		}
		ring(signal)
	}
}

func tick(signal chan<- struct{}, stop <-chan struct{}) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			ring(signal)
		case <-stop:
			return
		}
	}
}

func ring(signal chan<- struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}
