package store

import (
	"context"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

type certificateRow struct {
	Name      string
	Data      []byte
	UpdatedAt *int64
}

func (certificateRow) TableName() string { return "certificates" }

// Certificate reads what an authority gave, encrypted on the disk; it wraps
// ErrNotFound where there is none.
func (s *Store) Certificate(ctx context.Context, name string) ([]byte, error) {
	var row certificateRow
	if err := one(s.read.WithContext(ctx), &row, engine.NotFound("there is no certificate %q", name), `SELECT * FROM certificates WHERE name = ?`, name); err != nil {
		return nil, err
	}
	return s.seal.Unseal("certificates", name, "data", row.Data)
}

// PutCertificate keeps data under the name, in place of what was there.
func (s *Store) PutCertificate(ctx context.Context, name string, data []byte) error {
	sealed, err := s.seal.Seal("certificates", name, "data", data)
	if err != nil {
		return err
	}
	return s.db.WithContext(ctx).Exec(`INSERT INTO certificates (name, data, updated_at) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET data = excluded.data, updated_at = excluded.updated_at`, name, sealed, micros(time.Now())).Error
}

// DeleteCertificate forgets it.
func (s *Store) DeleteCertificate(ctx context.Context, name string) error {
	return s.db.WithContext(ctx).Exec(`DELETE FROM certificates WHERE name = ?`, name).Error
}
