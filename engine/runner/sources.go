package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Sources keeps the unpacked sources of revisions, each once, by digest. They
// are only read once they are there.
type Sources struct {
	Root    string
	Extract func(bundle []byte, dir string) error
}

// Dir returns the folder with the sources of the digest, fetched where they
// are not there yet. Two runners may do so at once: the folder appears whole.
func (s Sources) Dir(ctx context.Context, digest string, fetch func(context.Context) ([]byte, error)) (string, error) {
	dir, now := filepath.Join(s.Root, digest), time.Now()
	if err := os.Chtimes(dir, now, now); err == nil { // ClearUnused goes by it
		return dir, nil
	}
	bundle, err := retry(ctx, func() ([]byte, error) { return fetch(ctx) })
	if err != nil {
		return "", err
	}
	if sum := sha256.Sum256(bundle); hex.EncodeToString(sum[:]) != digest {
		return "", fmt.Errorf("bundle has another digest than %.12s", digest)
	}
	if err := s.unpack(bundle, dir); err != nil {
		return "", err
	}
	return dir, nil
}

// unfinished begins the name of a folder that is being filled or emptied.
const unfinished = ".new-"

func (s Sources) unpack(bundle []byte, dir string) error {
	if err := os.MkdirAll(s.Root, 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(s.Root, unfinished)
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	inner := filepath.Join(tmp, "bundle")
	if err := s.Extract(bundle, inner); err != nil {
		return err
	}
	if err := os.Rename(inner, dir); err != nil && !exists(dir) {
		return err
	}
	return nil
}

// ClearUnused removes the sources that no runner has asked for since the time,
// and what was left by those that were killed as they unpacked.
func (s Sources) ClearUnused(since time.Time) error {
	entries, err := os.ReadDir(s.Root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.ModTime().Before(since) {
			errs = append(errs, s.remove(e.Name()))
		}
	}
	return errors.Join(errs...)
}

// remove takes a folder away as a whole before it empties it: a runner finds all
// of its sources, or fetches them again.
func (s Sources) remove(name string) error {
	tmp, err := os.MkdirTemp(s.Root, unfinished)
	if err != nil {
		return err
	}
	err = os.Rename(filepath.Join(s.Root, name), filepath.Join(tmp, name))
	return errors.Join(err, os.RemoveAll(tmp))
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }
