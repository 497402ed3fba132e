package blueprint

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"

	"github.com/cloudops-manager/cloudops/engine"
)

// Pack makes a bundle of the folder. The same files give the same bytes. It
// leaves out what .cloudopsignore names, .git, .terraform, node_modules and
// Terraform states, and refuses symlinks that lead outside.
func Pack(dir string) ([]byte, error) {
	tree, err := ReadDir(dir)
	if err != nil {
		return nil, err
	}
	return tree.Pack()
}

// PackFiles makes a bundle of files by name, for a stack that is HCL alone.
func PackFiles(files map[string][]byte) ([]byte, error) {
	b := newBuilder()
	for name, data := range files {
		clean, err := cleanName(name)
		if err != nil {
			return nil, err
		}
		if err := b.add(clean, File{Data: data}); err != nil {
			return nil, err
		}
	}
	return b.tree.Pack()
}

// Pack makes a bundle of the files. The same files give the same bytes.
func (t Tree) Pack() ([]byte, error) {
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	tw := tar.NewWriter(gz)
	for _, name := range t.names() {
		if err := writeEntry(tw, name, t[name]); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(tw.Close(), gz.Close()); err != nil {
		return nil, err
	}
	if buf.Len() > MaxBundle {
		return nil, engine.Invalid("the sources have more than %s even when packed. Name what is not needed in %s", bytesText(MaxBundle), ignoreFile)
	}
	return buf.Bytes(), nil
}

func writeEntry(tw *tar.Writer, name string, f File) error {
	err := tw.WriteHeader(&tar.Header{Name: name, Mode: int64(f.mode()), Size: int64(len(f.Data))})
	if err != nil {
		return err
	}
	_, err = tw.Write(f.Data)
	return err
}

func (f File) mode() fs.FileMode {
	if f.Executable {
		return 0o755
	}
	return 0o644
}

// ReadDir reads the files of a stack's folder that belong into its bundle.
func ReadDir(dir string) (Tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, engine.Invalid("%s cannot be read as a folder: %v", dir, err)
	}
	defer root.Close()
	ignore, err := readIgnores(root)
	if err != nil {
		return nil, err
	}
	r := reader{root: root, ignore: ignore, builder: newBuilder()}
	if err := fs.WalkDir(root.FS(), ".", r.visit); err != nil {
		return nil, err
	}
	return r.tree, nil
}

func readIgnores(root *os.Root) (ignores, error) {
	text, err := root.ReadFile(ignoreFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseIgnores(string(text))
}

// reader fills a tree from a folder. The root refuses to follow any link that
// leads out of it.
type reader struct {
	*builder
	root   *os.Root
	ignore ignores
}

func (r *reader) visit(name string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	if name != "." && (junk(name) || r.ignore.match(name)) {
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if d.IsDir() {
		return r.count()
	}
	return r.file(name)
}

func (r *reader) file(name string) error {
	info, err := r.root.Stat(name)
	if err != nil {
		return r.linkError(name, err)
	}
	if !info.Mode().IsRegular() {
		return engine.Invalid("%s is not a file, or is a symlink to a folder; a stack is made of plain files and folders", name)
	}
	if _, err := cleanName(name); err != nil {
		return err
	}
	if err := r.room(name, info.Size()); err != nil {
		return err
	}
	r.entries-- // add counts it
	data, err := r.root.ReadFile(name)
	if err != nil {
		return err
	}
	return r.add(name, File{Data: data, Executable: info.Mode()&0o111 != 0})
}

// linkError says what is wrong with a symlink that cannot be followed.
func (r *reader) linkError(name string, err error) error {
	target, linkErr := r.root.Readlink(name)
	if linkErr != nil {
		return err
	}
	return engine.Invalid("%s is a symlink to %s, which leads out of the stack's folder or to nothing; put the file itself there", name, target)
}
