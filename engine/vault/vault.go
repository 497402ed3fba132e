// Package vault encrypts what the engine keeps: values are sealed with
// AES-256-GCM under a data key, and the data key under the master key, which
// never touches the database.
package vault

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// KeyStore keeps data keys, sealed under the master key.
type KeyStore interface {
	// WrappedKeys lists them, oldest first.
	WrappedKeys(ctx context.Context) ([][]byte, error)
	// AddWrappedKey adds one with the number, unless there is one already.
	AddWrappedKey(ctx context.Context, number int, wrapped []byte) error
}

// Options say where the keys are.
type Options struct {
	KeyFile string // with the master key; made, readable to its owner only, where it is missing
	Key     string // the master key itself, in base64, instead of a file
	Keys    KeyStore
}

// Vault seals and opens values. It is safe for concurrent use.
type Vault struct {
	aead tink.AEAD
	mac  []byte // key of Fingerprint
}

// Open reads the master key, and the data key or makes the first one.
func Open(ctx context.Context, o Options) (*Vault, error) {
	master, err := masterKey(o)
	if err != nil {
		return nil, err
	}
	handle, err := dataKey(ctx, master, o.Keys)
	if err != nil {
		return nil, err
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, err
	}
	return newVault(primitive, handle)
}

// newVault derives the fingerprint's key from the data key, so that there is
// one secret to keep.
func newVault(primitive tink.AEAD, handle *keyset.Handle) (*Vault, error) {
	var buf bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&buf)); err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, buf.Bytes())
	mac.Write([]byte("cloudops fingerprint v1"))
	return &Vault{aead: primitive, mac: mac.Sum(nil)}, nil
}

// masterKey reads the master key, or makes the file where it is missing.
func masterKey(o Options) (tink.AEAD, error) {
	encoded := o.Key
	if encoded == "" {
		var err error
		if encoded, err = keyFile(o.KeyFile); err != nil {
			return nil, err
		}
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, errors.New("the master key is not base64, as cloudops makes it")
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, errors.New("the master key is not a keyset, as cloudops makes it")
	}
	return aead.New(handle)
}

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
	b, err = os.ReadFile(path)
	return string(bytes.TrimSpace(b)), err
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

// keyContext binds a data key to what it is for.
const keyContext = "cloudops data key"

// dataKey opens the newest data key. Of two processes that make the first one
// at the same time, both end with that of the faster.
func dataKey(ctx context.Context, master tink.AEAD, keys KeyStore) (*keyset.Handle, error) {
	wrapped, err := keys.WrappedKeys(ctx)
	if err != nil {
		return nil, err
	}
	if len(wrapped) == 0 {
		if err := addDataKey(ctx, master, keys); err != nil {
			return nil, err
		}
		if wrapped, err = keys.WrappedKeys(ctx); err != nil {
			return nil, err
		}
	}
	newest := wrapped[len(wrapped)-1]
	handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(newest)), master, []byte(keyContext))
	if err != nil {
		return nil, errors.New("the master key does not open this database's data key; was the key file replaced?")
	}
	return handle, nil
}

func addDataKey(ctx context.Context, master tink.AEAD, keys KeyStore) error {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	if err := handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&buf), master, []byte(keyContext)); err != nil {
		return err
	}
	return keys.AddWrappedKey(ctx, 1, buf.Bytes())
}

// The first byte of a plain text says how the rest is kept.
const (
	plainAsIs     = 0
	plainDeflated = 1
)

// deflateFrom is the size, in bytes, from which a value is compressed.
const deflateFrom = 1 << 10

// maxPlain bounds what a sealed value may grow to when it is opened, in bytes.
const maxPlain = 1 << 30

// Seal encrypts plain for one place. The result opens only with the same
// table, id and column.
func (v *Vault) Seal(table, id, column string, plain []byte) ([]byte, error) {
	packed, err := pack(plain)
	if err != nil {
		return nil, err
	}
	sealed, err := v.aead.Encrypt(packed, place(table, id, column))
	if err != nil {
		return nil, fmt.Errorf("seal %s.%s: %w", table, column, err)
	}
	return sealed, nil
}

// Unseal gives back what Seal was given.
func (v *Vault) Unseal(table, id, column string, sealed []byte) ([]byte, error) {
	packed, err := v.aead.Decrypt(sealed, place(table, id, column))
	if err != nil {
		return nil, fmt.Errorf("open %s.%s of %s: %w", table, column, id, err)
	}
	return unpack(packed)
}

// Fingerprint returns an HMAC-SHA-256 of value in hex, the same for equal values.
func (v *Vault) Fingerprint(value []byte) string {
	mac := hmac.New(sha256.New, v.mac)
	mac.Write(value)
	return hex.EncodeToString(mac.Sum(nil))
}

// place writes down where a value belongs, each part with its length, so that
// no two places read the same.
func place(parts ...string) []byte {
	var b bytes.Buffer
	for _, part := range parts {
		fmt.Fprintf(&b, "%d:%s", len(part), part)
	}
	return b.Bytes()
}

func pack(plain []byte) ([]byte, error) {
	if len(plain) < deflateFrom {
		return append([]byte{plainAsIs}, plain...), nil
	}
	b := bytes.NewBuffer([]byte{plainDeflated})
	w, err := flate.NewWriter(b, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

func unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, errors.New("sealed value is empty")
	}
	switch packed[0] {
	case plainAsIs:
		return packed[1:], nil
	case plainDeflated:
		return io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed[1:])), maxPlain))
	}
	return nil, fmt.Errorf("sealed value has the unknown form %d", packed[0])
}
