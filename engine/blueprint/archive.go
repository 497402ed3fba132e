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

	"github.com/cloudops-manager/cloudops/engine"
)

// maxArchive bounds the archive of a module, and what it unpacks to.
const maxArchive = 50 << 20

// unpacking writes the plain files of an archive below a folder. Links, which
// examples and tests of modules may have, are left out.
type unpacking struct {
	dir  string
	room int64
}

func untar(data []byte, into string) error {
	gz, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return engine.Invalid("the archive of the module is no tar.gz: %v", err)
	}
	u := &unpacking{into, maxArchive}
	for tr := tar.NewReader(gz); ; {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return engine.Invalid("the archive of the module is no tar.gz, or is cut short: %v", err)
		}
		if hdr.Typeflag != tar.TypeReg {
			continue
		}
		if err := u.file(hdr.Name, tr); err != nil {
			return err
		}
	}
}

func unzip(data []byte, into string) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return engine.Invalid("the archive of the module is no zip: %v", err)
	}
	u := &unpacking{into, maxArchive}
	for _, f := range z.File {
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

func (u *unpacking) file(name string, content io.Reader) error {
	if name = filepath.Clean(filepath.FromSlash(name)); !filepath.IsLocal(name) {
		return engine.Invalid("the archive of the module has %q, which leads out of it", name)
	}
	data, err := io.ReadAll(io.LimitReader(content, u.room+1))
	if err != nil {
		return engine.Invalid("the archive of the module is cut short in %s: %v", name, err)
	}
	if u.room -= int64(len(data)); u.room < 0 {
		return engine.Invalid("the archive of the module unpacks to more than %s", bytesText(maxArchive))
	}
	target := filepath.Join(u.dir, name)
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	return os.WriteFile(target, data, 0o600)
}
