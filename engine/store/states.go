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
func (s *Store) PutState(ctx context.Context, put engine.StatePut, vs ...*engine.StateVersion) error {
	rows, err := s.stateRows(vs)
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		added := false
		for _, row := range rows {
			known, err := s.putState(tx, put, row)
			if err != nil {
				return err
			}
			added = added || !known
		}
		if !added {
			return nil
		}
		if err := freeLocks(tx, put, rows); err != nil {
			return err
		}
		return addEvents(tx, put.Events...)
	})
}

// stateRows seals the versions. They come in one order, so that two who write
// the same states do not wait for each other.
func (s *Store) stateRows(vs []*engine.StateVersion) ([]stateRow, error) {
	rows := make([]stateRow, len(vs))
	for i, v := range vs {
		sealed, err := s.seal.Seal("state_versions", v.ID, "data", v.Data)
		if err != nil {
			return nil, err
		}
		rows[i] = stateRow{ID: v.ID, Stack: v.Stack, Component: v.Component, Lineage: v.Lineage, RunID: v.Run, ByUser: v.By,
			Digest: s.seal.Fingerprint(v.Data), Serial: v.Serial, Size: v.Size, Resources: v.Resources, Data: sealed, CreatedAt: micros(v.CreatedAt)}
	}
	slices.SortFunc(rows, func(a, b stateRow) int { return strings.Compare(a.Component, b.Component) })
	return rows, nil
}

// putState adds a version; known is true where it is the newest already.
func (s *Store) putState(tx *gorm.DB, put engine.StatePut, row stateRow) (known bool, err error) {
	if err := s.alone(tx, put.Writer, row.Stack, row.Component); err != nil {
		return false, err
	}
	held, err := lockOf(tx, row.Stack, row.Component)
	if err == nil && held.ID != put.Lock {
		return false, &engine.LockedError{Lock: *held}
	}
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return false, err
	}
	last, known, err := follows(tx, row)
	if known || err != nil {
		return known, err
	}
	for i, e := range put.Events {
		put.Events[i] = e.Replacing(last)
	}
	return false, tx.Create(&row).Error
}

// follows gives the latest version, nil for none, and checks that row may come
// after it; known is true where it is that version.
func follows(tx *gorm.DB, row stateRow) (before *engine.StateVersion, known bool, err error) {
	var last stateRow
	err = one(tx, &last, engine.ErrNotFound, `SELECT `+stateColumns+` FROM state_versions WHERE stack = ? AND component = ?
		ORDER BY serial DESC LIMIT 1`, row.Stack, row.Component)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case last.Lineage != row.Lineage:
		return nil, false, engine.Conflict("the state of %s/%s has lineage %s, not %s: it belongs to another history", row.Stack, row.Component, last.Lineage, row.Lineage)
	case last.Serial == row.Serial && last.Digest == row.Digest:
		return nil, true, nil
	case last.Serial >= row.Serial:
		return nil, false, engine.Conflict("the state of %s/%s has serial %d already, so %d is too late; pull it first", row.Stack, row.Component, last.Serial, row.Serial)
	}
	before, err = last.version()
	return before, false, err
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
	missing := engine.Missing(engine.ThingVersion, id)
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

// States implements engine.StateStore.
func (s *Store) States(ctx context.Context, stack string, p engine.Page) ([]*engine.StateVersion, error) {
	var rows []stateRow
	err := s.read.WithContext(ctx).Raw(`SELECT `+stateColumns+` FROM state_versions v WHERE stack = ? AND component > ? AND serial =
		(SELECT max(serial) FROM state_versions w WHERE w.stack = v.stack AND w.component = v.component) ORDER BY component LIMIT ?`,
		stack, p.After, limit(p)).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, stateRow.version)
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
