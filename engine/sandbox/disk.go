package sandbox

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// DiskError is why a step is stopped that fills the disk.
type DiskError struct{ Used, Allowed int64 } // bytes

func (e *DiskError) Error() string {
	return fmt.Sprintf("the folders of the step have %d MiB, and %d MiB are allowed; see --sandbox-disk", e.Used>>20, e.Allowed>>20)
}

// measureEvery is how often the folders of a step are measured: a disk of a
// cloud takes a few GB in the meantime.
const measureEvery = 5 * time.Second

// Watch gives a context that ends, with a *DiskError as its cause, once there is
// more in the folders than the policy allows. A file counts with the blocks that
// it has. The caller calls stop in the end.
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
		if used := usage(dirs); used > allowed {
			end(&DiskError{Used: used, Allowed: allowed})
			return
		}
	}
}

// usage is how many bytes the files in the folders take. What cannot be looked
// at, such as what goes away meanwhile, counts for nothing.
func usage(dirs []string) (bytes int64) {
	for _, dir := range dirs {
		_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				if info, err := e.Info(); err == nil {
					bytes += blocks(info)
				}
			}
			return nil
		})
	}
	return bytes
}
