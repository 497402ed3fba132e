package blueprint

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/cloudops-manager/cloudops/engine"
)

// The bounds of the archive of a module: its bytes, and those that it unpacks to;
// its entries, links and folders included; and what is read of it at all, so that
// what is left out costs no more than what is not.
const (
	maxArchive        = 50 << 20
	maxArchiveEntries = 20_000
	maxArchiveStream  = 2 * maxArchive
)

// unpacking writes the plain files of an archive below a folder. Links, which
// examples and tests of modules may have, are left out.
type unpacking struct {
	dir     string
	room    int64
	entries int
	folders map[string]bool // that are counted
}

func untar(data []byte, into string) error {
	gz, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return engine.Invalid("the archive of the module is no tar.gz: %v", err)
	}
	u := &unpacking{dir: into, room: maxArchive, folders: map[string]bool{}}
	stream := &io.LimitedReader{R: gz, N: maxArchiveStream}
	for tr := tar.NewReader(stream); ; {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if stream.N <= 0 {
			return tooMuch()
		}
		if err != nil {
			return engine.Invalid("the archive of the module is no tar.gz, or is cut short: %v", err)
		}
		if err := u.count(); err != nil {
			return err
		}
		if hdr.Typeflag != tar.TypeReg {
			continue
		}
		if err := u.file(hdr.Name, tr); err != nil {
			return err
		}
	}
}

// directoryHeader begins what a zip says of one entry. Source:
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3.12.
var directoryHeader = []byte("PK\x01\x02")

func unzip(data []byte, into string) error {
	if bytes.Count(data, directoryHeader) > maxArchiveEntries { // the library would keep them all in memory
		return tooMany()
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return engine.Invalid("the archive of the module is no zip: %v", err)
	}
	u := &unpacking{dir: into, room: maxArchive, folders: map[string]bool{}}
	for _, f := range z.File {
		if err := u.count(); err != nil {
			return err
		}
		if !f.Mode().IsRegular() {
			continue
		}
		content, err := f.Open()
		if err != nil {
			return engine.Invalid("the archive of the module cannot be read in %s: %v", f.Name, err)
		}
		err = u.file(f.Name, content)
		content.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacking) count() error {
	if u.entries++; u.entries > maxArchiveEntries {
		return tooMany()
	}
	return nil
}

func tooMany() error {
	return engine.Invalid("the archive of the module has more than %d entries", maxArchiveEntries)
}

func tooMuch() error {
	return engine.Invalid("the archive of the module unpacks to more than %s", bytesText(maxArchive))
}

func (u *unpacking) file(name string, content io.Reader) error {
	if name = filepath.Clean(filepath.FromSlash(name)); !filepath.IsLocal(name) {
		return engine.Invalid("the archive of the module has %q, which leads out of it", name)
	}
	for dir := filepath.Dir(name); dir != "." && !u.folders[dir]; dir = filepath.Dir(dir) {
		if err := u.count(); err != nil {
			return err
		}
		u.folders[dir] = true
	}
	data, err := io.ReadAll(io.LimitReader(content, u.room+1))
	if err != nil {
		return engine.Invalid("the archive of the module is cut short in %s: %v", name, err)
	}
	if u.room -= int64(len(data)); u.room < 0 {
		return tooMuch()
	}
	target := filepath.Join(u.dir, name)
	err = os.MkdirAll(filepath.Dir(target), 0o700)
	if err == nil {
		err = os.WriteFile(target, data, 0o600)
	}
	if nobodys(err) {
		return engine.Invalid("the archive of the module has %q, which no file system takes or which is a file and a folder", name)
	}
	return err
}

// nobodys reports whether a file cannot be written by anybody, whatever the disk.
func nobodys(err error) bool {
	for _, kind := range []error{syscall.ENOTDIR, syscall.EISDIR, syscall.ENAMETOOLONG, syscall.EINVAL} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
