package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
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
	dir := filepath.Join(s.Root, digest)
	if _, err := os.Stat(dir); err == nil {
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

func (s Sources) unpack(bundle []byte, dir string) error {
	if err := os.MkdirAll(s.Root, 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(s.Root, ".new-")
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

func exists(path string) bool { _, err := os.Stat(path); return err == nil }
