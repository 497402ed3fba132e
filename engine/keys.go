package engine

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"time"
)

// KeyPurpose is what a key in the database is for.
type KeyPurpose string

// The purposes of keys.
const (
	KeySeals        KeyPurpose = "seal"        // seals values
	KeyFingerprints KeyPurpose = "fingerprint" // makes digests of secret values; it never changes
)

// DataKey is a key that is kept in the database, sealed under the master key.
type DataKey struct {
	ID          int // counts up; the newest that is active seals
	Purpose     KeyPurpose
	Master      string // what the key is sealed under, for people; empty where nobody noted it
	Wrapped     []byte // the sealed key; empty once it is destroyed
	CreatedAt   time.Time
	ActiveAt    time.Time // from when on it seals
	RetiredAt   time.Time // since when nothing is under it; zero while something may be
	DestroyedAt time.Time
}

// KeyStatus is what becomes of a data key.
type KeyStatus string

// The statuses of data keys, in the order in which a key has them.
const (
	KeyPending   KeyStatus = "pending"   // all processes get to know it before it is used
	KeyPrimary   KeyStatus = "primary"   // seals what is written
	KeyRetiring  KeyStatus = "retiring"  // what is under it is being sealed again
	KeyRetired   KeyStatus = "retired"   // nothing is under it
	KeyDestroyed KeyStatus = "destroyed" // it is gone
)

// primary is the key that seals at t, of keys of all purposes; nil for none.
func primary(keys []DataKey, t time.Time) *DataKey {
	var newest *DataKey
	for i, k := range keys {
		if k.Purpose == KeySeals && k.DestroyedAt.IsZero() && !k.ActiveAt.After(t) && (newest == nil || k.ID > newest.ID) {
			newest = &keys[i]
		}
	}
	return newest
}

// status tells what becomes of a key that seals, beside the primary one.
func (k *DataKey) status(primary *DataKey) KeyStatus {
	switch {
	case !k.DestroyedAt.IsZero():
		return KeyDestroyed
	case primary == nil || k.ID > primary.ID:
		return KeyPending
	case k.ID == primary.ID:
		return KeyPrimary
	case k.RetiredAt.IsZero():
		return KeyRetiring
	}
	return KeyRetired
}

// KeyTagSize is how many bytes of a sealed value, its first, name its key.
const KeyTagSize = 5

// SealedCount says how many values of a column are under one key.
type SealedCount struct {
	Column string // "state_versions.data"
	Tag    string // first bytes of a value, which name its key
	Values int
}

// KeyStore keeps data keys, and knows what is sealed under them.
type KeyStore interface {
	// DataKeys lists them by ID.
	DataKeys(ctx context.Context) ([]DataKey, error)
	// AddDataKey adds one with the events; it wraps ErrConflict where its ID is taken.
	AddDataKey(ctx context.Context, k DataKey, events ...Event) error
	// RetireDataKey notes that nothing is under the key since at; the zero time
	// takes that back. Nothing happens where the key is gone.
	RetireDataKey(ctx context.Context, id int, at time.Time, e Event) error
	// DestroyDataKey removes the key itself. It wraps ErrConflict where it is not retired.
	DestroyDataKey(ctx context.Context, id int, at time.Time, e Event) error
	// SealedCounts counts what is sealed, by column and key.
	SealedCounts(ctx context.Context) ([]SealedCount, error)
	// Reseal seals again a batch of the values that are not under the key with
	// the tag, which is the primary one. It keeps where it is, so that whoever
	// calls it next, after a crash as well, goes on from there. Done tells that
	// it has been through everything; the next call begins anew.
	Reseal(ctx context.Context, key int, tag string) (done bool, err error)
}

// KeyRing holds the data keys of this process.
type KeyRing interface {
	// Refresh takes in what there is of keys in the database.
	Refresh(ctx context.Context) error
	// NewKey makes a data key with the ID, sealed under the master key. It wraps
	// ErrConflict where the other keys are under another master key by now.
	NewKey(ctx context.Context, id int) (DataKey, error)
	// Tag is what values begin with that are sealed under the key; empty for one
	// that the ring does not hold.
	Tag(id int) string
}

// Keys rotates the keys that values in the database are sealed under.
type Keys struct {
	Store KeyStore
	Ring  KeyRing
	Now   func() time.Time
	Log   *slog.Logger
}

// The time that things take to be known in every process.
const (
	// RefreshKeys is how often each process looks for new keys.
	RefreshKeys = 5 * time.Second
	// StaleKeys is how long a process may seal without having looked.
	StaleKeys = time.Minute
	// activateAfter is how long a new key waits to be known everywhere.
	activateAfter = 3 * RefreshKeys
	// settleAfter is when, after a key became the primary one, nobody seals
	// under an older one any more.
	settleAfter = 2 * StaleKeys
	// destroyAfter is how long a key stays that nothing is under: a transaction
	// that was begun before may still write.
	destroyAfter = 10 * time.Minute
)

// KeyState is a data key with what becomes of it.
type KeyState struct {
	DataKey
	Status KeyStatus
}

// List lists the keys that seal, oldest first.
func (k *Keys) List(ctx context.Context) ([]KeyState, error) {
	keys, err := k.Store.DataKeys(ctx)
	if err != nil {
		return nil, err
	}
	var all []KeyState
	first := primary(keys, k.Now())
	for _, key := range keys {
		if key.Purpose == KeySeals {
			all = append(all, KeyState{key, key.status(first)})
		}
	}
	return all, nil
}

