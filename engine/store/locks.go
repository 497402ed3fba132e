package store

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cloudops-manager/cloudops/engine"
)

// lockQuery reads locks; where the step that holds one was interrupted, that
// is the reason. Those of plays have it as theirs.
const lockQuery = `SELECT l.stack, l.component, l.id, l.holder, l.step_id, l.info, l.created_at, coalesce(s.status, '') AS step_status,
	CASE WHEN s.status = 'interrupted' AND l.id <> l.step_id
		THEN 'its apply was interrupted: look at the run, then recover the state or break the lock' ELSE l.reason END AS reason
	FROM state_locks l LEFT JOIN steps s ON s.id = l.step_id `

type lockRow struct {
	Stack, Component, ID, Holder, Reason, StepID string
	StepStatus                                   string `gorm:"->"` // of lockQuery only
	Info                                         []byte
	CreatedAt                                    *int64
}

func (lockRow) TableName() string { return "state_locks" }

func newLockRow(l engine.StateLock) lockRow {
	return lockRow{Stack: l.Stack, Component: l.Component, ID: l.ID, Holder: l.Holder, Reason: l.Reason, StepID: l.Step,
		Info: append([]byte{}, l.Info...), CreatedAt: micros(l.CreatedAt)} // Info is never NULL
}

func (row lockRow) lock() (*engine.StateLock, error) {
	return &engine.StateLock{ID: row.ID, Stack: row.Stack, Component: row.Component, Holder: row.Holder, Reason: row.Reason,
		Step: row.StepID, Info: row.Info, CreatedAt: instant(row.CreatedAt),
		Interrupted: engine.StepStatus(row.StepStatus) == engine.StepInterrupted}, nil
}

// alone makes others that write or lock a component's state wait for the end
// of the transaction, and checks that a step which does so is in the hands of
// that attempt; until then nobody takes it away. On SQLite the transaction is
// alone from the start.
func (s *Store) alone(tx *gorm.DB, w engine.StateWriter, stack, component string) error {
	suffix := ""
	if s.postgres {
		suffix = ` FOR SHARE`
		// There may be no row yet that could be locked.
		if err := tx.Exec(`SELECT pg_advisory_xact_lock(hashtextextended(?, 0))`, "state/"+stack+"/"+component).Error; err != nil {
			return err
		}
	}
	if w.Step == "" {
		return nil
	}
	gone := engine.Conflict("%s/%s: the step is no longer in the hands of attempt %d", stack, component, w.Attempt)
	var id string
	return one(tx, &id, gone, `SELECT id FROM steps WHERE id = ? AND attempt = ? AND status IN ('planning', 'applying')`+suffix, w.Step, w.Attempt)
}

// LockState implements engine.StateStore.
func (s *Store) LockState(ctx context.Context, w engine.StateWriter, l *engine.StateLock, events ...engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := s.alone(tx, w, l.Stack, l.Component); err != nil {
			return err
		}
		row := newLockRow(*l)
		held, err := lockOf(tx, l.Stack, l.Component)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			if err := tx.Create(&row).Error; err != nil {
				return err
			}
			return addEvents(tx, events...)
		case err != nil:
			return err
		case held.ID == l.ID: // the same request, delivered twice
			return nil
		case l.Step != "" && held.Step == l.Step: // the step's next runner
			if err := tx.Exec(`UPDATE state_locks SET id = ?, info = ?, created_at = ? WHERE stack = ? AND component = ?`,
				row.ID, row.Info, row.CreatedAt, row.Stack, row.Component).Error; err != nil {
				return err
			}
			return addEvents(tx, events...)
		}
		return &engine.LockedError{Lock: *held}
	})
}

// addLocks takes locks that come with a run; one that is there stays.
func addLocks(tx *gorm.DB, locks []engine.StateLock) error {
	for _, l := range locks {
		row := newLockRow(l)
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
			return err
		}
	}
	return nil
}

// UnlockState implements engine.StateStore.
func (s *Store) UnlockState(ctx context.Context, w engine.StateWriter, stack, component, id string, events ...engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := s.alone(tx, w, stack, component); err != nil {
			return err
		}
		held, err := lockOf(tx, stack, component)
		if err != nil {
			return err
		}
		if held.ID != id {
			return &engine.LockedError{Lock: *held}
		}
		if err := dropLock(tx, stack, component); err != nil {
			return err
		}
		return addEvents(tx, events...)
	})
}

// freeLocks gives back the lock under which states were written.
func freeLocks(tx *gorm.DB, put engine.StatePut, rows []stateRow) error {
	if !put.Free {
		return nil
	}
	for _, row := range rows {
		if err := dropLock(tx, row.Stack, row.Component); err != nil {
			return err
		}
	}
	return nil
}

func dropLock(tx *gorm.DB, stack, component string) error {
	return tx.Exec(`DELETE FROM state_locks WHERE stack = ? AND component = ?`, stack, component).Error
}

// StateLock implements engine.StateStore.
func (s *Store) StateLock(ctx context.Context, stack, component string) (*engine.StateLock, error) {
	return lockOf(s.read.WithContext(ctx), stack, component)
}

func lockOf(db *gorm.DB, stack, component string) (*engine.StateLock, error) {
	var row lockRow
	missing := engine.NotFound("the state of %s/%s is not locked", stack, component)
	if err := one(db, &row, missing, lockQuery+`WHERE l.stack = ? AND l.component = ?`, stack, component); err != nil {
		return nil, err
	}
	return row.lock()
}

// StateLocks implements engine.StateStore.
func (s *Store) StateLocks(ctx context.Context, stack string, p engine.Page) ([]*engine.StateLock, error) {
	var rows []lockRow
	err := s.read.WithContext(ctx).Raw(lockQuery+`WHERE l.stack = ? AND l.component > ? ORDER BY l.component LIMIT ?`, stack, p.After, limit(p)).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, lockRow.lock)
}

// OrphanedLocks implements engine.StateStore.
func (s *Store) OrphanedLocks(ctx context.Context, limit int) ([]*engine.StateLock, error) {
	var rows []lockRow
	err := s.read.WithContext(ctx).Raw(`SELECT l.* FROM state_locks l JOIN steps s ON s.id = l.step_id
		WHERE s.status NOT IN ('planning', 'applying', 'interrupted') ORDER BY l.stack, l.component LIMIT ?`, limit).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, lockRow.lock)
}
