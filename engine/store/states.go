package store

import (
	"context"
	"errors"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type stateRow struct {
	ID, Stack, Component, Lineage, RunID, ByUser, Digest string
	Serial                                               int64
	Size, Resources                                      int
	Data                                                 []byte
	CreatedAt                                            *int64
}

func (stateRow) TableName() string { return "state_versions" }

const stateColumns = `id, stack, component, lineage, run_id, by_user, digest, serial, size, resources, created_at`

func (row stateRow) version() (*engine.StateVersion, error) {
	return &engine.StateVersion{
		ID: row.ID, Stack: row.Stack, Component: row.Component, Serial: row.Serial, Lineage: row.Lineage, Size: row.Size,
		Run: row.RunID, By: row.ByUser, CreatedAt: instant(row.CreatedAt), Resources: row.Resources,
	}, nil
}

// opened is the version with its data.
func (s *Store) opened(row stateRow) (*engine.StateVersion, error) {
	v, err := row.version()
	if err != nil {
		return nil, err
	}
	v.Data, err = s.seal.Unseal("state_versions", row.ID, "data", row.Data)
	return v, err
}

// PutState implements engine.StateStore.
func (s *Store) PutState(ctx context.Context, vs ...*engine.StateVersion) error {
	rows := make([]stateRow, len(vs))
	for i, v := range vs {
		sealed, err := s.seal.Seal("state_versions", v.ID, "data", v.Data)
		if err != nil {
			return err
		}
		rows[i] = stateRow{ID: v.ID, Stack: v.Stack, Component: v.Component, Lineage: v.Lineage, RunID: v.Run, ByUser: v.By,
			Digest: s.seal.Fingerprint(v.Data), Serial: v.Serial, Size: v.Size, Resources: v.Resources, Data: sealed, CreatedAt: micros(v.CreatedAt)}
	}
	// In one order, so that two who write the same states do not wait for each other.
	slices.SortFunc(rows, func(a, b stateRow) int { return strings.Compare(a.Component, b.Component) })
	return s.inTx(ctx, func(tx *gorm.DB) error {
		for _, row := range rows {
			if err := s.putState(tx, row); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) putState(tx *gorm.DB, row stateRow) error {
	if err := s.lockHistory(tx, row); err != nil {
		return err
	}
	if known, err := follows(tx, row); known || err != nil {
		return err
	}
	return tx.Create(&row).Error
}

// lockHistory makes others that write a state of the component wait for the
// end of the transaction. There may be no row yet that could be locked; on
// SQLite the transaction is alone from the start.
func (s *Store) lockHistory(tx *gorm.DB, row stateRow) error {
	if !s.postgres {
		return nil
	}
	return tx.Exec(`SELECT pg_advisory_xact_lock(hashtextextended(?, 0))`, "state/"+row.Stack+"/"+row.Component).Error
}

// follows checks that row may come after the latest version; known is true
// where it is that version.
func follows(tx *gorm.DB, row stateRow) (known bool, err error) {
	var last stateRow
	err = one(tx, &last, engine.ErrNotFound, `SELECT `+stateColumns+` FROM state_versions WHERE stack = ? AND component = ?
		ORDER BY serial DESC LIMIT 1`, row.Stack, row.Component)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case last.Lineage != row.Lineage:
		return false, engine.Conflict("the state of %s/%s has lineage %s, not %s: it belongs to another history", row.Stack, row.Component, last.Lineage, row.Lineage)
	case last.Serial == row.Serial && last.Digest == row.Digest:
		return true, nil
	case last.Serial >= row.Serial:
		return false, engine.Conflict("the state of %s/%s has serial %d already, so %d is too late; pull it first", row.Stack, row.Component, last.Serial, row.Serial)
	}
	return false, nil
}

// LatestState implements engine.StateStore.
func (s *Store) LatestState(ctx context.Context, stack, component string) (*engine.StateVersion, error) {
	var row stateRow
	missing := engine.NotFound("%s/%s has no state", stack, component)
	err := one(s.read.WithContext(ctx), &row, missing, `SELECT * FROM state_versions WHERE stack = ? AND component = ? ORDER BY serial DESC LIMIT 1`, stack, component)
	if err != nil {
		return nil, err
	}
	return s.opened(row)
}

// State implements engine.StateStore.
func (s *Store) State(ctx context.Context, id string) (*engine.StateVersion, error) {
	var row stateRow
	missing := engine.NotFound("there is no state version %s", id)
	if err := one(s.read.WithContext(ctx), &row, missing, `SELECT * FROM state_versions WHERE id = ?`, id); err != nil {
		return nil, err
	}
	return s.opened(row)
}

// StateVersions implements engine.StateStore.
func (s *Store) StateVersions(ctx context.Context, stack, component string, p engine.Page) ([]*engine.StateVersion, error) {
	q := s.read.WithContext(ctx).Table("state_versions").Select(stateColumns).Where("stack = ?", stack).Order("id DESC").Limit(limit(p))
	if component != "" {
		q = q.Where("component = ?", component)
	}
	if p.After != "" {
		q = q.Where("id < ?", p.After)
	}
	var rows []stateRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, stateRow.version)
}

// LatestStates implements engine.StateStore.
func (s *Store) LatestStates(ctx context.Context, stack string) ([]*engine.StateVersion, error) {
	var rows []stateRow
	err := s.read.WithContext(ctx).Raw(`SELECT * FROM state_versions v WHERE stack = ? AND serial =
		(SELECT max(serial) FROM state_versions w WHERE w.stack = v.stack AND w.component = v.component) ORDER BY component`, stack).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, s.opened)
}

// lockQuery reads locks; where the step that holds one was interrupted, that
// is the reason.
const lockQuery = `SELECT l.stack, l.component, l.id, l.holder, l.step_id, l.info, l.created_at,
	CASE WHEN s.status = 'interrupted' THEN 'its apply was interrupted: look at the run, then recover the state or break the lock' ELSE l.reason END AS reason
	FROM state_locks l LEFT JOIN steps s ON s.id = l.step_id `

type lockRow struct {
	Stack, Component, ID, Holder, Reason, StepID string
	Info                                         []byte
	CreatedAt                                    *int64
}

func (lockRow) TableName() string { return "state_locks" }

func (row lockRow) lock() (*engine.StateLock, error) {
	return &engine.StateLock{ID: row.ID, Stack: row.Stack, Component: row.Component, Holder: row.Holder, Reason: row.Reason,
		Step: row.StepID, Info: row.Info, CreatedAt: instant(row.CreatedAt)}, nil
}

// LockState implements engine.StateStore.
func (s *Store) LockState(ctx context.Context, l *engine.StateLock) error {
	row := lockRow{Stack: l.Stack, Component: l.Component, ID: l.ID, Holder: l.Holder, Reason: l.Reason, StepID: l.Step,
		Info: append([]byte{}, l.Info...), CreatedAt: micros(l.CreatedAt)} // Info is never NULL
	err := s.db.WithContext(ctx).Create(&row).Error
	if !errors.Is(err, gorm.ErrDuplicatedKey) {
		return err
	}
	held, err := s.StateLock(ctx, l.Stack, l.Component)
	if errors.Is(err, engine.ErrNotFound) { // it has just been given back
		return s.LockState(ctx, l)
	}
	if err != nil {
		return err
	}
	if held.ID == l.ID { // the same request, delivered twice
		return nil
	}
	if l.Step != "" && held.Step == l.Step {
		return s.takeOver(ctx, held, row)
	}
	return &engine.LockedError{Lock: *held}
}

// takeOver gives the lock of a step to the step's next runner.
func (s *Store) takeOver(ctx context.Context, held *engine.StateLock, row lockRow) error {
	res := s.db.WithContext(ctx).Exec(`UPDATE state_locks SET id = ?, info = ?, created_at = ? WHERE stack = ? AND component = ? AND id = ?`,
		row.ID, row.Info, row.CreatedAt, row.Stack, row.Component, held.ID)
	if res.Error == nil && res.RowsAffected == 0 {
		return &engine.LockedError{Lock: *held} // somebody was quicker
	}
	return res.Error
}

// UnlockState implements engine.StateStore.
func (s *Store) UnlockState(ctx context.Context, stack, component, id string) error {
	q := s.db.WithContext(ctx)
	res := q.Exec(`DELETE FROM state_locks WHERE stack = ? AND component = ? AND (id = ? OR ? = '')`, stack, component, id, id)
	if res.Error != nil || res.RowsAffected > 0 {
		return res.Error
	}
	held, err := s.StateLock(ctx, stack, component)
	if err != nil {
		return err
	}
	return &engine.LockedError{Lock: *held}
}

// StateLock implements engine.StateStore.
func (s *Store) StateLock(ctx context.Context, stack, component string) (*engine.StateLock, error) {
	var row lockRow
	missing := engine.NotFound("the state of %s/%s is not locked", stack, component)
	err := one(s.read.WithContext(ctx), &row, missing, lockQuery+`WHERE l.stack = ? AND l.component = ?`, stack, component)
	if err != nil {
		return nil, err
	}
	return row.lock()
}

// StateLocks implements engine.StateStore.
func (s *Store) StateLocks(ctx context.Context, stack string) ([]*engine.StateLock, error) {
	var rows []lockRow
	err := s.read.WithContext(ctx).Raw(lockQuery+`WHERE l.stack = ? OR ? = '' ORDER BY l.stack, l.component`, stack, stack).Scan(&rows).Error
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

// InterruptedStep implements engine.StateStore.
func (s *Store) InterruptedStep(ctx context.Context, stack, component string) (*engine.Step, error) {
	var row stepRow
	missing := engine.NotFound("the last apply of %s/%s was not interrupted", stack, component)
	err := one(s.read.WithContext(ctx), &row, missing, `SELECT * FROM (SELECT * FROM steps WHERE stack = ? AND address = ?
		AND status IN ('applied', 'interrupted') ORDER BY id DESC LIMIT 1) last WHERE status = 'interrupted'`, stack, component)
	if err != nil {
		return nil, err
	}
	return row.step()
}

// ErroredStep implements engine.StateStore.
func (s *Store) ErroredStep(ctx context.Context, stack, component string) (*engine.Step, error) {
	var row stepRow
	missing := engine.NotFound("no run of %s/%s has left a state that could not be written", stack, component)
	err := one(s.read.WithContext(ctx), &row, missing, `SELECT s.* FROM steps s JOIN artifacts a ON a.step_id = s.id AND a.name = ?
		WHERE s.stack = ? AND s.address = ? ORDER BY s.id DESC LIMIT 1`, engine.ArtifactErrored, stack, component)
	if err != nil {
		return nil, err
	}
	return row.step()
}
