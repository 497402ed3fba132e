package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type issuerKeyRow struct {
	Number             int
	ID                 string
	Private            []byte
	CreatedAt, SignsAt *int64
}

func (issuerKeyRow) TableName() string { return "issuer_keys" }

// IssuerKeys implements engine.IssuerStore. The public halves are not kept
// beside the sealed ones: who can write to the database could publish keys then.
func (s *Store) IssuerKeys(ctx context.Context) ([]*engine.IssuerKey, error) {
	var rows []issuerKeyRow
	if err := s.read.WithContext(ctx).Raw(`SELECT * FROM issuer_keys ORDER BY number`).Scan(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, func(row issuerKeyRow) (*engine.IssuerKey, error) {
		private, err := s.seal.Unseal("issuer_keys", row.ID, "private", row.Private)
		return &engine.IssuerKey{Number: row.Number, ID: row.ID, Private: private, CreatedAt: instant(row.CreatedAt), SignsAt: instant(row.SignsAt)}, err
	})
}

// AddIssuerKey implements engine.IssuerStore.
func (s *Store) AddIssuerKey(ctx context.Context, k *engine.IssuerKey, alone bool, e engine.Event) error {
	private, err := s.seal.Seal("issuer_keys", k.ID, "private", k.Private)
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		res := tx.Exec(`INSERT INTO issuer_keys (number, id, private, created_at, signs_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			k.Number, k.ID, private, micros(k.CreatedAt), micros(k.SignsAt))
		if res.Error == nil && res.RowsAffected == 0 {
			return engine.Conflict("somebody else made key %d just now", k.Number)
		}
		if res.Error == nil && alone {
			res = tx.Exec(`DELETE FROM issuer_keys WHERE number <> ?`, k.Number)
		}
		if res.Error != nil {
			return res.Error
		}
		return addEvents(tx, e)
	})
}

// DropIssuerKeys implements engine.IssuerStore.
func (s *Store) DropIssuerKeys(ctx context.Context, below int) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return tx.Exec(`DELETE FROM issuer_keys WHERE number < ?`, below).Error
	})
}
