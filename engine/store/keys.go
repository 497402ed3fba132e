package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type dataKeyRow struct {
	ID                                          int
	Purpose, Master                             string
	Wrapped                                     []byte
	CreatedAt, ActiveAt, RetiredAt, DestroyedAt *int64
}

func (row dataKeyRow) key() engine.DataKey {
	return engine.DataKey{ID: row.ID, Purpose: engine.KeyPurpose(row.Purpose), Master: row.Master, Wrapped: row.Wrapped, CreatedAt: instant(row.CreatedAt),
		ActiveAt: instant(row.ActiveAt), RetiredAt: instant(row.RetiredAt), DestroyedAt: instant(row.DestroyedAt)}
}

// DataKeys implements engine.KeyStore.
func (s *Store) DataKeys(ctx context.Context) ([]engine.DataKey, error) {
	var rows []dataKeyRow
	if err := s.read.WithContext(ctx).Raw(`SELECT * FROM data_keys ORDER BY id`).Scan(&rows).Error; err != nil {
		return nil, err
	}
	keys := make([]engine.DataKey, len(rows))
	for i, row := range rows {
		keys[i] = row.key()
	}
	return keys, nil
}

// AddDataKey implements engine.KeyStore.
func (s *Store) AddDataKey(ctx context.Context, k engine.DataKey, events ...engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := s.sameMaster(tx, k.Master); err != nil {
			return err
		}
		res := tx.Exec(`INSERT INTO data_keys (id, purpose, master, wrapped, created_at, active_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			k.ID, string(k.Purpose), k.Master, k.Wrapped, micros(k.CreatedAt), micros(k.ActiveAt))
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected == 0 {
			return engine.Conflict("data key %d was made by somebody else a moment ago", k.ID)
		}
		return addEvents(tx, events...)
	})
}

// sameMaster refuses another master key than the one that all keys are under, until
// the transaction ends: of keys under several, no process could open all.
func (s *Store) sameMaster(tx *gorm.DB, master string) error {
	if err := s.lockKeys(tx); err != nil {
		return err
	}
	var others []string
	err := tx.Raw(`SELECT master FROM data_keys WHERE destroyed_at IS NULL AND master NOT IN ('', ?)`, master).Scan(&others).Error
	if err == nil && len(others) > 0 {
		err = engine.Conflict("the data keys are under %s by now, and this process has %s; restart it with the other master key", others[0], master)
	}
	return err
}

// lockKeys lets one transaction at a time add keys, or move them to another master
// key. SQLite's are alone anyway.
func (s *Store) lockKeys(tx *gorm.DB) error {
	if !s.postgres {
		return nil
	}
	return tx.Exec(`LOCK TABLE data_keys IN SHARE ROW EXCLUSIVE MODE`).Error
}

// RetireDataKey implements engine.KeyStore.
func (s *Store) RetireDataKey(ctx context.Context, id int, at time.Time, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE data_keys SET retired_at = ? WHERE id = ? AND destroyed_at IS NULL AND (retired_at IS NULL) = ?`,
			micros(at), id, !at.IsZero())
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		return addEvents(tx, e)
	})
}

// DestroyDataKey implements engine.KeyStore.
func (s *Store) DestroyDataKey(ctx context.Context, id int, at time.Time, e engine.Event) error {
	return s.writeOne(ctx, engine.Conflict("data key %d is not retired, or is destroyed already", id), e,
		`UPDATE data_keys SET wrapped = ?, destroyed_at = ? WHERE id = ? AND purpose = 'seal' AND retired_at IS NOT NULL AND destroyed_at IS NULL`,
		[]byte{}, at.UnixMicro(), id)
}

// ReplaceDataKeys implements vault.RewrapStore.
func (s *Store) ReplaceDataKeys(ctx context.Context, was, now []engine.DataKey, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		var live int
		if err := s.lockKeys(tx); err != nil {
			return err
		}
		if err := tx.Raw(`SELECT count(*) FROM data_keys WHERE destroyed_at IS NULL`).Scan(&live).Error; err != nil {
			return err
		}
		if live != len(was) {
			return engine.Conflict("a data key was made or destroyed by somebody else a moment ago; nothing is changed, try again")
		}
		for i, k := range now {
			res := tx.Exec(`UPDATE data_keys SET wrapped = ?, master = ? WHERE id = ? AND wrapped = ?`, k.Wrapped, k.Master, k.ID, was[i].Wrapped)
			if res.Error != nil {
				return res.Error
			}
			if res.RowsAffected == 0 {
				return engine.Conflict("data key %d was changed by somebody else a moment ago; nothing is changed, try again", k.ID)
			}
		}
		return addEvents(tx, e)
	})
}