// Usage is how many values of each column are under a key.
type Usage struct {
	Key    int // 0 for a key that nobody knows
	Column string
	Values int
}

// Usage counts, by key and column, what is sealed.
func (k *Keys) Usage(ctx context.Context) ([]Usage, error) {
	keys, err := k.Store.DataKeys(ctx)
	if err != nil {
		return nil, err
	}
	if err := k.Ring.Refresh(ctx); err != nil {
		return nil, err
	}
	counts, err := k.Store.SealedCounts(ctx)
	if err != nil {
		return nil, err
	}
	byTag := map[string]int{}
	for _, key := range keys {
		if tag := k.Ring.Tag(key.ID); tag != "" {
			byTag[tag] = key.ID
		}
	}
	usage := make([]Usage, len(counts))
	for i, c := range counts {
		usage[i] = Usage{Key: byTag[c.Tag], Column: c.Column, Values: c.Values}
	}
	slices.SortFunc(usage, func(a, b Usage) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Column, b.Column))
	})
	return usage, nil
}

// Rotate makes a new data key, which becomes the primary one as soon as all
// processes know it. What is under older ones is sealed again by Reseal.
func (k *Keys) Rotate(ctx context.Context, p Principal) (KeyState, error) {
	keys, err := k.List(ctx)
	if err != nil {
		return KeyState{}, err
	}
	newest := keys[len(keys)-1]
	if newest.Status == KeyPending {
		return KeyState{}, Conflict("data key %d was made a moment ago and is not in use yet; wait for it", newest.ID)
	}
	key, err := k.Ring.NewKey(ctx, newest.ID+1)
	if err != nil {
		return KeyState{}, err
	}
	key.CreatedAt = k.Now()
	key.ActiveAt = key.CreatedAt.Add(activateAfter)
	if err := k.Store.AddDataKey(ctx, key, k.event(p.User, "key.rotate", key.ID)); err != nil {
		return KeyState{}, err
	}
	return KeyState{key, KeyPending}, k.Ring.Refresh(ctx)
}

func (k *Keys) event(by, action string, id int) Event {
	return Event{At: k.Now(), Actor: by, Action: action, Subject: "data key " + strconv.Itoa(id)}
}

// Destroy removes a key that nothing is under any more, for good. Backups that
// hold it go on holding it.
func (k *Keys) Destroy(ctx context.Context, p Principal, id int) error {
	keys, err := k.List(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(key KeyState) bool { return key.ID == id })
	switch {
	case i < 0:
		return NotFound("there is no data key %d", id)
	case keys[i].Status != KeyRetired:
		return Conflict("data key %d is %s; only a retired one can be destroyed", id, keys[i].Status)
	}
	if until := keys[i].RetiredAt.Add(destroyAfter); k.Now().Before(until) {
		return Conflict("data key %d is retired since %s only, and something may yet be written under it; destroy it after %s",
			id, keys[i].RetiredAt.Format(time.RFC3339), until.Format(time.RFC3339))
	}
	under, err := k.under(ctx, id)
	if err != nil {
		return err
	}
	if under > 0 { // as after a restored backup; the next reseal mends it
		if err := k.Store.RetireDataKey(ctx, id, time.Time{}, k.event("engine", "key.unretire", id)); err != nil {
			return err
		}
		return Conflict("%d values are under data key %d after all; they are being sealed again", under, id)
	}
	if err := k.Store.DestroyDataKey(ctx, id, k.Now(), k.event(p.User, "key.destroy", id)); err != nil {
		return err
	}
	return k.Ring.Refresh(ctx)
}

// under counts the values that are sealed under a key.
func (k *Keys) under(ctx context.Context, id int) (n int, err error) {
	usage, err := k.Usage(ctx)
	for _, u := range usage {
		if u.Key == id {
			n += u.Values
		}
	}
	return n, err
}

// Reseal seals again what is under older keys than the primary one, batch by
// batch with a pause between them, and retires keys that nothing is left under.
// It may be stopped and called again at any time, and beside itself.
func (k *Keys) Reseal(ctx context.Context, pause time.Duration) error {
	keys, err := k.List(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(keys, func(key KeyState) bool { return key.Status == KeyPrimary })
	if at < 0 || !slices.ContainsFunc(keys, func(key KeyState) bool { return key.Status == KeyRetiring }) {
		return nil
	}
	if err := k.Ring.Refresh(ctx); err != nil {
		return err
	}
	first := keys[at]
	for done := false; !done; {
		if done, err = k.Store.Reseal(ctx, first.ID, k.Ring.Tag(first.ID)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	if k.Now().Before(first.ActiveAt.Add(settleAfter)) {
		return nil // somebody may still seal under an older key; the next time finds it
	}
	return k.retire(ctx, keys)
}

func (k *Keys) retire(ctx context.Context, keys []KeyState) error {
	usage, err := k.Usage(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key.Status != KeyRetiring || slices.ContainsFunc(usage, func(u Usage) bool { return u.Key == key.ID }) {
			continue
		}
		if err := k.Store.RetireDataKey(ctx, key.ID, k.Now(), k.event("engine", "key.retire", key.ID)); err != nil {
			return err
		}
		k.Log.InfoContext(ctx, "nothing is under a data key any more", "key", key.ID)
	}
	return nil
}
