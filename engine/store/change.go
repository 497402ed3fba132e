package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

// writeOne changes a row with its event, or returns missing.
func (s *Store) writeOne(ctx context.Context, missing error, e engine.Event, sql string, args ...any) error {
	return s.inTx(ctx, func(tx *gorm.DB) error { return change(tx, missing, e, sql, args...) })
}

// change is writeOne in a transaction.
func change(tx *gorm.DB, missing error, e engine.Event, sql string, args ...any) error {
	res := tx.Exec(sql, args...)
	if res.Error != nil {
		return res.Error
	}
	if res.RowsAffected == 0 {
		return missing
	}
	return addEvents(tx, e)
}

// was reads what a transaction is about to replace, nil for nothing, once the
// transaction is the only one that replaces it. It comes before all other
// statements, so that two transactions cannot wait for each other.
func was[T any](s *Store, tx *gorm.DB, kind, name string, read func(tx *gorm.DB, name string) (*T, error)) (*T, error) {
	if err := s.turn(tx, kind, name); err != nil {
		return nil, err
	}
	v, err := read(tx, name)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, nil
	}
	return v, err
}

// turn waits until no other transaction has the turn at the same thing, whether
// there is one yet or not. SQLite's transactions are alone anyway.
func (s *Store) turn(tx *gorm.DB, kind, name string) error {
	if !s.postgres {
		return nil
	}
	return tx.Exec(`SELECT pg_advisory_xact_lock(hashtextextended(?, 0))`, kind+" "+name).Error
}
