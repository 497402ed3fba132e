package vault

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Master is the key that data keys are sealed under. It may be somewhere else:
// it is asked when a server starts and when keys are rotated, and never for a
// value. What is sealed opens only with the same associated data.
type Master interface {
	EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error)
	DecryptWithContext(ctx context.Context, ciphertext, associatedData []byte) ([]byte, error)
	// String names the key for people, the same in every process, without secrets.
	String() string
}

// local is a master key that this process holds itself.
type local struct {
	aead tink.AEAD
	name string
}

// LocalKey takes a master key in base64, as NewMasterKey makes it.
func LocalKey(encoded string) (Master, error) {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, errors.New("the master key is not base64, as cloudops makes it")
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, errors.New("the master key is not a keyset, as cloudops makes it")
	}
	a, err := aead.New(handle)
	if err != nil {
		return nil, err
	}
	return local{a, fmt.Sprintf("local key %08x", handle.KeysetInfo().GetPrimaryKeyId())}, nil
}

// KeyFile reads a master key from a file, which is made where it is missing.
func KeyFile(path string) (Master, error) {
	encoded, err := keyFile(path)
	if err != nil {
		return nil, err
	}
	return LocalKey(encoded)
}

func (l local) EncryptWithContext(_ context.Context, plaintext, associatedData []byte) ([]byte, error) {
	return l.aead.Encrypt(plaintext, associatedData)
}

func (l local) DecryptWithContext(_ context.Context, ciphertext, associatedData []byte) ([]byte, error) {
	return l.aead.Decrypt(ciphertext, associatedData)
}

func (l local) String() string { return l.name }

// keyFile reads the file, made whole by whoever comes first.
func keyFile(path string) (string, error) {
	b, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return string(bytes.TrimSpace(b)), err
	}
	encoded, err := NewMasterKey()
	if err != nil {
		return "", err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".master-key-") // 0600
	if err != nil {
		return "", err
	}
	defer os.Remove(tmp.Name())
	if _, err = tmp.WriteString(encoded + "\n"); err == nil {
		err = tmp.Sync()
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return "", err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return "", err
	}
	b, err = os.ReadFile(path)
	return string(bytes.TrimSpace(b)), err
}

// syncFolder brings the names in a folder to the disk: of a master key that data
// keys are under, there is no other copy.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// NewMasterKey makes a master key in the form that Options.Key takes.
func NewMasterKey() (string, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", err
	}
	var buf bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&buf)); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(buf.Bytes()), nil
}
