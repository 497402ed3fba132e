package terraform

import (
	"context"
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

	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// workspace is a folder in which Terraform works on one component's sources.
// One session has it at a time; another gets the next slot.
type workspace struct {
	key  string // of the sources
	slot int
	sub  string   // the root module, seen from the sources, with slashes
	dir  string   // the slot
	root string   // the root module in it
	lock *os.File // held while it is in use

	ownLock bool // the sources bring a lock file for providers
}

// workspace gives a free slot with the job's sources in it. A slot is used
// again while the sources are the same, and then needs no init. The apply of a
// plan gets that plan's slot where it can.
func (r *session) workspace(ctx context.Context, bundle string, plan *saved) (*workspace, error) {
	src, sub, err := r.sources(r.job.Terraform.Source, bundle)
	if err != nil {
		return nil, err
	}
	key, err := sourceKey(src, sub)
	if err != nil {
		return nil, err
	}
	if plan != nil && plan.Key != key {
		return nil, errors.New("the module's files are not those that were planned, as after an upgrade of the worker; plan again")
	}
	parent := filepath.Join(r.DataDir, "workspaces", r.job.Stack, strings.NewReplacer("/", "_", `"`, "").Replace(r.job.Component))
	w, err := r.slot(ctx, workspace{dir: parent, key: key, sub: sub}, plan)
	if err != nil {
		return nil, err
	}
	if err := w.fill(src); err != nil {
		w.release()
		return nil, err
	}
	r.clearOld(parent, key)
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

// slot takes a slot; all is the workspace without one, in the folder of them all.
func (r *session) slot(ctx context.Context, all workspace, plan *saved) (*workspace, error) {
	if plan == nil {
		return all.free()
	}
	w, err := all.take(plan.Slot, tryLock)
	if err == nil && w == nil {
		w, err = r.awaitSlot(ctx, all, plan.Slot)
	}
	if err == nil && w == nil {
		return all.free()
	}
	return w, err
}

// awaitSlot waits a while for the slot of the plan: in another one the absolute
// path of a file, which the plan may have in it, is another.
func (r *session) awaitSlot(ctx context.Context, all workspace, slot int) (*workspace, error) {
	fmt.Fprintln(r.log, "Waiting for the workspace of the plan, which is in use.")
	waiting, stop := context.WithTimeout(ctx, r.LockTimeout)
	defer stop()
	w, err := all.take(slot, func(path string) (*os.File, error) { return lock(waiting, path) })
	if err == nil || ctx.Err() != nil || waiting.Err() == nil {
		return w, err
	}
	fmt.Fprintln(r.log, "Going on in another one, where absolute paths are others.")
	return nil, nil
}

// free takes the first slot that nobody has.
func (w workspace) free() (*workspace, error) {
	for slot := range maxSlots {
		if got, err := w.take(slot, tryLock); got != nil || err != nil {
			return got, err
		}
	}
	return nil, errors.New("all slots are in use")
}

// take takes one slot with the lock, or returns nil where it is not to be had.
// One with a state that could not be written waits for the runner that will hand
// it in.
func (w workspace) take(slot int, lock func(path string) (*os.File, error)) (*workspace, error) {
	w.slot, w.dir = slot, filepath.Join(w.dir, w.key+"-"+strconv.Itoa(slot))
	w.root = filepath.Join(w.sources(), filepath.FromSlash(w.sub))
	if exists(filepath.Join(w.root, erroredFile)) {
		return nil, nil
	}
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	if w.lock, err = lock(w.lockPath()); err != nil || w.lock == nil {
		return nil, err
	}
	if !w.share() || exists(filepath.Join(w.root, erroredFile)) {
		w.release()
		return nil, nil
	}
	now := time.Now() // clearOld goes by it
	return &w, os.Chtimes(w.dir, now, now)
}

// share lets the children hold the lock too, which keeps the slot in use when
// we are killed. It fails where another session was quicker.
func (w *workspace) share() bool {
	return unix.Flock(int(w.lock.Fd()), unix.LOCK_SH|unix.LOCK_NB) == nil
}

// sources is the folder of the slot's copy of the sources.
func (w *workspace) sources() string { return filepath.Join(w.dir, "src") }

// lockPath is the lock of the slot.
func (w *workspace) lockPath() string { return filepath.Join(w.dir, "lock") }

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// fill copies the sources in, whole or not at all.
func (w *workspace) fill(src fs.FS) error {
	_, err := fs.Stat(src, path.Join(w.sub, lockFile))
	w.ownLock = err == nil
	if exists(w.sources()) {
		return nil
	}
	tmp := filepath.Join(w.dir, "new")
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	if err := os.CopyFS(tmp, src); err != nil {
		return err
	}
	return os.Rename(tmp, w.sources())
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
	name := path.Join(w.sub, lockFile)
	b, err := sandbox.ReadFile(w.sources(), name)
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
	return sandbox.WriteFile(w.sources(), name, []byte(kept.String()))
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
