package store

import (
	"context"
	"database/sql"
	"fmt"

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

// OpenAll opens every sealed value there is, and counts them by column.
func (s *Store) OpenAll(ctx context.Context) (map[string]int, error) {
	opened := map[string]int{}
	for _, c := range sealedColumns {
		var rows []struct {
			Row    string
			Sealed []byte
		}
		err := s.read.WithContext(ctx).Raw(fmt.Sprintf(`SELECT %s AS "row", %s AS sealed FROM %s WHERE %[2]s IS NOT NULL`, c.id, c.column, c.table)).Scan(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if _, err := s.seal.Unseal(c.table, row.Row, c.column, row.Sealed); err != nil {
				return nil, err
			}
		}
		opened[c.String()] = len(rows)
	}
	return opened, nil
}
