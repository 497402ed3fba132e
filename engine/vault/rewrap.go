package vault

import (
	"context"
	"fmt"

	"github.com/cloudops-manager/cloudops/engine"
)

// RewrapStore keeps data keys that change their master key.
type RewrapStore interface {
	KeyStore
	// ReplaceDataKeys writes what now differs from was in what keys are sealed
	// under, all or none. It wraps engine.ErrConflict where somebody else changed
	// them since.
	ReplaceDataKeys(ctx context.Context, was, now []engine.DataKey, e engine.Event) error
}

// Rewrap moves all data keys from one master key to another. It changes no
// value. Each key is opened under the new one before anything is written.
func Rewrap(ctx context.Context, from, to Master, keys RewrapStore, e engine.Event) (moved int, err error) {
	kept, err := keys.DataKeys(ctx)
	if err != nil {
		return 0, err
	}
	if len(kept) == 0 {
		return 0, engine.Invalid("the database has no keys yet; start a server with the other master key")
	}
	r := &ring{master: from}
	var was, now []engine.DataKey
	for _, k := range kept {
		if !k.DestroyedAt.IsZero() {
			continue
		}
		next, err := r.move(ctx, k, to)
		if err != nil {
			return 0, err
		}
		was, now = append(was, k), append(now, next)
	}
	return len(now), keys.ReplaceDataKeys(ctx, was, now, e)
}

// move seals one key under another master key.
func (r *ring) move(ctx context.Context, k engine.DataKey, to Master) (engine.DataKey, error) {
	if k.Purpose == engine.KeyFingerprints {
		return r.moveFingerprint(ctx, k, to)
	}
	h, err := r.open(ctx, k)
	if err != nil {
		return k, err
	}
	return seal(ctx, to, h.handle, k)
}

func (r *ring) moveFingerprint(ctx context.Context, k engine.DataKey, to Master) (engine.DataKey, error) {
	mac, err := r.master.DecryptWithContext(ctx, k.Wrapped, []byte(fingerprintContext))
	if err != nil {
		return k, r.explain(k, err)
	}
	return sealFingerprint(ctx, to, mac, k)
}

// sealFingerprint puts the key of digests under a master key, as seal does.
func sealFingerprint(ctx context.Context, master Master, mac []byte, k engine.DataKey) (engine.DataKey, error) {
	var err error
	if k.Wrapped, err = master.EncryptWithContext(ctx, mac, []byte(fingerprintContext)); err != nil {
		return k, fmt.Errorf("%s: %w", master, err)
	}
	k.Master = master.String()
	if _, err := master.DecryptWithContext(ctx, k.Wrapped, []byte(fingerprintContext)); err != nil {
		return k, fmt.Errorf("%s does not open what it has just sealed: %w", master, err)
	}
	return k, nil
}
