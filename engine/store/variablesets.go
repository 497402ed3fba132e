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
	return s.variableSets(ctx, `SELECT * FROM variable_sets WHERE name > ? AND `+where+` ORDER BY name LIMIT ?`, around(p.After, args, limit(p))...)
}

// VariableSet implements engine.VariableStore.
func (s *Store) VariableSet(ctx context.Context, name string) (*engine.VariableSet, error) {
	sets, err := s.variableSets(ctx, `SELECT * FROM variable_sets WHERE name = ?`, name)
	if err == nil && len(sets) == 0 {
		err = noSet(name)
	}
	if err != nil {
		return nil, err
	}
	return sets[0], nil
}

// variableSets reads the sets that a statement finds, with their variables.
func (s *Store) variableSets(ctx context.Context, sql string, args ...any) ([]*engine.VariableSet, error) {
	var rows []variableSetRow
	if err := s.read.WithContext(ctx).Raw(sql, args...).Scan(&rows).Error; err != nil || len(rows) == 0 {
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
	err = s.read.WithContext(ctx).Raw(`SELECT * FROM set_variables WHERE set_name IN ? ORDER BY kind DESC, name`, names).Scan(&values).Error
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
		err := tx.Exec(`INSERT INTO variable_sets (name, description, stacks, updated_by, updated_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET description = excluded.description, stacks = excluded.stacks, updated_by = excluded.updated_by, updated_at = excluded.updated_at`,
			v.Name, v.Description, text(v.Stacks), v.UpdatedBy, micros(v.UpdatedAt)).Error
		if err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

// DeleteVariableSet implements engine.VariableStore.
func (s *Store) DeleteVariableSet(ctx context.Context, name string, e engine.Event) error {
	return s.changeOne(ctx, noSet(name), e, `DELETE FROM variable_sets WHERE name = ?`, name)
}

// SetShared implements engine.VariableStore.
func (s *Store) SetShared(ctx context.Context, set string, v *engine.Variable, e engine.Event) error {
	row := sharedRow{SetName: set, Kind: string(v.Kind), Name: v.Name}
	sealed, err := s.seal.Seal("set_variables", row.place(), "value", []byte(v.Value.Reveal()))
	if err != nil {
		return err
	}
	return s.changeOne(ctx, noSet(set), e, `INSERT INTO set_variables (set_name, kind, name, secret, value, updated_by, updated_at)
		SELECT name, ?, ?, ?, ?, ?, ? FROM variable_sets WHERE name = ?
		ON CONFLICT (set_name, kind, name) DO UPDATE SET secret = excluded.secret, value = excluded.value, updated_by = excluded.updated_by, updated_at = excluded.updated_at`,
		row.Kind, row.Name, v.Secret, sealed, v.UpdatedBy, micros(v.UpdatedAt), set)
}

// UnsetShared implements engine.VariableStore.
func (s *Store) UnsetShared(ctx context.Context, set string, kind engine.VariableKind, name string, e engine.Event) error {
	missing := engine.NotFound("variable set %q has no %s variable %s", set, kind, name)
	return s.changeOne(ctx, missing, e, `DELETE FROM set_variables WHERE set_name = ? AND kind = ? AND name = ?`, set, string(kind), name)
}

// changeOne runs a statement that has to change something, else gives missing,
// and notes the event beside it.
func (s *Store) changeOne(ctx context.Context, missing error, e engine.Event, statement string, args ...any) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		res := tx.Exec(statement, args...)
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected == 0 {
			return missing
		}
		return addEvents(tx, e)
	})
}
