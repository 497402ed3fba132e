package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// DiskError is why a step is stopped that fills the disk, or hides what it has there.
type DiskError struct {
	Used, Allowed int64  // bytes
	Hidden        string // a folder that cannot be looked into
}

func (e *DiskError) Error() string {
	if e.Hidden != "" {
		return fmt.Sprintf("the folders of the step cannot be measured, since %s is closed to its own user; see --sandbox-disk", e.Hidden)
	}
	return fmt.Sprintf("the folders of the step have %d MiB, and %d MiB are allowed; see --sandbox-disk", e.Used>>20, e.Allowed>>20)
}

// measureEvery is how often the folders of a step are measured: a disk of a
// cloud takes a few GB in the meantime.
const measureEvery = 5 * time.Second

// leastBytes is what each file and folder counts with at least: a file system has
// about one inode for so many. Source: inode_ratio in mke2fs.conf(5).
const leastBytes = 16 << 10

// Watch gives a context that ends, with a *DiskError as its cause, once there is
// more in the folders than the policy allows. A file counts with the blocks that
// it has, also one that was removed and is still open. The caller calls stop in
// the end.
func (b *Box) Watch(ctx context.Context, dirs ...string) (watched context.Context, stop context.CancelFunc) {
	watched, end := context.WithCancelCause(ctx)
	stop = func() { end(context.Canceled) }
	if allowed := b.policy.Limits.Disk; allowed > 0 && b.policy.up() {
		go measure(watched, allowed, dirs, end)
	}
	return watched, stop
}

func measure(ctx context.Context, allowed int64, dirs []string, end context.CancelCauseFunc) {
	tick := time.NewTicker(measureEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		used, hidden := usage(dirs)
		if used += removed(dirs); used > allowed || hidden != "" {
			end(&DiskError{Used: used, Allowed: allowed, Hidden: hidden})
			return
		}
	}
}

// usage is how many bytes all in the folders takes, and a folder among them that
// we may not look into. What goes away meanwhile counts for nothing.
func usage(dirs []string) (bytes int64, hidden string) {
	for _, dir := range dirs {
		_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrPermission) {
				hidden = path
			}
			if err == nil {
				if info, err := e.Info(); err == nil {
					bytes += max(blocks(info), leastBytes)
				}
			}
			return nil
		})
	}
	return bytes, hidden
}
