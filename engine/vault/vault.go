// Package vault encrypts what the engine keeps: values are sealed with
// AES-256-GCM under a data key, and data keys under the master key, which
// never touches the database.
package vault

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// KeyStore keeps data keys, sealed under the master key.
type KeyStore interface {
	// DataKeys lists them by ID.
	DataKeys(ctx context.Context) ([]engine.DataKey, error)
	// AddDataKey adds one; it wraps engine.ErrConflict where its ID is taken, or
	// the others are under another master key.
	AddDataKey(ctx context.Context, k engine.DataKey, events ...engine.Event) error
}

// Options say where the keys are.
type Options struct {
	Master  Master // the master key
	KeyFile string // with the master key, instead of Master; made, readable to its owner only, where it is missing
	Key     string // the master key itself, in base64, instead of Master
	Keys    KeyStore
	Now     func() time.Time // time.Now where it is nil
}

// Vault seals and opens values. It is safe for concurrent use.
type Vault struct {
	ring
	mac []byte // key of Fingerprint
}

var _ engine.KeyRing = (*Vault)(nil)

// Open reads the data keys with the master key, or makes the first one.
func Open(ctx context.Context, o Options) (*Vault, error) {
	master, err := o.master()
	if err != nil {
		return nil, err
	}
	v := &Vault{ring: ring{master: master, keys: o.Keys, now: o.Now, held: map[int]heldKey{}}}
	if v.now == nil {
		v.now = time.Now
	}
	at := v.now()
	kept, err := v.keys.DataKeys(ctx)
	if err == nil && len(kept) == 0 {
		if err = v.addFirst(ctx); err == nil {
			kept, err = v.keys.DataKeys(ctx)
		}
	}
	if err == nil {
		err = v.take(ctx, kept, at)
	}
	if err == nil {
		v.mac, err = v.fingerprintKey(ctx, kept)
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (o Options) master() (Master, error) {
	switch {
	case o.Master != nil:
		return o.Master, nil
	case o.Key != "":
		return LocalKey(o.Key)
	}
	return KeyFile(o.KeyFile)
}

// Follow looks for new keys until ctx ends.
func (v *Vault) Follow(ctx context.Context, log *slog.Logger) error {
	ticker := time.NewTicker(engine.RefreshKeys)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
		if err := v.Refresh(ctx); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "data keys not read", "again", engine.RefreshKeys, "err", err)
		}
	}
}

// Seal encrypts plain for one place. The result opens only with the same
// table, id and column.
func (v *Vault) Seal(table, id, column string, plain []byte) ([]byte, error) {
	packed, err := pack(plain)
	if err != nil {
		return nil, err
	}
	key, err := v.primary()
	if err != nil {
		return nil, fmt.Errorf("seal %s.%s: %w", table, column, err)
	}
	sealed, err := key.aead.Encrypt(packed, place(table, id, column))
	if err != nil {
		return nil, fmt.Errorf("seal %s.%s: %w", table, column, err)
	}
	return sealed, nil
}

// Unseal gives back what Seal was given, under whatever key.
func (v *Vault) Unseal(table, id, column string, sealed []byte) ([]byte, error) {
	key, err := v.keyOf(sealed)
	if err != nil {
		return nil, fmt.Errorf("open %s.%s of %s: %w", table, column, id, err)
	}
	packed, err := key.aead.Decrypt(sealed, place(table, id, column))
	if err != nil {
		return nil, fmt.Errorf("open %s.%s of %s: %w", table, column, id, err)
	}
	return unpack(packed)
}

// Fingerprint returns an HMAC-SHA-256 of value in hex, the same for equal
// values whatever becomes of keys.
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

// fingerprintID is the number of the fingerprint's key, apart from those that seal.
const fingerprintID = 0

// fingerprintKey opens the key of digests. A database that has none yet takes
// the one that the first data key gives.
func (v *Vault) fingerprintKey(ctx context.Context, kept []engine.DataKey) ([]byte, error) {
	for _, k := range kept {
		if k.Purpose == engine.KeyFingerprints {
			mac, err := v.master.DecryptWithContext(ctx, k.Wrapped, []byte(fingerprintContext))
			return mac, v.explain(k, err)
		}
	}
	mac, err := v.deriveFingerprintKey(kept)
	if err != nil {
		return nil, err
	}
	k, err := sealFingerprint(ctx, v.master, mac, engine.DataKey{ID: fingerprintID, Purpose: engine.KeyFingerprints, CreatedAt: v.now()})
	if err != nil {
		return nil, err
	}
	if err := v.keys.AddDataKey(ctx, k); err != nil && !errors.Is(err, engine.ErrConflict) {
		return nil, err
	}
	return mac, nil // whoever was faster had the same
}
