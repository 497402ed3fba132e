package vault

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/cloudops-manager/cloudops/engine"
)

// What the keys in the database are bound to.
const (
	keyContext         = "cloudops data key"
	fingerprintContext = "cloudops fingerprint key"
)

// heldKey is a data key that is open.
type heldKey struct {
	handle *keyset.Handle
	aead   tink.AEAD
	tag    string
	active time.Time
	// retired tells that nothing is under it any more, and nothing is to be.
	retired bool
}

// ring holds the data keys of a process.
type ring struct {
	master Master
	keys   KeyStore
	now    func() time.Time

	mu     sync.RWMutex
	held   map[int]heldKey // by ID
	looked time.Time       // when the database was last asked

	asking sync.Mutex // one at a time asks
}

// Refresh implements engine.KeyRing.
func (r *ring) Refresh(ctx context.Context) error {
	r.asking.Lock()
	defer r.asking.Unlock()
	at := r.now()
	kept, err := r.keys.DataKeys(ctx)
	if err != nil {
		return err
	}
	return r.take(ctx, kept, at)
}

// take opens the keys that are new and drops those that are destroyed, of what
// was read after at.
func (r *ring) take(ctx context.Context, kept []engine.DataKey, at time.Time) error {
	held := map[int]heldKey{}
	for _, k := range kept {
		if k.Purpose != engine.KeySeals || !k.DestroyedAt.IsZero() {
			continue
		}
		h, known := r.get(k.ID)
		if !known {
			var err error
			if h, err = r.open(ctx, k); err != nil {
				return err
			}
		}
		h.active, h.retired = k.ActiveAt, !k.RetiredAt.IsZero()
		held[k.ID] = h
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held, r.looked = held, at
	return nil
}

func (r *ring) get(id int) (heldKey, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	k, ok := r.held[id]
	return k, ok
}

// open unseals a data key with the master key.
func (r *ring) open(ctx context.Context, k engine.DataKey) (heldKey, error) {
	handle, err := keyset.ReadWithContext(ctx, keyset.NewBinaryReader(bytes.NewReader(k.Wrapped)), r.master, []byte(keyContext))
	if err != nil {
		return heldKey{}, r.explain(k, err)
	}
	a, err := aead.New(handle)
	return heldKey{handle: handle, aead: a, tag: tagOf(handle)}, err
}

// explain says why a key may not have opened. A master key that is somewhere
// else has words of its own.
func (r *ring) explain(k engine.DataKey, err error) error {
	if err == nil {
		return nil
	}
	under := ""
	if k.Master != "" && k.Master != r.master.String() {
		under = ", which is under " + k.Master
	}
	if _, own := r.master.(local); !own && under == "" {
		return fmt.Errorf("%s does not open this database's data key: %w", r.master, err)
	}
	return fmt.Errorf("the master key (%s) does not open this database's data key%s; was the key file replaced?", r.master, under)
}

// tagOf is what Tink puts in front of what it seals: a version byte and the
// identifier that it gave the key. Source:
// https://developers.google.com/tink/wire-format#output_prefix.
func tagOf(handle *keyset.Handle) string {
	return string(binary.BigEndian.AppendUint32([]byte{1}, handle.KeysetInfo().GetPrimaryKeyId()))
}

// Tag implements engine.KeyRing.
func (r *ring) Tag(id int) string {
	k, _ := r.get(id)
	return k.tag
}

// primary is the key to seal with. A process that could not look for new keys
// for long seals nothing: the key it knows may be on its way out.
func (r *ring) primary() (heldKey, error) {
	if r.stale() {
		if err := r.ask(); err != nil {
			return heldKey{}, fmt.Errorf("look for newer data keys: %w", err)
		}
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	best, now := -1, r.now()
	for id, k := range r.held {
		if !k.retired && (best < 0 || better(k, r.held[best], id > best, now)) {
			best = id
		}
	}
	if best < 0 {
		return heldKey{}, errors.New("the database has no data key that seals")
	}
	return r.held[best], nil
}

// better reports whether to seal with k rather than with another key: with the
// newest one that is active. Where none is, our clock is behind that of whoever
// retired those before, and the oldest of the others is in use everywhere else.
func better(k, other heldKey, newer bool, now time.Time) bool {
	active, otherActive := !k.active.After(now), !other.active.After(now)
	if active != otherActive {
		return active
	}
	return newer == active
}

// stale reports whether it is long ago that the database was asked, by the clock
// on the wall: the other one stands still while a machine sleeps. A clock that
// was put back tells nothing.
func (r *ring) stale() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ago := r.now().Round(0).Sub(r.looked.Round(0))
	return ago < 0 || ago > engine.StaleKeys
}

// keyOf finds the key that a value is sealed under, which another process may
// have made a moment ago.
func (r *ring) keyOf(sealed []byte) (heldKey, error) {
	if len(sealed) < engine.KeyTagSize {
		return heldKey{}, errors.New("the value is too short to be a sealed one")
	}
	tag := string(sealed[:engine.KeyTagSize])
	if k, ok := r.tagged(tag); ok {
		return k, nil
	}
	if err := r.ask(); err != nil {
		return heldKey{}, fmt.Errorf("look for its data key: %w", err)
	}
	if k, ok := r.tagged(tag); ok {
		return k, nil
	}
	return heldKey{}, errors.New("it is under a data key that is not, or no longer, there")
}

func (r *ring) tagged(tag string) (heldKey, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, k := range r.held {
		if k.tag == tag {
			return k, true
		}
	}
	return heldKey{}, false
}

// askFor is how long a value waits for the database to be asked for its key.
const askFor = 10 * time.Second

func (r *ring) ask() error {
	ctx, stop := context.WithTimeout(context.Background(), askFor)
	defer stop()
	return r.Refresh(ctx)
}

// NewKey implements engine.KeyRing.
func (r *ring) NewKey(ctx context.Context, id int) (engine.DataKey, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return engine.DataKey{}, err
	}
	return seal(ctx, r.master, handle, engine.DataKey{ID: id, Purpose: engine.KeySeals})
}

