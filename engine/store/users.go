package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type userRow struct {
	Name, Role, PasswordHash string // Role is not read any more
	Disabled                 bool
	CreatedAt                *int64
}

func (userRow) TableName() string { return "users" }

func (row userRow) user() (*engine.User, error) {
	return &engine.User{Name: row.Name, PasswordHash: row.PasswordHash, Disabled: row.Disabled, CreatedAt: instant(row.CreatedAt)}, nil
}

func noUser(name string) error { return engine.NotFound("there is no user %q", name) }

// CreateUser implements engine.UserStore.
func (s *Store) CreateUser(ctx context.Context, u *engine.User, roles []engine.Role, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := s.giveRoles(tx, u.Name, roles); err != nil {
			return err
		}
		row := userRow{u.Name, string(engine.RoleViewer), u.PasswordHash, u.Disabled, micros(u.CreatedAt)}
		err := tx.Create(&row).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return engine.Conflict("there is a user %q already", u.Name)
		}
		if err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

// giveRoles binds a new user to roles in the whole installation.
func (s *Store) giveRoles(tx *gorm.DB, user string, roles []engine.Role) error {
	if len(roles) == 0 {
		return nil
	}
	if err := s.lockDirectory(tx); err != nil {
		return err
	}
	var version int64
	if err := tx.Raw(`SELECT ` + directoryVersion).Scan(&version).Error; err != nil {
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
	return setVersion(tx, version+1)
}

// UpdateUser implements engine.UserStore.
func (s *Store) UpdateUser(ctx context.Context, u *engine.User, e engine.Event) error {
	return s.writeOne(ctx, noUser(u.Name), e, `UPDATE users SET password_hash = ?, disabled = ? WHERE name = ?`,
		u.PasswordHash, u.Disabled, u.Name)
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

type tokenRow struct {
	ID, UserName, Name, Hash     string
	CreatedAt, ExpiresAt, UsedAt *int64
}

func (tokenRow) TableName() string { return "tokens" }

func (row tokenRow) token() (*engine.Token, error) {
	return &engine.Token{ID: row.ID, User: row.UserName, Name: row.Name, Hash: row.Hash,
		CreatedAt: instant(row.CreatedAt), ExpiresAt: instant(row.ExpiresAt), UsedAt: instant(row.UsedAt)}, nil
}

// CreateToken implements engine.UserStore.
func (s *Store) CreateToken(ctx context.Context, t *engine.Token, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		row := tokenRow{t.ID, t.User, t.Name, t.Hash, micros(t.CreatedAt), micros(t.ExpiresAt), micros(t.UsedAt)}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

// Tokens implements engine.UserStore.
func (s *Store) Tokens(ctx context.Context, user string, p engine.Page) ([]*engine.Token, error) {
	var rows []tokenRow
	err := s.read.WithContext(ctx).Raw(`SELECT * FROM tokens WHERE user_name = ? AND (id < ? OR ? = '') ORDER BY id DESC LIMIT ?`,
		user, p.After, p.After, limit(p)).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, tokenRow.token)
}

// DeleteToken implements engine.UserStore.
func (s *Store) DeleteToken(ctx context.Context, id, user string, e engine.Event) error {
	return s.writeOne(ctx, engine.NotFound("there is no token %s", id), e, `DELETE FROM tokens WHERE id = ? AND (user_name = ? OR ? = '')`, id, user, user)
}

// TokenUser implements engine.UserStore.
func (s *Store) TokenUser(ctx context.Context, hash string) (*engine.Token, *engine.User, error) {
	var row struct {
		Token    tokenRow `gorm:"embedded"`
		Disabled bool
		Version  int64
	}
	err := one(s.read.WithContext(ctx), &row, engine.NotFound("there is no such token"),
		`SELECT t.*, u.disabled, `+directoryVersion+` AS version FROM tokens t JOIN users u ON u.name = t.user_name WHERE t.hash = ?`, hash)
	if err != nil {
		return nil, nil, err
	}
	t, err := row.Token.token()
	return t, &engine.User{Name: t.User, Disabled: row.Disabled, Directory: row.Version}, err
}

// TouchToken implements engine.UserStore.
func (s *Store) TouchToken(ctx context.Context, id string, at time.Time) error {
	return s.db.WithContext(ctx).Exec(`UPDATE tokens SET used_at = ? WHERE id = ?`, at.UnixMicro(), id).Error
}

// CreateSession implements engine.UserStore.
func (s *Store) CreateSession(ctx context.Context, session *engine.Session, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		err := tx.Exec(`INSERT INTO sessions (hash, user_name, csrf, created_at, expires_at) VALUES (?, ?, ?, ?, ?)`,
			session.Hash, session.User, session.CSRF, micros(session.CreatedAt), micros(session.ExpiresAt)).Error
		if err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

// SessionUser implements engine.UserStore.
func (s *Store) SessionUser(ctx context.Context, hash string) (*engine.Session, *engine.User, error) {
	var row struct {
		UserName, Csrf       string
		Disabled             bool
		Version              int64
		CreatedAt, ExpiresAt *int64
	}
	err := one(s.read.WithContext(ctx), &row, engine.NotFound("there is no such session"),
		`SELECT s.user_name, s.csrf, s.created_at, s.expires_at, u.disabled, `+directoryVersion+` AS version FROM sessions s JOIN users u ON u.name = s.user_name WHERE s.hash = ?`, hash)
	if err != nil {
		return nil, nil, err
	}
	return &engine.Session{Hash: hash, User: row.UserName, CSRF: row.Csrf, CreatedAt: instant(row.CreatedAt), ExpiresAt: instant(row.ExpiresAt)},
		&engine.User{Name: row.UserName, Disabled: row.Disabled, Directory: row.Version}, nil
}

// DeleteSession implements engine.UserStore.
func (s *Store) DeleteSession(ctx context.Context, hash string) error {
	return s.db.WithContext(ctx).Exec(`DELETE FROM sessions WHERE hash = ?`, hash).Error
}

// DeleteExpiredSessions implements engine.UserStore.
func (s *Store) DeleteExpiredSessions(ctx context.Context, at time.Time) error {
	return s.db.WithContext(ctx).Exec(`DELETE FROM sessions WHERE expires_at <= ?`, at.UnixMicro()).Error
}
