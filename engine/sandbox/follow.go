package sandbox

import (
	"io"
	"os"
	"path/filepath"
	"strconv"

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
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer watcher.Close()
	if err := watcher.Add(path); err != nil {
		return err
	}
	for {
		if _, err := io.Copy(to, from); err != nil {
			return err
		}
		select {
		case <-watcher.Events:
		case err := <-watcher.Errors:
			return err
		case <-ended:
			_, err := io.Copy(to, from)
			return err
		}
	}
}

// AwaitPid reads the process identifier that a child writes before it begins,
// and waits for it where the child is not that far. It gives up when ended is
// closed.
func AwaitPid(path string, ended <-chan struct{}) (int, bool) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return 0, false
	}
	defer watcher.Close()
	if err := watcher.Add(filepath.Dir(path)); err != nil {
		return 0, false
	}
	for {
		if b, err := os.ReadFile(path); err == nil {
			pid, err := strconv.Atoi(string(b))
			return pid, err == nil
		}
		select {
		case <-watcher.Events:
		case <-ended:
			return 0, false
		}
	}
}
