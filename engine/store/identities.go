package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

// UserByIdentity implements engine.IdentityStore.
func (s *Store) UserByIdentity(ctx context.Context, issuer, subject string) (*engine.User, error) {
	var row userRow
	err := one(s.read.WithContext(ctx), &row, engine.NotFound("nobody here is known as %s by %s", subject, issuer),
		`SELECT u.* FROM users u JOIN identities i ON i.user_name = u.name WHERE i.issuer = ? AND i.subject = ?`, issuer, subject)
	if err != nil {
		return nil, err
	}
	return row.user()
}

// CreateLinked implements engine.IdentityStore.
func (s *Store) CreateLinked(ctx context.Context, u *engine.User, roles []engine.Role, id engine.SignOnIdentity, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := s.createUser(tx, u, roles, e); err != nil {
			return err
		}
		return link(tx, u.Name, id, u.CreatedAt)
	})
}

// LinkUser implements engine.IdentityStore.
func (s *Store) LinkUser(ctx context.Context, user string, id engine.SignOnIdentity, at time.Time, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := link(tx, user, id, at); err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

func link(tx *gorm.DB, user string, id engine.SignOnIdentity, at time.Time) error {
	err := tx.Exec(`INSERT INTO identities (issuer, subject, user_name, linked_at) VALUES (?, ?, ?, ?)`, id.Issuer, id.Subject, user, micros(at)).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return engine.Conflict("this sign-on belongs to a user already")
	}
	return err
}

type identityRow struct {
	Issuer, Subject, UserName string
	LinkedAt                  *int64
}

func (row identityRow) identity() (*engine.LinkedIdentity, error) {
	return &engine.LinkedIdentity{Issuer: row.Issuer, Subject: row.Subject, User: row.UserName, LinkedAt: instant(row.LinkedAt)}, nil
}

// Identities implements engine.IdentityStore.
func (s *Store) Identities(ctx context.Context, user string) ([]*engine.LinkedIdentity, error) {
	var rows []identityRow
	err := s.read.WithContext(ctx).Raw(`SELECT * FROM identities WHERE user_name = ? ORDER BY linked_at, issuer, subject`, user).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, identityRow.identity)
}

// UnlinkUser implements engine.IdentityStore.
func (s *Store) UnlinkUser(ctx context.Context, i *engine.LinkedIdentity, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		res := tx.Exec(`DELETE FROM identities WHERE issuer = ? AND subject = ? AND user_name = ?`, i.Issuer, i.Subject, i.User)
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected == 0 {
			return engine.NotFound("%s has no such sign-on", i.User)
		}
		if err := tx.Exec(`DELETE FROM sessions WHERE user_name = ? AND via = ?`, i.User, i.Issuer).Error; err != nil {
			return err
		}
		if err := tx.Exec(denyDevices, i.User).Error; err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}
