package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

// HoldStack implements engine.RetentionStore.
func (s *Store) HoldStack(ctx context.Context, name string, h *engine.Hold, e engine.Event) error {
	if h == nil {
		h = &engine.Hold{}
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := was(s, tx, "stacks", name, stackNamed)
		if err != nil {
			return err
		}
		return change(tx, noStack(name), e.Replacing(before), `UPDATE stacks SET hold_by = ?, hold_reason = ?, hold_at = ? WHERE name = ?`, h.By, h.Reason, micros(h.At), name)
	})
}

// FreeStacks implements engine.RetentionStore.
func (s *Store) FreeStacks(ctx context.Context, after string, limit int) ([]string, error) {
	var names []string
	return names, s.read.WithContext(ctx).Raw(`SELECT name FROM stacks WHERE hold_at IS NULL AND name > ? ORDER BY name LIMIT ?`, after, limit).Scan(&names).Error
}

// notHeld is asked again where something is removed: a hold may have come since.
const notHeld = ` AND EXISTS (SELECT 1 FROM stacks s WHERE s.name = r.stack AND s.hold_at IS NULL) `

// DropLogs implements engine.RetentionStore.
func (s *Store) DropLogs(ctx context.Context, stack string, keep int, before time.Time, limit int) (n int, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		var runs []string
		err := tx.Raw(`SELECT id FROM runs r WHERE stack = ? AND finished_at < ? AND purged_at IS NULL AND id <
			(SELECT id FROM runs WHERE stack = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`+notHeld+`ORDER BY id LIMIT ?`,
			stack, before.UnixMicro(), stack, keep-1, limit).Scan(&runs).Error
		if n = len(runs); err != nil || n == 0 {
			return err
		}
		// A state that could not be written is no plan: it is kept with the states.
		for _, sql := range []string{
			`DELETE FROM log_chunks WHERE step_id IN (SELECT id FROM steps WHERE run_id IN ?)`,
			`DELETE FROM artifacts WHERE step_id IN (SELECT id FROM steps WHERE run_id IN ?) AND name <> '` + engine.ArtifactErrored + `'`,
			`UPDATE steps SET log_size = 0 WHERE run_id IN ?`,
		} {
			if err := tx.Exec(sql, runs).Error; err != nil {
				return err
			}
		}
		return tx.Exec(`UPDATE runs SET purged_at = ? WHERE id IN ?`, time.Now().UnixMicro(), runs).Error
	})
	return n, err
}

// DropChecks implements engine.RetentionStore.
func (s *Store) DropChecks(ctx context.Context, stack string, keep int, before time.Time, limit int) (n int, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		var runs []string
		err := tx.Raw(`SELECT id FROM runs r WHERE stack = ? AND kind IN ('drift', 'preview') AND finished_at < ? AND id <
			(SELECT id FROM runs WHERE stack = ? AND kind IN ('drift', 'preview') ORDER BY id DESC LIMIT 1 OFFSET ?)`+notHeld+`ORDER BY id LIMIT ?`,
			stack, before.UnixMicro(), stack, keep-1, limit).Scan(&runs).Error
		if n = len(runs); err != nil || n == 0 {
			return err
		}
		return tx.Exec(`DELETE FROM runs WHERE id IN ?`, runs).Error
	})
	return n, err
}

// DropStates implements engine.RetentionStore.
func (s *Store) DropStates(ctx context.Context, stack string, keep int, before time.Time, limit int) (int, error) {
	res := s.db.WithContext(ctx).Exec(`DELETE FROM state_versions WHERE id IN (SELECT id FROM state_versions r WHERE stack = ? AND created_at < ? AND serial <
		(SELECT serial FROM state_versions w WHERE w.stack = r.stack AND w.component = r.component ORDER BY serial DESC LIMIT 1 OFFSET ?)`+notHeld+`ORDER BY id LIMIT ?)`,
		stack, before.UnixMicro(), keep-1, limit)
	return int(res.RowsAffected), res.Error
}

// TakeChore implements engine.RetentionStore.
func (s *Store) TakeChore(ctx context.Context, name string, now, next time.Time) (bool, error) {
	res := s.db.WithContext(ctx).Exec(`INSERT INTO chores (name, due_at) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at WHERE chores.due_at <= ?`, name, next.UnixMicro(), now.UnixMicro())
	return res.RowsAffected == 1, res.Error
}
