package store

import (
	"database/sql"

	"gorm.io/gorm"
)

// SQL is the pool that s writes with.
func (s *Store) SQL() (*sql.DB, error) { return s.db.DB() }

// CountReads calls count for each statement that s reads with.
func (s *Store) CountReads(count func()) error {
	counted := func(*gorm.DB) { count() }
	for _, register := range []func(string, func(*gorm.DB)) error{
		s.read.Callback().Query().Register, s.read.Callback().Row().Register, s.read.Callback().Raw().Register,
	} {
		if err := register("test:count", counted); err != nil {
			return err
		}
	}
	return nil
}

// Postgres reports whether s is on PostgreSQL.
func (s *Store) Postgres() bool { return s.postgres }

// SealedColumns lists the columns that are sealed again when keys are rotated.
func SealedColumns() (all []string) {
	for _, c := range sealedColumns {
		all = append(all, c.String())
	}
	return all
}
