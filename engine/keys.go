package engine

import (
	"context"
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
	// AddDataKey adds one with the events; it wraps ErrConflict where its ID is
	// taken, or the others are under another master key by now.
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
	// calls it next, after a crash as well, goes on from there.
	Reseal(ctx context.Context, key int, tag string) (Resealed, error)
}

// Resealed says what became of a batch of values.
type Resealed struct {
	Done    bool    // it has been through everything; the next call begins anew
	Damaged []error // each of a value that does not open, and stays as it is
}

// KeyRing holds the data keys of this process.
type KeyRing interface {
	// Refresh takes in what there is of keys in the database.
	Refresh(ctx context.Context) error
	// NewKey makes a data key with the ID, sealed under the master key.
	NewKey(ctx context.Context, id int) (DataKey, error)
	// Tag is what values begin with that are sealed under the key; empty for one
	// that the ring does not hold.
	Tag(id int) string
}
