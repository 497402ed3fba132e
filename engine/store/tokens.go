package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type tokenRow struct {
	ID, UserName, Name, Hash              string
	Permissions, Project, Stack, UsedFrom string
	CreatedAt, ExpiresAt, UsedAt          *int64
}

func (tokenRow) TableName() string { return "tokens" }

func rowOfToken(t *engine.Token) tokenRow {
	row := tokenRow{ID: t.ID, UserName: t.User, Name: t.Name, Hash: t.Hash, Permissions: "[]",
		UsedFrom: t.UsedFrom, CreatedAt: micros(t.CreatedAt), ExpiresAt: micros(t.ExpiresAt), UsedAt: micros(t.UsedAt)}
	if l := t.Limit; l != nil {
		row.Permissions, row.Project, row.Stack = text(append([]engine.Permission{}, l.Permissions...)), l.Scope.Project, l.Scope.Stack
	}
	return row
}

func (row tokenRow) token() (*engine.Token, error) {
	t := &engine.Token{ID: row.ID, User: row.UserName, Name: row.Name, Hash: row.Hash, UsedFrom: row.UsedFrom,
		CreatedAt: instant(row.CreatedAt), ExpiresAt: instant(row.ExpiresAt), UsedAt: instant(row.UsedAt)}
	permissions, err := parse[[]engine.Permission](row.Permissions)
	if scope := (engine.Scope{Project: row.Project, Stack: row.Stack}); len(permissions) > 0 || scope != (engine.Scope{}) {
		t.Limit = &engine.Limit{Permissions: permissions, Scope: scope}
	}
	return t, err
}

// CreateToken implements engine.TokenStore.
func (s *Store) CreateToken(ctx context.Context, t *engine.Token, hash string, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if hash != "" {
			if err := s.stillIn(tx, t.User, hash); err != nil {
				return err
			}
		}
		return createToken(tx, t, e)
	})
}

func createToken(tx *gorm.DB, t *engine.Token, e engine.Event) error {
	row := rowOfToken(t)
	if err := tx.Create(&row).Error; err != nil {
		return err
	}
	return addEvents(tx, e)
}

// Tokens implements engine.TokenStore.
func (s *Store) Tokens(ctx context.Context, user string, p engine.Page) ([]*engine.Token, error) {
	var rows []tokenRow
	err := s.read.WithContext(ctx).Raw(`SELECT * FROM tokens WHERE user_name = ? AND (id < ? OR ? = '') ORDER BY id DESC LIMIT ?`,
		user, p.After, p.After, limit(p)).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, tokenRow.token)
}

// DeleteToken implements engine.TokenStore.
func (s *Store) DeleteToken(ctx context.Context, id string, e engine.Event) error {
	return s.writeOne(ctx, engine.NoToken(id), e, `DELETE FROM tokens WHERE id = ?`, id)
}

// Token implements engine.TokenStore.
func (s *Store) Token(ctx context.Context, id string) (*engine.Token, error) {
	var row tokenRow
	if err := one(s.read.WithContext(ctx), &row, engine.NoToken(id), `SELECT * FROM tokens WHERE id = ?`, id); err != nil {
		return nil, err
	}
	return row.token()
}

// TokenUser implements engine.TokenStore.
func (s *Store) TokenUser(ctx context.Context, hash string) (*engine.Token, *engine.User, error) {
	var row struct {
		Token  tokenRow  `gorm:"embedded"`
		Holder holderRow `gorm:"embedded"`
	}
	err := one(s.read.WithContext(ctx), &row, engine.NotFound("there is no such token"),
		`SELECT t.*, `+holder+` FROM tokens`+holderTables+`WHERE t.hash = ?`, hash)
	if err != nil {
		return nil, nil, err
	}
	t, err := row.Token.token()
	if err != nil {
		return nil, nil, err
	}
	return t, row.Holder.user(t.User), nil
}

// TouchToken implements engine.TokenStore.
func (s *Store) TouchToken(ctx context.Context, id string, at time.Time, from string) error {
	return s.db.WithContext(ctx).Exec(`UPDATE tokens SET used_at = ?, used_from = ? WHERE id = ?`, at.UnixMicro(), from, id).Error
}
