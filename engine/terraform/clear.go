package terraform

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// keepOld is how long a workspace of other sources is kept.
const keepOld = 24 * time.Hour

// clearOld removes workspaces of the component that have other sources and
// were not used for a while. What cannot be removed now is tried again by the
// next session.
func (d *Driver) clearOld(parent, key string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || strings.HasPrefix(e.Name(), key) || time.Since(info.ModTime()) < keepOld {
			continue
		}
		dir := filepath.Join(parent, e.Name())
		if holdsErrored(dir) {
			continue
		}
		if lock, err := tryLock(filepath.Join(dir, "lock")); err == nil && lock != nil {
			if err := os.RemoveAll(dir); err != nil {
				d.Log.Warn("old workspace not removed", "dir", dir, "err", err)
			}
			_ = lock.Close()
		}
	}
}

// holdsErrored reports whether there is a state in the folder that stands
// nowhere else.
func holdsErrored(dir string) (found bool) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Name() == erroredFile {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}
