package blueprint

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/cloudops-manager/cloudops/engine"
)

// maxStream bounds what a bundle may unpack to, headers and padding included.
const maxStream = MaxSource + MaxEntries*4*512

// Unpack reads a bundle into memory. It wraps ErrInvalid for anything but
// plain files and folders inside the bundle and within the limits.
func Unpack(data []byte) (Tree, error) {
	if len(data) > MaxBundle {
		return nil, engine.Invalid("the bundle has %s; at most %s are taken. Name what is not needed in %s", bytesText(int64(len(data))), bytesText(MaxBundle), ignoreFile)
	}
	gz, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, engine.Invalid("the bundle is not a tar.gz: %v", err)
	}
	stream := &io.LimitedReader{R: gz, N: maxStream}
	b := newBuilder()
	err = b.entriesOf(tar.NewReader(stream))
	if stream.N <= 0 {
		return nil, engine.Invalid("the bundle unpacks to more than %s", bytesText(MaxSource))
	}
	if err != nil {
		return nil, err
	}
	return b.tree, nil
}

func (b *builder) entriesOf(tr *tar.Reader) error {
	for {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return engine.Invalid("the bundle is not a tar.gz, or is cut short: %v", err)
		}
		if err := b.entry(hdr, tr); err != nil {
			return err
		}
	}
}

func (b *builder) entry(hdr *tar.Header, content io.Reader) error {
	if hdr.Typeflag == tar.TypeXGlobalHeader { // git archive writes one
		return b.count()
	}
	name, err := cleanName(hdr.Name)
	if err != nil {
		return err
	}
	switch {
	case hdr.Typeflag == tar.TypeDir:
		if _, file := b.tree[name]; file {
			return engine.Invalid("the bundle holds %s both as a file and as a folder", name)
		}
		b.folders[name] = true
		return b.count()
	case hdr.Typeflag == tar.TypeReg && name != ".":
		return b.regular(name, hdr, content)
	default:
		return engine.Invalid("the bundle holds %s, which is a link or a device; a stack is made of plain files and folders", name)
	}
}

func (b *builder) regular(name string, hdr *tar.Header, content io.Reader) error {
	if err := b.room(name, hdr.Size); err != nil {
		return err
	}
	b.entries-- // add counts it
	data, err := io.ReadAll(content)
	if err != nil {
		return engine.Invalid("the bundle is cut short in %s: %v", name, err)
	}
	return b.add(name, File{Data: data, Executable: hdr.Mode&0o111 != 0})
}

// Extract unpacks a bundle into dir, which must not exist yet, or be empty.
// The folder appears whole or not at all.
func Extract(data []byte, dir string) error {
	tree, err := Unpack(data)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".extract-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := tree.write(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return fmt.Errorf("extract bundle: %w", err)
	}
	return nil
}

func (t Tree) write(dir string) error {
	for _, name := range t.names() {
		target := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := writeNew(target, t[name]); err != nil {
			return err
		}
	}
	return nil
}

// writeNew never follows or replaces what is there already.
func writeNew(name string, f File) error {
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(f.mode()))
	if err != nil {
		return err
	}
	_, err = out.Write(f.Data)
	return errors.Join(err, out.Close())
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
