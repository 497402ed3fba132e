package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

// PutArtifact implements engine.ArtifactStore.
func (s *Store) PutArtifact(ctx context.Context, step, name string, data []byte) error {
	sealed, err := s.seal.Seal("artifacts", step+"/"+name, "data", data)
	if err != nil {
		return err
	}
	return s.db.WithContext(ctx).Exec(`INSERT INTO artifacts (step_id, name, data, created_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (step_id, name) DO UPDATE SET data = excluded.data, created_at = excluded.created_at`,
		step, name, sealed, time.Now().UnixMicro()).Error
}

// Artifact implements engine.ArtifactStore.
func (s *Store) Artifact(ctx context.Context, step, name string) ([]byte, error) {
	var row struct{ Data []byte }
	missing := engine.NotFound("step %s has no %s", step, name)
	err := one(s.read.WithContext(ctx), &row, missing, `SELECT data FROM artifacts WHERE step_id = ? AND name = ?`, step, name)
	if err != nil {
		return nil, err
	}
	return s.seal.Unseal("artifacts", step+"/"+name, "data", row.Data)
}

// AppendLog implements engine.LogStore.
func (s *Store) AppendLog(ctx context.Context, step string, offset int64, data []byte) (int64, error) {
	var size int64
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		err := one(tx, &size, engine.Missing(engine.ThingStep, step), `SELECT log_size FROM steps WHERE id = ?`+s.locked(), step)
		if err != nil {
			return err
		}
		if offset > size {
			return engine.Conflict("log of step %s has %d bytes; a chunk at %d would leave a hole", step, size, offset)
		}
		known := min(size-offset, int64(len(data)))
		if data = data[known:]; len(data) == 0 {
			return nil
		}
		if err := tx.Exec(`INSERT INTO log_chunks (step_id, start, data) VALUES (?, ?, ?)`, step, size, data).Error; err != nil {
			return err
		}
		size += int64(len(data))
		return tx.Exec(`UPDATE steps SET log_size = ? WHERE id = ?`, size, step).Error
	})
	return size, err
}

// ReadLog implements engine.LogStore.
func (s *Store) ReadLog(ctx context.Context, step string, offset int64, limit int) ([]byte, int64, error) {
	db := s.read.WithContext(ctx)
	var size int64
	if err := one(db, &size, engine.Missing(engine.ThingStep, step), `SELECT log_size FROM steps WHERE id = ?`, step); err != nil {
		return nil, 0, err
	}
	if limit <= 0 || offset >= size {
		return nil, size, nil
	}
	rows, err := db.Raw(`SELECT start, data FROM log_chunks WHERE step_id = ? AND start >=
		(SELECT coalesce(max(start), 0) FROM log_chunks WHERE step_id = ? AND start <= ?) AND start < ? ORDER BY start`,
		step, step, offset, offset+int64(limit)).Rows()
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	var out []byte
	for rows.Next() && len(out) < limit {
		var start int64
		var data []byte
		if err := rows.Scan(&start, &data); err != nil {
			return nil, 0, err
		}
		if start < offset {
			data = data[min(offset-start, int64(len(data))):]
		}
		out = append(out, data...)
	}
	return out[:min(limit, len(out))], size, rows.Err()
}
