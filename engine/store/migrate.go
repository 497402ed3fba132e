package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// Migrate brings the schema to this version. Processes that start together
// wait for each other.
func (s *Store) Migrate(ctx context.Context) error {
	dialect, folder := goose.DialectSQLite3, "migrations/sqlite"
	var opts []goose.ProviderOption
	if s.postgres {
		dialect, folder = goose.DialectPostgres, "migrations/postgres"
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return err
	}
	pool, err := s.db.DB()
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, pool, files, opts...)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if err := s.up(ctx, provider); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// up applies what is missing. SQLite has no lock that spans migrations: who
// loses the race for one fails, and goes on from where the winner is.
func (s *Store) up(ctx context.Context, provider *goose.Provider) error {
	for last := int64(-1); ; {
		_, err := provider.Up(ctx)
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

// WrappedKeys reads the data keys, sealed under the master key, oldest first.
func (s *Store) WrappedKeys(ctx context.Context) ([][]byte, error) {
	var keys [][]byte
	return keys, s.db.WithContext(ctx).Raw(`SELECT wrapped FROM data_keys ORDER BY id`).Scan(&keys).Error
}

// AddWrappedKey adds a data key with the next number. Where another process
// was faster, nothing is added; the keys have to be read again.
func (s *Store) AddWrappedKey(ctx context.Context, number int, wrapped []byte) error {
	return s.db.WithContext(ctx).Exec(`INSERT INTO data_keys (id, wrapped, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		number, wrapped, time.Now().UnixMicro()).Error
}
