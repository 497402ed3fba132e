package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

// AuditHead implements engine.AuditStore.
func (s *Store) AuditHead(ctx context.Context) (engine.AuditHead, error) {
	head, err := s.head(s.read.WithContext(ctx), "")
	return engine.AuditHead(head), err
}

// EventsAfter implements engine.AuditStore.
func (s *Store) EventsAfter(ctx context.Context, f engine.EventFilter, seq int64, limit int) ([]*engine.Event, error) {
	var rows []eventRow
	q := s.read.WithContext(ctx).Table("events").Where("seq > ?", seq).Order("seq").Limit(limit)
	if err := s.matching(q, f).Find(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, eventRow.event)
}

type auditKeyRow struct {
	Number                     int
	ID, ByKey                  string
	Public, Private, Signature []byte
	CreatedAt, RetiredAt       *int64
}

func (auditKeyRow) TableName() string { return "audit_keys" }

func (row auditKeyRow) key() (engine.AuditKey, error) {
	return engine.AuditKey{ID: row.ID, Public: row.Public, At: instant(row.CreatedAt), By: row.ByKey, Signature: row.Signature, RetiredAt: instant(row.RetiredAt)}, nil
}

// AuditKeys implements engine.AuditStore.
func (s *Store) AuditKeys(ctx context.Context) ([]engine.AuditKey, error) {
	var rows []auditKeyRow
	if err := s.read.WithContext(ctx).Raw(`SELECT * FROM audit_keys ORDER BY number`).Scan(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, auditKeyRow.key)
}

// AuditSigner implements engine.AuditStore.
func (s *Store) AuditSigner(ctx context.Context) (*engine.AuditSigner, error) {
	var row auditKeyRow
	missing := engine.NotFound("the audit log has no key yet")
	if err := one(s.read.WithContext(ctx), &row, missing, `SELECT * FROM audit_keys WHERE retired_at IS NULL`); err != nil {
		return nil, err
	}
	private, err := s.seal.Unseal("audit_keys", row.ID, "private", row.Private)
	if err != nil {
		return nil, err
	}
	key, err := row.key()
	return &engine.AuditSigner{AuditKey: key, Private: private}, err
}

// AddAuditKey implements engine.AuditStore.
func (s *Store) AddAuditKey(ctx context.Context, signer *engine.AuditSigner, e engine.Event) error {
	sealed, err := s.seal.Seal("audit_keys", signer.ID, "private", signer.Private)
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		at := micros(signer.At)
		res := tx.Exec(`UPDATE audit_keys SET retired_at = ?, private = NULL WHERE retired_at IS NULL AND id = ?`, at, signer.By)
		if res.Error != nil {
			return res.Error
		}
		var last int
		if err := tx.Raw(`SELECT coalesce(max(number), 0) FROM audit_keys`).Scan(&last).Error; err != nil {
			return err
		}
		row := auditKeyRow{Number: last + 1, ID: signer.ID, ByKey: signer.By, Public: signer.Public, Private: sealed, Signature: append([]byte{}, signer.Signature...), CreatedAt: at}
		err := tx.Create(&row).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return engine.Conflict("the audit log got another key in between")
		}
		if err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

type checkpointRow struct {
	Seq         int64
	Hash, KeyID string
	CreatedAt   *int64
	Signature   []byte
}

func (checkpointRow) TableName() string { return "audit_checkpoints" }

