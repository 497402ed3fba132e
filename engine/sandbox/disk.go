package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
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

// leastBytes is what each file and folder counts with at least: a file system has
// about one inode for so many. Source: inode_ratio in mke2fs.conf(5).
const leastBytes = 16 << 10

// measure checks that there is no more in the folders than is allowed, in bytes; 0
// for any number.
func measure(dirs []string, allowed int64) error {
	if allowed == 0 {
		return nil
	}
	used, hidden := usage(dirs)
	if used += removed(dirs); used > allowed || hidden != "" {
		return &DiskError{Used: used, Allowed: allowed, Hidden: hidden}
	}
	return nil
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
