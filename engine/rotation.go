package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"
)

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
	if err := k.Store.AddDataKey(ctx, key, k.event(p.User, "key.rotate", key.ID, "", KeyPending)); err != nil {
		return KeyState{}, err
	}
	return KeyState{key, KeyPending}, k.Ring.Refresh(ctx)
}

// event tells what becomes of a key; was is empty for a new one.
func (k *Keys) event(by, action string, id int, was, is KeyStatus) Event {
	e := newEvent(k.Now(), by, action, "", "data key "+strconv.Itoa(id), nil)
	if was == "" {
		return e.changing(nil, map[string]any{"status": is})
	}
	return e.changing(map[string]any{"status": was}, map[string]any{"status": is})
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
		if err := k.Store.RetireDataKey(ctx, id, time.Time{}, k.event(ActorEngine, "key.unretire", id, KeyRetired, KeyRetiring)); err != nil {
			return err
		}
		return Conflict("%d values are under data key %d after all; they are being sealed again", under, id)
	}
	if err := k.Store.DestroyDataKey(ctx, id, k.Now(), k.event(p.User, "key.destroy", id, KeyRetired, KeyDestroyed)); err != nil {
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
// It may be stopped and called again at any time, and beside itself. A value that
// does not open keeps no other from being sealed again; the error tells of it.
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
	damaged, err := k.resealAll(ctx, keys[at].ID, pause)
	if err != nil {
		return err
	}
	if !k.Now().Before(keys[at].ActiveAt.Add(settleAfter)) { // before that, somebody may still seal under an older key
		err = k.retire(ctx, keys)
	}
	return errors.Join(err, tellDamaged(damaged))
}

func (k *Keys) resealAll(ctx context.Context, key int, pause time.Duration) (damaged []error, err error) {
	for {
		batch, err := k.Store.Reseal(ctx, key, k.Ring.Tag(key))
		damaged = append(damaged, batch.Damaged...)
		if err != nil || batch.Done {
			return damaged, err
		}
		select {
		case <-ctx.Done():
			return damaged, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// tellDamaged names the first of the values that do not open.
func tellDamaged(damaged []error) error {
	if len(damaged) == 0 {
		return nil
	}
	return fmt.Errorf("%d values stay under the keys that they are under, since they do not open, the first one: %w", len(damaged), damaged[0])
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
		if err := k.Store.RetireDataKey(ctx, key.ID, k.Now(), k.event(ActorEngine, "key.retire", key.ID, KeyRetiring, KeyRetired)); err != nil {
			return err
		}
		k.Log.InfoContext(ctx, "nothing is under a data key any more", "key", key.ID)
	}
	return nil
}
