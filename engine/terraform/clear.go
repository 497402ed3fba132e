package terraform

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cloudops-manager/cloudops/engine/sandbox"
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
		if !strings.HasPrefix(e.Name(), key) {
			d.clearSlot(filepath.Join(parent, e.Name()), time.Now().Add(-keepOld))
		}
	}
}

// ClearUnused removes the workspaces that no session has had since the time: the
// stack or the component may be gone, and their sources with them. What cannot be
// removed is tried again by the next call.
func (d *Driver) ClearUnused(since time.Time) error {
	slots, err := fs.Glob(os.DirFS(d.DataDir), "workspaces/*/*/*")
	for _, slot := range slots {
		dir := filepath.Join(d.DataDir, filepath.FromSlash(slot))
		d.clearSlot(dir, since)
		_ = os.Remove(filepath.Dir(dir)) // the component's, which stays while there is something in it
		_ = os.Remove(filepath.Dir(filepath.Dir(dir)))
	}
	return err
}

// clearSlot removes a slot that was not used since the time, unless somebody has
// it or it has a state that stands nowhere else.
func (d *Driver) clearSlot(dir string, since time.Time) {
	if usedSince(dir, since) {
		return
	}
	lock, err := tryLock(filepath.Join(dir, "lock"))
	if err != nil || lock == nil {
		return
	}
	defer lock.Close()
	if holdsErrored(dir) {
		return
	}
	gone := dir + ".old" // who waits for the lock does not get a folder that is half removed
	if err = os.Rename(dir, gone); err == nil {
		err = sandbox.RemoveAll(gone)
	}
	if err != nil {
		d.Log.Warn("old workspace not removed", "dir", dir, "err", err)
	}
}

func usedSince(dir string, since time.Time) bool {
	info, err := os.Stat(dir)
	return err != nil || !info.ModTime().Before(since)
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
