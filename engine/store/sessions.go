package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type sessionRow struct {
	Hash, UserName, Address, Agent, Via string
	CSRF                                string `gorm:"column:csrf"`
	CreatedAt, ExpiresAt, SeenAt        *int64
}

func (sessionRow) TableName() string { return "sessions" }

func (row sessionRow) session() (*engine.Session, error) {
	return &engine.Session{Hash: row.Hash, User: row.UserName, CSRF: row.CSRF, Address: row.Address, Agent: row.Agent, Via: row.Via,
		CreatedAt: instant(row.CreatedAt), ExpiresAt: instant(row.ExpiresAt), SeenAt: instant(row.SeenAt)}, nil
}

// CreateSession implements engine.SessionStore.
func (s *Store) CreateSession(ctx context.Context, session *engine.Session, hash string, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := s.stillIn(tx, session.User, hash); err != nil {
			return err
		}
		row := sessionRow{Hash: session.Hash, UserName: session.User, CSRF: session.CSRF, Address: session.Address, Agent: session.Agent, Via: session.Via,
			CreatedAt: micros(session.CreatedAt), ExpiresAt: micros(session.ExpiresAt), SeenAt: micros(session.SeenAt)}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

// SessionUser implements engine.SessionStore.
func (s *Store) SessionUser(ctx context.Context, hash string) (*engine.Session, *engine.User, error) {
	var row struct {
		Session sessionRow `gorm:"embedded"`
		Holder  holderRow  `gorm:"embedded"`
	}
	err := one(s.read.WithContext(ctx), &row, engine.NotFound("there is no such session"),
		`SELECT t.*, `+holder+` FROM sessions`+holderTables+`WHERE t.hash = ?`, hash)
	if err != nil {
		return nil, nil, err
	}
	session, err := row.Session.session()
	return session, row.Holder.user(row.Session.UserName), err
}

// Sessions implements engine.SessionStore.
func (s *Store) Sessions(ctx context.Context, user string) ([]*engine.Session, error) {
	var rows []sessionRow
	err := s.read.WithContext(ctx).Raw(`SELECT * FROM sessions WHERE user_name = ? ORDER BY created_at DESC, hash`, user).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, sessionRow.session)
}

// TouchSession implements engine.SessionStore.
func (s *Store) TouchSession(ctx context.Context, hash string, at time.Time, from string) error {
	return s.db.WithContext(ctx).Exec(`UPDATE sessions SET seen_at = ?, address = ? WHERE hash = ?`, at.UnixMicro(), from, hash).Error
}

// DeleteSessions implements engine.SessionStore.
func (s *Store) DeleteSessions(ctx context.Context, user, hashPrefix string, e engine.Event) (n int, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		res := tx.Exec(`DELETE FROM sessions WHERE user_name = ? AND hash LIKE ?`, user, hashPrefix+"%")
		if n = int(res.RowsAffected); res.Error != nil || n == 0 {
			return res.Error
		}
		if hashPrefix == "" { // all of them, and so what they have let in
			if err := tx.Exec(denyDevices, user).Error; err != nil {
				return err
			}
		}
		return addEvents(tx, e)
	})
	return n, err
}

// DeleteExpiredSessions implements engine.SessionStore.
func (s *Store) DeleteExpiredSessions(ctx context.Context, at time.Time) error {
	return s.db.WithContext(ctx).Exec(`DELETE FROM sessions WHERE expires_at <= ?`, at.UnixMicro()).Error
}