// seal puts a data key under a master key, and makes sure that it opens again: a
// key service may let us seal only, and then no process could go on.
func seal(ctx context.Context, master Master, handle *keyset.Handle, k engine.DataKey) (engine.DataKey, error) {
	var buf bytes.Buffer
	if err := handle.WriteWithContext(ctx, keyset.NewBinaryWriter(&buf), master, []byte(keyContext)); err != nil {
		return k, fmt.Errorf("%s: %w", master, err)
	}
	k.Wrapped, k.Master = buf.Bytes(), master.String()
	if _, err := keyset.ReadWithContext(ctx, keyset.NewBinaryReader(bytes.NewReader(k.Wrapped)), master, []byte(keyContext)); err != nil {
		return k, fmt.Errorf("%s does not open what it has just sealed: %w", master, err)
	}
	return k, nil
}

// addFirst makes the first data key. Of two processes that do so at the same
// time, both end with that of the faster.
func (r *ring) addFirst(ctx context.Context) error {
	k, err := r.NewKey(ctx, 1)
	if err != nil {
		return err
	}
	k.CreatedAt = r.now()
	if err := r.keys.AddDataKey(ctx, k); err != nil && !errors.Is(err, engine.ErrConflict) {
		return err
	}
	return nil
}

// deriveFingerprintKey makes the key of digests out of the first data key, as
// it was before there could be several.
func (r *ring) deriveFingerprintKey(kept []engine.DataKey) ([]byte, error) {
	for _, k := range kept {
		h, ok := r.get(k.ID)
		if !ok {
			continue
		}
		var buf bytes.Buffer
		if err := insecurecleartextkeyset.Write(h.handle, keyset.NewBinaryWriter(&buf)); err != nil {
			return nil, err
		}
		mac := hmac.New(sha256.New, buf.Bytes())
		mac.Write([]byte("cloudops fingerprint v1"))
		return mac.Sum(nil), nil
	}
	return nil, errors.New("the database has no key that makes digests")
}
