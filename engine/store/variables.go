package store

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type variableRow struct {
	Stack, Kind, Name, UpdatedBy string
	Secret                       bool
	Value                        []byte
	UpdatedAt                    *int64
}

// place is what a value's seal is bound to.
func (row variableRow) place() string { return row.Stack + "/" + row.Kind + "/" + row.Name }

// Variables implements engine.VariableStore.
func (s *Store) Variables(ctx context.Context, stack string, p engine.Page) ([]*engine.Variable, error) {
	var rows []variableRow
	kind, name, _ := strings.Cut(p.After, "/")
	err := s.read.WithContext(ctx).Raw(`SELECT * FROM variables WHERE stack = ? AND (? = '' OR kind < ? OR kind = ? AND name > ?)
		ORDER BY kind DESC, name LIMIT ?`, stack, kind, kind, kind, name, limit(p)).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, s.variable)
}

func (s *Store) variable(row variableRow) (*engine.Variable, error) {
	value, err := s.seal.Unseal("variables", row.place(), "value", row.Value)
	return &engine.Variable{Stack: row.Stack, Kind: engine.VariableKind(row.Kind), Name: row.Name, Secret: row.Secret,
		Value: engine.Secret(value), UpdatedBy: row.UpdatedBy, UpdatedAt: instant(row.UpdatedAt)}, err
}

// variableWas reads a value that a transaction is about to replace; nil for none.
func (s *Store) variableWas(tx *gorm.DB, stack string, kind engine.VariableKind, name string) (*engine.Variable, error) {
	return was(s, tx, "variables", stack, func(tx *gorm.DB, stack string) (*engine.Variable, error) {
		var row variableRow
		if err := one(tx, &row, noVariable(stack, name, kind), `SELECT * FROM variables WHERE stack = ? AND kind = ? AND name = ?`, stack, string(kind), name); err != nil {
			return nil, err
		}
		return s.variable(row)
	})
}

func noVariable(stack, name string, kind engine.VariableKind) error {
	return engine.NotFound("nothing is kept for %s variable %s of stack %s", kind, name, stack)
}

// PutVariable implements engine.VariableStore.
func (s *Store) PutVariable(ctx context.Context, v *engine.Variable, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := s.variableWas(tx, v.Stack, v.Kind, v.Name)
		if err != nil {
			return err
		}
		if err := s.putVariable(tx, v); err != nil {
			return err
		}
		return addEvents(tx, e.Replacing(before))
	})
}

func (s *Store) putVariable(tx *gorm.DB, v *engine.Variable) error {
	row := variableRow{Stack: v.Stack, Kind: string(v.Kind), Name: v.Name}
	sealed, err := s.seal.Seal("variables", row.place(), "value", []byte(v.Value.Reveal()))
	if err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO variables (stack, kind, name, secret, value, updated_by, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (stack, kind, name) DO UPDATE SET secret = excluded.secret, value = excluded.value, updated_by = excluded.updated_by, updated_at = excluded.updated_at`,
		v.Stack, row.Kind, v.Name, v.Secret, sealed, v.UpdatedBy, micros(v.UpdatedAt)).Error
}

// DeleteVariable implements engine.VariableStore.
func (s *Store) DeleteVariable(ctx context.Context, stack, name string, kind engine.VariableKind, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := s.variableWas(tx, stack, kind, name)
		if err != nil {
			return err
		}
		if err := deleteVariable(tx, stack, name, kind); err != nil {
			return err
		}
		return addEvents(tx, e.Replacing(before))
	})
}

func deleteVariable(tx *gorm.DB, stack, name string, kind engine.VariableKind) error {
	res := tx.Exec(`DELETE FROM variables WHERE stack = ? AND kind = ? AND name = ?`, stack, string(kind), name)
	if res.Error == nil && res.RowsAffected == 0 {
		return noVariable(stack, name, kind)
	}
	return res.Error
}

// replacedVariable is what is kept in the place of a value that a revision
// brings along, or takes away.
func (s *Store) replacedVariable(tx *gorm.DB, with engine.Beside) (*engine.Variable, error) {
	v := with.Keep
	if v == nil {
		v = with.Forget
	}
	if v == nil {
		return nil, nil
	}
	return s.variableWas(tx, v.Stack, v.Kind, v.Name)
}

// changeVariables does to the variables of a stack what a revision brings along.
func (s *Store) changeVariables(tx *gorm.DB, stack string, with engine.Beside) error {
	if v := with.Keep; v != nil {
		if err := s.putVariable(tx, v); err != nil {
			return err
		}
	}
	if v := with.Forget; v != nil {
		if err := deleteVariable(tx, v.Stack, v.Name, v.Kind); err != nil {
			return err
		}
	}
	if len(with.Hide) == 0 {
		return nil
	}
	return tx.Exec(`UPDATE variables SET secret = TRUE WHERE stack = ? AND kind = ? AND name IN ?`, stack, string(engine.VariableInput), with.Hide).Error
}
