package store

import (
	"cmp"
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type userRow struct {
	Name, Role, Kind, Owner, PasswordHash string // Role is not read any more
	MustChange, Disabled                  bool
	Failures                              int
	LockedUntil, CreatedAt                *int64
}

func (userRow) TableName() string { return "users" }

func rowOfUser(u *engine.User) userRow {
	return userRow{Name: u.Name, Role: string(engine.RoleViewer), Kind: string(cmp.Or(u.Kind, engine.Person)), Owner: u.Owner, PasswordHash: u.PasswordHash,
		MustChange: u.MustChange, Disabled: u.Disabled, Failures: u.Failures, LockedUntil: micros(u.LockedUntil), CreatedAt: micros(u.CreatedAt)}
}

func (row userRow) user() (*engine.User, error) {
	return &engine.User{Name: row.Name, Kind: engine.UserKind(row.Kind), Owner: row.Owner, PasswordHash: row.PasswordHash,
		MustChange: row.MustChange, Disabled: row.Disabled, Failures: row.Failures, LockedUntil: instant(row.LockedUntil), CreatedAt: instant(row.CreatedAt)}, nil
}

func noUser(name string) error { return engine.NotFound("there is no user %q", name) }

// CreateUser implements engine.UserStore.
func (s *Store) CreateUser(ctx context.Context, u *engine.User, roles []engine.Role, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error { return s.createUser(tx, u, roles, e) })
}

func (s *Store) createUser(tx *gorm.DB, u *engine.User, roles []engine.Role, e engine.Event) error {
	if err := s.giveRoles(tx, u.Name, roles); err != nil {
		return err
	}
	row := rowOfUser(u)
	err := tx.Create(&row).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return engine.Conflict("there is a user %q already", u.Name)
	}
	if err != nil {
		return err
	}
	return addEvents(tx, e)
}

// giveRoles binds a new user to roles in the whole installation.
func (s *Store) giveRoles(tx *gorm.DB, user string, roles []engine.Role) error {
	if len(roles) == 0 {
		return nil
	}
	if err := s.nextVersion(tx); err != nil {
		return err
	}
	for _, role := range roles {
		row := newBindingRow(engine.Binding{Subject: engine.Subject{Kind: engine.SubjectUser, Name: user}, Role: role})
		err := tx.Exec(`INSERT INTO bindings (kind, subject, role, project, stack) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			row.Kind, row.Subject, row.Role, row.Project, row.Stack).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// UpdateUser implements engine.UserStore.
func (s *Store) UpdateUser(ctx context.Context, name string, change func(*engine.User, *engine.Directory) (engine.Ends, engine.Event, error)) (u *engine.User, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		if err := s.lockDirectory(tx); err != nil { // so that two admins cannot disable each other
			return err
		}
		d, _, err := readDirectory(tx)
		if err != nil {
			return err
		}
		var row userRow
		if err := one(tx, &row, noUser(name), `SELECT * FROM users WHERE name = ?`+s.locked(), name); err != nil {
			return err
		}
		if u, err = row.user(); err != nil {
			return err
		}
		ends, e, err := change(u, d)
		if err != nil {
			return err
		}
		return s.writeUser(tx, u, ends, e)
	})
	return u, err
}

func (s *Store) writeUser(tx *gorm.DB, u *engine.User, ends engine.Ends, e engine.Event) error {
	err := tx.Exec(`UPDATE users SET owner = ?, password_hash = ?, must_change = ?, disabled = ? WHERE name = ?`,
		u.Owner, u.PasswordHash, u.MustChange, u.Disabled, u.Name).Error
	if err != nil {
		return err
	}
	if err := end(tx, u.Name, ends); err != nil {
		return err
	}
	return addEvents(tx, e)
}

// stillIn reads a user's row so that who changes it waits, and returns
// ErrNotFound where the user is disabled, or has another password than that of
// the hash; "" stands for any.
func (s *Store) stillIn(tx *gorm.DB, name, hash string) error {
	sql := `SELECT name FROM users WHERE name = ? AND NOT disabled AND (? = '' OR password_hash = ?)`
	if s.postgres {
		sql += ` FOR SHARE`
	}
	var found string
	return one(tx, &found, noUser(name), sql, name, hash, hash)
}

func end(tx *gorm.DB, user string, ends engine.Ends) error {
	for _, step := range []struct {
		due bool
		sql string
	}{
		{ends.Sessions, `DELETE FROM sessions WHERE user_name = ?`},
		{ends.Sessions, denyDevices}, // that a session has let in
		{ends.Tokens, `DELETE FROM tokens WHERE user_name = ?`},
		{ends.Lock, `UPDATE users SET failures = 0, locked_until = NULL WHERE name = ?`},
	} {
		if !step.due {
			continue
		}
		if err := tx.Exec(step.sql, user).Error; err != nil {
			return err
		}
	}
	return nil
}

// CountFailure implements engine.UserStore.
func (s *Store) CountFailure(ctx context.Context, name string, follows func(int) (time.Time, []engine.Event)) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		var failures int
		if err := one(tx, &failures, noUser(name), `UPDATE users SET failures = failures + 1 WHERE name = ? RETURNING failures`, name); err != nil {
			return err
		}
		until, events := follows(failures)
		if !until.IsZero() {
			if err := tx.Exec(`UPDATE users SET locked_until = ? WHERE name = ?`, micros(until), name).Error; err != nil {
				return err
			}
		}
		return addEvents(tx, events...)
	})
}

// ClearFailures implements engine.UserStore.
func (s *Store) ClearFailures(ctx context.Context, name string, now time.Time) (bool, error) {
	res := s.db.WithContext(ctx).Exec(`UPDATE users SET failures = 0, locked_until = NULL WHERE name = ? AND (locked_until IS NULL OR locked_until <= ?)`,
		name, now.UnixMicro())
	return res.RowsAffected > 0, res.Error
}

// User implements engine.UserStore.
func (s *Store) User(ctx context.Context, name string) (*engine.User, error) {
	var row userRow
	if err := one(s.read.WithContext(ctx), &row, noUser(name), `SELECT * FROM users WHERE name = ?`, name); err != nil {
		return nil, err
	}
	return row.user()
}

// Users implements engine.UserStore.
func (s *Store) Users(ctx context.Context, p engine.Page) ([]*engine.User, error) {
	var rows []userRow
	if err := s.read.WithContext(ctx).Raw(`SELECT * FROM users WHERE name > ? ORDER BY name LIMIT ?`, p.After, limit(p)).Scan(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, userRow.user)
}

// holderRow is what a token or session needs to know of its user.
type holderRow struct {
	Kind, Owner          string
	MustChange, Disabled bool
	Version              int64 // of the directory
}

// holder joins the columns of a holderRow to the tables of a token or session, as
// t. A service account is good for as long as its owner is.
const holder = `u.kind, u.owner, u.must_change, u.disabled OR COALESCE(o.disabled, FALSE) AS disabled, ` + directoryVersion + ` AS version`

const holderTables = ` t JOIN users u ON u.name = t.user_name LEFT JOIN users o ON o.name = u.owner `

func (row holderRow) user(name string) *engine.User {
	return &engine.User{Name: name, Kind: engine.UserKind(row.Kind), Owner: row.Owner, MustChange: row.MustChange, Disabled: row.Disabled, Directory: row.Version}
}
