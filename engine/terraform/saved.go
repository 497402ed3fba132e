package terraform

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// saved is a plan as it is kept until its apply, which may come to another slot
// or to another machine: bound to its sources, and with the files that planning
// made, such as the archive of a function's code.
type saved struct {
	Key   string // of the sources
	Slot  int
	Plan  []byte // Terraform's file
	Files []made
}

// made is a file that planning made or changed in the workspace.
type made struct {
	Path string // seen from the sources, with slashes
	Mode fs.FileMode
	Data []byte // of a link: where it leads
}

// maxMade is how much the files may have that are kept with a plan, in bytes.
const maxMade = 64 << 20

func (s saved) encode() ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(s)
	return b.Bytes(), err
}

func decodeSaved(b []byte) (s saved, err error) {
	if gob.NewDecoder(bytes.NewReader(b)).Decode(&s) != nil {
		return s, errors.New("the plan was made by another version of the worker; plan again")
	}
	return s, nil
}

// keep binds Terraform's plan file to what it was made with. What is never
// applied is kept without the files.
func (r *session) keep(plan []byte) ([]byte, error) {
	s := saved{Key: r.space.key, Slot: r.space.slot, Plan: plan}
	if r.job.RunKind.Changing() {
		var err error
		if s.Files, err = r.space.gather(r.before); err != nil {
			return nil, fmt.Errorf("files of the plan: %w", err)
		}
	}
	return s.encode()
}

// stamp tells whether a file was written since.
type stamp struct {
	size    int64
	changed time.Time
	mode    fs.FileMode
}

func stampOf(info fs.FileInfo) stamp { return stamp{info.Size(), info.ModTime(), info.Mode()} }

// stamps notes how each file of the workspace is now.
func (w *workspace) stamps() (map[string]stamp, error) {
	all := map[string]stamp{}
	err := w.each(func(path string, info fs.FileInfo) error {
		all[path] = stampOf(info)
		return nil
	})
	return all, err
}

// gather reads the files that were made or changed since the stamps.
func (w *workspace) gather(before map[string]stamp) (files []made, err error) {
	left := int64(maxMade)
	err = w.each(func(path string, info fs.FileInfo) error {
		if before[path] == stampOf(info) {
			return nil
		}
		if left -= info.Size(); left < 0 {
			return fmt.Errorf("planning writes more than %d MB into the module's folder, %s among it, which an apply elsewhere would lack; make large files before, and refer to where they are", maxMade>>20, path)
		}
		f, err := w.read(path, info)
		files = append(files, f)
		return err
	})
	return files, err
}

// each calls do for the files and links in the workspace that are not ours.
func (w *workspace) each(do func(path string, info fs.FileInfo) error) error {
	root, err := os.OpenRoot(w.sources())
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && name == path.Join(w.sub, ".terraform", "providers"):
			return fs.SkipDir
		case !e.Type().IsRegular() && e.Type() != fs.ModeSymlink, w.ours(name):
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		return do(name, info)
	})
}

// ours reports whether the file is one that we, or Terraform's init, put beside
// the sources.
func (w *workspace) ours(name string) bool {
	for _, own := range []string{settingsFile, importsFile, lockFile, erroredFile} {
		if name == path.Join(w.sub, own) {
			return true
		}
	}
	return false
}

func (w *workspace) read(name string, info fs.FileInfo) (f made, err error) {
	f = made{Path: name, Mode: info.Mode()}
	if info.Mode().IsRegular() {
		f.Data, err = sandbox.ReadFile(w.sources(), name)
		return f, err
	}
	target, err := os.Readlink(filepath.Join(w.sources(), filepath.FromSlash(name)))
	f.Data = []byte(target)
	return f, err
}

// restore puts the files of a plan back, whoever worked here in between.
func (w *workspace) restore(files []made) error {
	root, err := os.OpenRoot(w.sources())
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range files {
		if err := f.write(root); err != nil {
			return fmt.Errorf("file of the plan: %w", err)
		}
	}
	return nil
}

func (f made) write(root *os.Root) error {
	if err := root.MkdirAll(path.Dir(f.Path), 0o755); err != nil {
		return err
	}
	if err := root.RemoveAll(f.Path); err != nil {
		return err
	}
	if f.Mode.Type() == fs.ModeSymlink {
		return root.Symlink(string(f.Data), f.Path)
	}
	return root.WriteFile(f.Path, f.Data, f.Mode.Perm())
}
