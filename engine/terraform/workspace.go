package terraform

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cloudops-manager/cloudops/engine"
)

// workspace is a folder in which Terraform works on one component's sources.
// One session has it at a time; another gets the next slot.
type workspace struct {
	dir  string   // the slot
	root string   // the root module in it
	lock *os.File // held while it is in use

	ownLock bool // the sources bring a lock file for providers
}

// workspace gives a free slot with the job's sources in it. A slot is used
// again while the sources are the same, and then needs no init.
func (d *Driver) workspace(job *engine.Job, bundle string) (*workspace, error) {
	src, sub, err := d.sources(job.Terraform.Source, bundle)
	if err != nil {
		return nil, err
	}
	key, err := sourceKey(src, sub)
	if err != nil {
		return nil, err
	}
	parent := filepath.Join(d.DataDir, "workspaces", job.Stack, strings.NewReplacer("/", "_", `"`, "").Replace(job.Component))
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	w, err := freeSlot(parent, key, sub)
	if err != nil {
		return nil, err
	}
	if err := w.fill(src, sub); err != nil {
		w.release()
		return nil, err
	}
	d.clearOld(parent, key)
	return w, nil
}

// sources finds the files that a source names, and the root module in them.
func (d *Driver) sources(source, bundle string) (fs.FS, string, error) {
	if name, ok := strings.CutPrefix(source, "modules/"); ok {
		module, err := d.Modules(name)
		return module, ".", err
	}
	return os.DirFS(bundle), filepath.ToSlash(filepath.Clean(source)), nil
}

// sourceKey is a digest of the files that Terraform may read. Stack files are
// none of them, so that editing one keeps the workspace.
func sourceKey(src fs.FS, sub string) (string, error) {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n", sub)
	err := fs.WalkDir(src, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || stackFile(path) {
			return err
		}
		f, err := src.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%d %s %d\n", len(path), path, info.Size())
		_, err = io.Copy(sum, f)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil))[:16], err
}

func stackFile(path string) bool {
	return path == "stack.hcl" || strings.HasSuffix(path, ".stack.hcl") && !strings.Contains(path, "/")
}

// maxSlots is how many sessions may work on one component's sources at once.
const maxSlots = 64

// freeSlot locks the first slot of the key that nobody has. One with a state
// that could not be written waits for the runner that will hand it in.
func freeSlot(parent, key, sub string) (*workspace, error) {
	for slot := range maxSlots {
		dir := filepath.Join(parent, key+"-"+strconv.Itoa(slot))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		lock, err := tryLock(filepath.Join(dir, "lock"))
		if err != nil {
			return nil, err
		}
		w := &workspace{dir: dir, lock: lock}
		if lock != nil && w.share() && !exists(filepath.Join(dir, "src", filepath.FromSlash(sub), erroredFile)) {
			now := time.Now() // clearOld goes by it
			return w, os.Chtimes(dir, now, now)
		}
		w.release()
	}
	return nil, errors.New("all slots are in use")
}

// share lets the children hold the lock too, which keeps the slot in use when
// we are killed. It fails where another session was quicker.
func (w *workspace) share() bool {
	return unix.Flock(int(w.lock.Fd()), unix.LOCK_SH|unix.LOCK_NB) == nil
}

// lockPath is the lock of the slot.
func (w *workspace) lockPath() string { return filepath.Join(w.dir, "lock") }

// tryLock takes the lock on a file, or returns nil where somebody has it. The
// lock ends with the process.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, f.Close()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if !isAt(f, path) { // who had the lock removed the folder
		return nil, f.Close()
	}
	return f, nil
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func isAt(f *os.File, path string) bool {
	open, err := f.Stat()
	there, err2 := os.Stat(path)
	return err == nil && err2 == nil && os.SameFile(open, there)
}

// fill copies the sources in, whole or not at all.
func (w *workspace) fill(src fs.FS, sub string) error {
	target := filepath.Join(w.dir, "src")
	w.root = filepath.Join(target, filepath.FromSlash(sub))
	_, err := fs.Stat(src, path.Join(sub, lockFile))
	w.ownLock = err == nil
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	tmp := filepath.Join(w.dir, "new")
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	if err := os.CopyFS(tmp, src); err != nil {
		return err
	}
	return os.Rename(tmp, target)
}

func (w *workspace) marker() string { return filepath.Join(w.dir, "initialized") }

// initialized reports whether init has succeeded here.
func (w *workspace) initialized() bool { _, err := os.Stat(w.marker()); return err == nil }

func (w *workspace) markInitialized() error { return os.WriteFile(w.marker(), nil, 0o600) }

const lockFile = ".terraform.lock.hcl"

// trustProviders takes the hashes out of a lock file that init made, so that
// Terraform does not hash providers of hundreds of megabytes at every command.
// They come from folders that runs only read, and were verified when they came
// there. A lock file of the user's own stays as it is, and is checked.
func (w *workspace) trustProviders() error {
	path := filepath.Join(w.root, lockFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || w.ownLock {
		return nil
	}
	if err != nil {
		return err
	}
	var kept strings.Builder
	inHashes := false
	for line := range strings.Lines(string(b)) {
		switch trimmed := strings.TrimSpace(line); {
		case strings.HasPrefix(trimmed, "hashes = ["):
			inHashes = !strings.HasSuffix(trimmed, "]")
		case inHashes:
			inHashes = trimmed != "]"
		default:
			kept.WriteString(line)
		}
	}
	return os.WriteFile(path, []byte(kept.String()), 0o600)
}

// builtinOnly reports whether the sources need no provider but Terraform's own.
func (w *workspace) builtinOnly() bool {
	_, err := os.Stat(filepath.Join(w.root, ".terraform", "providers"))
	return w.initialized() && errors.Is(err, fs.ErrNotExist)
}

func (w *workspace) release() {
	if w != nil && w.lock != nil {
		_ = w.lock.Close() // which unlocks
	}
}

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