// AddCheckpoint implements engine.AuditStore.
func (s *Store) AddCheckpoint(ctx context.Context, c engine.Checkpoint) error {
	return s.db.WithContext(ctx).Exec(`INSERT INTO audit_checkpoints (seq, hash, created_at, key_id, signature) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		c.Seq, c.Hash, micros(c.At), c.Key, c.Signature).Error
}

// Checkpoints implements engine.AuditStore.
func (s *Store) Checkpoints(ctx context.Context, from, to int64, limit int) ([]engine.Checkpoint, error) {
	return s.checkpoints(ctx, `seq BETWEEN ? AND ? ORDER BY seq LIMIT ?`, from, to, limit)
}

// LastCheckpoint implements engine.AuditStore.
func (s *Store) LastCheckpoint(ctx context.Context, before time.Time) (engine.Checkpoint, error) {
	list, err := s.checkpoints(ctx, `created_at <= ? ORDER BY seq DESC LIMIT 1`, before.UnixMicro())
	if err != nil || len(list) == 0 {
		return engine.Checkpoint{}, err
	}
	return list[0], nil
}

func (s *Store) checkpoints(ctx context.Context, where string, args ...any) ([]engine.Checkpoint, error) {
	db := s.read.WithContext(ctx)
	head, err := s.head(db, "")
	if err != nil {
		return nil, err
	}
	var rows []checkpointRow
	if err := db.Raw(`SELECT * FROM audit_checkpoints WHERE `+where, args...).Scan(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, func(row checkpointRow) (engine.Checkpoint, error) {
		return engine.Checkpoint{Installation: head.Installation, Seq: row.Seq, Hash: row.Hash, At: instant(row.CreatedAt), Key: row.KeyID, Signature: row.Signature}, nil
	})
}

type dropRow struct {
	ToSeq, FromSeq                int64
	Previous, Hash, Digest, KeyID string
	CreatedAt                     *int64
	Signature                     []byte
}

func (dropRow) TableName() string { return "audit_drops" }

// AuditDrops implements engine.AuditStore.
func (s *Store) AuditDrops(ctx context.Context) ([]engine.AuditDrop, error) {
	db := s.read.WithContext(ctx)
	head, err := s.head(db, "")
	if err != nil {
		return nil, err
	}
	var rows []dropRow
	if err := db.Raw(`SELECT * FROM audit_drops ORDER BY to_seq`).Scan(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, func(row dropRow) (engine.AuditDrop, error) {
		return engine.AuditDrop{Installation: head.Installation, From: row.FromSeq, To: row.ToSeq, Previous: row.Previous, Hash: row.Hash,
			Digest: row.Digest, At: instant(row.CreatedAt), Key: row.KeyID, Signature: row.Signature}, nil
	})
}

// FirstHeldEvent implements engine.AuditStore.
func (s *Store) FirstHeldEvent(ctx context.Context) (int64, error) {
	return firstHeld(s.read.WithContext(ctx))
}

func firstHeld(db *gorm.DB) (seq int64, err error) {
	return seq, db.Raw(`SELECT coalesce(min(e.seq), 0) FROM events e JOIN stacks s ON s.name = e.stack WHERE s.hold_at IS NOT NULL`).Scan(&seq).Error
}

// DropEvents implements engine.AuditStore.
func (s *Store) DropEvents(ctx context.Context, d engine.AuditDrop, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		// Who puts a stack under a hold writes an event: with the end of the
		// chain in hand nobody can do so in between.
		if _, err := s.head(tx, s.locked()); err != nil {
			return err
		}
		var dropped int64
		if err := tx.Raw(`SELECT coalesce(max(to_seq), 0) FROM audit_drops`).Scan(&dropped).Error; err != nil {
			return err
		}
		if dropped != d.From-1 {
			return engine.Conflict("events up to %d were removed in the meantime", dropped)
		}
		held, err := firstHeld(tx)
		if err != nil {
			return err
		}
		if held > 0 && held <= d.To {
			return engine.Conflict("event %d is of a stack under a legal hold", held)
		}
		row := dropRow{d.To, d.From, d.Previous, d.Hash, d.Digest, d.Key, micros(d.At), d.Signature}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		for _, sql := range []string{`DELETE FROM events WHERE seq BETWEEN ? AND ?`, `DELETE FROM audit_checkpoints WHERE seq BETWEEN ? AND ?`} {
			if err := tx.Exec(sql, d.From, d.To).Error; err != nil {
				return err
			}
		}
		return addEvents(tx, e)
	})
}
