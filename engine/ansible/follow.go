package ansible

import (
	"io"
	"os"

	"github.com/fsnotify/fsnotify"
)

// follow copies what is written to the file until ended is closed and
// everything is copied.
func follow(path string, ended <-chan struct{}, to io.Writer) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer watcher.Close()
	if err := watcher.Add(path); err != nil {
		return err
	}
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
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
