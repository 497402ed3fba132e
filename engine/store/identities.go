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
