package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"math"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// Migrate brings the schema to this version. Processes that start together
// wait for each other. A new database gets the beginning of its audit log.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.migrate(ctx, newest); err != nil {
		return err
	}
	return s.found(ctx)
}

// newest stands for the last migration that there is.
const newest = math.MaxInt64

// migrate brings the schema up to a version.
func (s *Store) migrate(ctx context.Context, to int64) error {
	var opts []goose.ProviderOption
	if s.postgres {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	provider, err := s.migrations(opts...)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if err := s.up(ctx, provider, to); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (s *Store) migrations(opts ...goose.ProviderOption) (*goose.Provider, error) {
	dialect, folder := goose.DialectSQLite3, "migrations/sqlite"
	if s.postgres {
		dialect, folder = goose.DialectPostgres, "migrations/postgres"
	}
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return nil, err
	}
	pool, err := s.db.DB()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, pool, files, opts...)
}

// latestSchema is the number of the last migration that this program knows.
func (s *Store) latestSchema() (int64, error) {
	provider, err := s.migrations()
	if err != nil {
		return 0, err
	}
	sources := provider.ListSources()
	return sources[len(sources)-1].Version, nil
}

// up applies what is missing. SQLite has no lock that spans migrations: who
// loses the race for one fails, and goes on from where the winner is.
func (s *Store) up(ctx context.Context, provider *goose.Provider, to int64) error {
	for last := int64(-1); ; {
		_, err := provider.UpTo(ctx, to)
		if err == nil || s.postgres {
			return err
		}
		version, verr := provider.GetDBVersion(ctx)
		if verr != nil || version == last {
			return err
		}
		last = version
	}
}
