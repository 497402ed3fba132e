package blueprint

import (
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cloudops-manager/cloudops/engine"
)

// Limits of a bundle.
const (
	MaxBundle  = 10 << 20 // bytes, packed
	MaxSource  = 10 << 20 // bytes of all its files
	MaxFile    = 1 << 20  // bytes of one file
	MaxEntries = 10_000   // files and folders
	MaxPath    = 1024     // bytes of a name
)

// File is one file of a bundle.
type File struct {
	Data       []byte
	Executable bool
}

// Tree is the files of a bundle by name, such as "web/main.tf".
type Tree map[string]File

// builder puts a tree together and keeps it within the limits.
type builder struct {
	tree    Tree
	folders map[string]bool // names that have something below them
	size    int
	entries int
}

func newBuilder() *builder { return &builder{tree: Tree{}, folders: map[string]bool{}} }

// add puts a file into the tree. The name must have passed cleanName.
func (b *builder) add(name string, f File) error {
	if err := b.room(name, int64(len(f.Data))); err != nil {
		return err
	}
	if _, dup := b.tree[name]; dup || b.folders[name] {
		return engine.Invalid("the bundle holds %s twice", name)
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, file := b.tree[dir]; file {
			return engine.Invalid("the bundle holds %s both as a file and as a folder", dir)
		}
		b.folders[dir] = true
	}
	b.size += len(f.Data)
	b.tree[name] = f
	return nil
}

// room checks the limits before a file of the size is read.
func (b *builder) room(name string, size int64) error {
	if size > MaxFile {
		return engine.Invalid("%s has %s; a file of a stack has at most %s. Name what is not needed in .cloudopsignore", name, bytesText(size), bytesText(MaxFile))
	}
	if int64(b.size)+size > MaxSource {
		return engine.Invalid("the sources hold more than %s. Name what is not needed in .cloudopsignore", bytesText(MaxSource))
	}
	return b.count()
}

func (b *builder) count() error {
	if b.entries++; b.entries > MaxEntries {
		return engine.Invalid("the sources hold more than %d files and folders. Name what is not needed in .cloudopsignore", MaxEntries)
	}
	return nil
}

// cleanName checks the name of an entry and returns it in its shortest form,
// "." for the folder itself.
func cleanName(name string) (string, error) {
	clean := path.Clean(name)
	switch {
	case name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, isControl):
		return "", engine.Invalid("the bundle holds an entry with an unusable name: %q", name)
	case len(name) > MaxPath:
		return "", engine.Invalid("the bundle holds an entry whose name is longer than %d bytes: %.40s...", MaxPath, name)
	case path.IsAbs(name) || strings.Contains(name, `\`) || slices.Contains(strings.Split(name, "/"), ".."):
		return "", engine.Invalid("the bundle holds the entry %q, which leads out of the stack's folder; names are relative, with / and without ..", name)
	}
	return clean, nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// bytesText renders a size the way the limits are written.
func bytesText(n int64) string {
	const mb = 1 << 20
	if n%mb == 0 {
		return itoa(n/mb) + " MB"
	}
	return itoa(n) + " bytes"
}

// names lists the files in order.
func (t Tree) names() []string {
	names := make([]string, 0, len(t))
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// byFolder lists the names of the files right in each folder.
func (t Tree) byFolder() map[string][]string {
	folders := map[string][]string{}
	for _, name := range t.names() {
		folders[path.Dir(name)] = append(folders[path.Dir(name)], name)
	}
	return folders
}

func hasSuffix(name string, suffixes []string) bool {
	return slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(name, s) })
}

// within reports whether the name lies in dir or below it.
func within(name, dir string) bool {
	return dir == "." || strings.HasPrefix(name, dir+"/")
}
