// Package store keeps everything the engine has in SQLite or PostgreSQL. Rows
// are private to it, and secrets are sealed before they are written. Times are
// kept as microseconds since 1970 in UTC, the zero time as NULL.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	msqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/cloudops-manager/cloudops/engine"
)

// Sealer encrypts values for the place they are kept in: the table, row and
// column are bound to the result, which opens nowhere else.
type Sealer interface {
	Seal(table, id, column string, plain []byte) ([]byte, error)
	Unseal(table, id, column string, sealed []byte) ([]byte, error)
	Fingerprint(value []byte) string
}

// Store implements engine.Store.
type Store struct {
	db       *gorm.DB // for writing
	read     *gorm.DB // for reading; the same as db on PostgreSQL
	seal     Sealer
	postgres bool
}

var _ engine.Store = (*Store)(nil)

// Options say which database to open.
type Options struct {
	URL string // sqlite:///path or postgres://...
}

// readers is how many connections read from SQLite at a time.
const readers = 4

// Open connects to the database. Before anything sealed is read or written,
// UseSealer has to be called.
func Open(ctx context.Context, o Options) (*Store, error) {
	switch {
	case strings.HasPrefix(o.URL, "sqlite://"):
		return openSQLite(o)
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		return openPostgres(ctx, o)
	}
	return nil, engine.Invalid("a database URL starts with sqlite:// or postgres://")
}

func openSQLite(o Options) (*Store, error) {
	path := strings.TrimPrefix(o.URL, "sqlite://")
	pragmas := "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)"
	// The path is escaped as a URI: a % or ? in it means itself.
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas
	// Who means to write says so at once: a lock that is taken later may fail.
	// A commit is on the disk before it is answered: of a state that Terraform
	// has handed over there is no other copy.
	db, err := connect(sqliteDialector(dsn+"&_txlock=immediate&_pragma=synchronous(FULL)"), 1)
	if err != nil {
		return nil, err
	}
	read, err := connect(sqliteDialector(dsn+"&_pragma=query_only(1)"), readers)
	if err != nil {
		return nil, errors.Join(err, closeDB(db))
	}
	return &Store{db: db, read: read}, nil
}

func openPostgres(ctx context.Context, o Options) (*Store, error) {
	db, err := connect(postgres.Open(o.URL), 20)
	if err != nil {
		return nil, hidePassword(err, o.URL)
	}
	return &Store{db: db, read: db, postgres: true}, nil
}

// hidePassword takes the password of a database URL out of an error.
func hidePassword(err error, raw string) error {
	u, perr := url.Parse(raw)
	if perr != nil {
		return errors.New("cannot connect: the database URL cannot be read")
	}
	text := err.Error()
	if pw, ok := u.User.Password(); ok && pw != "" {
		text = strings.ReplaceAll(text, pw, "xxxxx")
	}
	return errors.New(text)
}

func connect(d gorm.Dialector, connections int) (*gorm.DB, error) {
	db, err := gorm.Open(d, &gorm.Config{
		TranslateError: true, SkipDefaultTransaction: true, PrepareStmt: true,
		Logger: logger.Discard, // errors are told by who gets them, and some are expected
	})
	if err != nil {
		return nil, err
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return db, nil
}

// UseSealer sets what encrypts values.
func (s *Store) UseSealer(sealer Sealer) { s.seal = sealer }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	pool, err := s.read.DB()
	if err != nil {
		return err
	}
	return pool.PingContext(ctx)
}

// Close ends all connections.
func (s *Store) Close() error {
	err := closeDB(s.db)
	if s.read != s.db {
		err = errors.Join(err, closeDB(s.read))
	}
	return err
}

func closeDB(db *gorm.DB) error {
	pool, err := db.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}

// dialector is gorm's SQLite dialect over the driver that needs no C, whose
// errors gorm's own dialect does not know.
type dialector struct{ *sqlite.Dialector }

func sqliteDialector(dsn string) gorm.Dialector {
	return dialector{&sqlite.Dialector{DriverName: "sqlite", DSN: dsn}}
}

// Translate implements gorm.ErrorTranslator.
func (d dialector) Translate(err error) error {
	var e *msqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return gorm.ErrDuplicatedKey
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return gorm.ErrForeignKeyViolated
	}
	return err
}

// inTx runs do in one transaction. What it notes for the audit log is written
// last: until the commit the end of the chain is locked, and who has it waits
// for nobody else.
func (s *Store) inTx(ctx context.Context, do func(tx *gorm.DB) error) error {
	var noted []engine.Event
	ctx = context.WithValue(ctx, notedKey{}, &noted)
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := do(tx); err != nil {
			return err
		}
		return s.chain(tx, noted)
	})
}

// locked ends a SELECT of what the transaction goes on to write.
func (s *Store) locked() string {
	if s.postgres {
		return ` FOR UPDATE`
	}
	return "" // SQLite's transactions are alone from the start
}

// one reads one row into dest, or returns missing.
func one(db *gorm.DB, dest any, missing error, sql string, args ...any) error {
	res := db.Raw(sql, args...).Scan(dest)
	if res.Error != nil {
		return res.Error
	}
	if res.RowsAffected == 0 {
		return missing
	}
	return nil
}

// micros is a time as the database has it; NULL for the zero time.
func micros(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	n := t.UnixMicro()
	return &n
}

// instant is the time that the database has.
func instant(n *int64) time.Time {
	if n == nil {
		return time.Time{}
	}
	return time.UnixMicro(*n).UTC()
}

// text is v as JSON, for a column.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: %T cannot be JSON: %v", v, err)) // rows hold plain data only
	}
	return string(b)
}

// parse reads a JSON column.
func parse[T any](column string) (T, error) {
	var v T
	if column == "" {
		return v, nil
	}
	if err := json.Unmarshal([]byte(column), &v); err != nil {
		return v, fmt.Errorf("column of %T: %w", v, err)
	}
	return v, nil
}

// defaultLimit is how many rows a page has unless told otherwise.
const defaultLimit = 50

func limit(p engine.Page) int {
	if p.Limit <= 0 {
		return defaultLimit
	}
	return p.Limit
}
