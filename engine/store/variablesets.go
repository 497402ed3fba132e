package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type variableSetRow struct {
	Name, Description, Stacks, UpdatedBy string
	UpdatedAt                            *int64
}

type sharedRow struct {
	SetName, Kind, Name, UpdatedBy string
	Secret                         bool
	Value                          []byte
	UpdatedAt                      *int64
}

// place is what a value's seal is bound to.
func (row sharedRow) place() string { return row.SetName + "/" + row.Kind + "/" + row.Name }

func noSet(name string) error { return engine.Missing(engine.ThingVariableSet, name) }

// VariableSets implements engine.VariableStore.
func (s *Store) VariableSets(ctx context.Context, p engine.Page) ([]*engine.VariableSet, error) {
	where, args := withinProjects("name", p.Within)
	return s.variableSets(s.read.WithContext(ctx), `SELECT * FROM variable_sets WHERE name > ? AND `+where+` ORDER BY name LIMIT ?`, around(p.After, args, limit(p))...)
}

// VariableSet implements engine.VariableStore.
func (s *Store) VariableSet(ctx context.Context, name string) (*engine.VariableSet, error) {
	return s.variableSet(s.read.WithContext(ctx), name)
}

func (s *Store) variableSet(db *gorm.DB, name string) (*engine.VariableSet, error) {
	sets, err := s.variableSets(db, `SELECT * FROM variable_sets WHERE name = ?`, name)
	if err == nil && len(sets) == 0 {
		err = noSet(name)
	}
	if err != nil {
		return nil, err
	}
	return sets[0], nil
}

// variableSets reads the sets that a statement finds, with their variables.
func (s *Store) variableSets(db *gorm.DB, sql string, args ...any) ([]*engine.VariableSet, error) {
	var rows []variableSetRow
	if err := db.Raw(sql, args...).Scan(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	all, err := each(rows, variableSetRow.set)
	if err != nil {
		return nil, err
	}
	byName, names := map[string]*engine.VariableSet{}, make([]string, len(all))
	for i, set := range all {
		byName[set.Name], names[i] = set, set.Name
	}
	var values []sharedRow
	err = db.Raw(`SELECT * FROM set_variables WHERE set_name IN ? ORDER BY kind DESC, name`, names).Scan(&values).Error
	if err != nil {
		return nil, err
	}
	for _, row := range values {
		v, err := s.shared(row)
		if err != nil {
			return nil, err
		}
		set := byName[row.SetName]
		set.Variables = append(set.Variables, v)
	}
	return all, nil
}

func (row variableSetRow) set() (*engine.VariableSet, error) {
	stacks, err := parse[[]string](row.Stacks)
	return &engine.VariableSet{Name: row.Name, Description: row.Description, Stacks: stacks, UpdatedBy: row.UpdatedBy, UpdatedAt: instant(row.UpdatedAt)}, err
}

func (s *Store) shared(row sharedRow) (*engine.Variable, error) {
	value, err := s.seal.Unseal("set_variables", row.place(), "value", row.Value)
	return &engine.Variable{Kind: engine.VariableKind(row.Kind), Name: row.Name, Secret: row.Secret, Value: engine.Secret(value),
		UpdatedBy: row.UpdatedBy, UpdatedAt: instant(row.UpdatedAt)}, err
}

// PutVariableSet implements engine.VariableStore.
func (s *Store) PutVariableSet(ctx context.Context, v *engine.VariableSet, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := was(s, tx, "variable_sets", v.Name, s.variableSet)
		if err != nil {
			return err
		}
		err = tx.Exec(`INSERT INTO variable_sets (name, description, stacks, updated_by, updated_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET description = excluded.description, stacks = excluded.stacks, updated_by = excluded.updated_by, updated_at = excluded.updated_at`,
			v.Name, v.Description, text(v.Stacks), v.UpdatedBy, micros(v.UpdatedAt)).Error
		if err != nil {
			return err
		}
		return addEvents(tx, e.Replacing(before))
	})
}

// DeleteVariableSet implements engine.VariableStore.
func (s *Store) DeleteVariableSet(ctx context.Context, name string, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := was(s, tx, "variable_sets", name, s.variableSet)
		if err != nil {
			return err
		}
		return change(tx, noSet(name), e.Replacing(before), `DELETE FROM variable_sets WHERE name = ?`, name)
	})
}

// SetShared implements engine.VariableStore.
func (s *Store) SetShared(ctx context.Context, set string, v *engine.Variable, e engine.Event) error {
	row := sharedRow{SetName: set, Kind: string(v.Kind), Name: v.Name}
	sealed, err := s.seal.Seal("set_variables", row.place(), "value", []byte(v.Value.Reveal()))
	if err != nil {
		return err
	}
	return s.changeShared(ctx, row, noSet(set), e, `INSERT INTO set_variables (set_name, kind, name, secret, value, updated_by, updated_at)
		SELECT name, ?, ?, ?, ?, ?, ? FROM variable_sets WHERE name = ?
		ON CONFLICT (set_name, kind, name) DO UPDATE SET secret = excluded.secret, value = excluded.value, updated_by = excluded.updated_by, updated_at = excluded.updated_at`,
		row.Kind, row.Name, v.Secret, sealed, v.UpdatedBy, micros(v.UpdatedAt), set)
}

// UnsetShared implements engine.VariableStore.
func (s *Store) UnsetShared(ctx context.Context, set string, kind engine.VariableKind, name string, e engine.Event) error {
	missing := engine.NotFound("variable set %q has no %s variable %s", set, kind, name)
	row := sharedRow{SetName: set, Kind: string(kind), Name: name}
	return s.changeShared(ctx, row, missing, e, `DELETE FROM set_variables WHERE set_name = ? AND kind = ? AND name = ?`, set, string(kind), name)
}

// changeShared changes a value of a set with its event, or returns missing.
func (s *Store) changeShared(ctx context.Context, row sharedRow, missing error, e engine.Event, sql string, args ...any) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := was(s, tx, "variable_sets", row.SetName, func(tx *gorm.DB, _ string) (*engine.Variable, error) {
			var kept sharedRow
			err := one(tx, &kept, missing, `SELECT * FROM set_variables WHERE set_name = ? AND kind = ? AND name = ?`, row.SetName, row.Kind, row.Name)
			if err != nil {
				return nil, err
			}
			return s.shared(kept)
		})
		if err != nil {
			return err
		}
		return change(tx, missing, e.Replacing(before), sql, args...)
	})
}
