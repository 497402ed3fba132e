package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type deviceRow struct {
	DeviceHash, UserCode, Client, Address, Status, UserName string
	CreatedAt, ExpiresAt, PolledAt                          *int64
}

func (deviceRow) TableName() string { return "device_logins" }

func (row deviceRow) device() *engine.DeviceLogin {
	return &engine.DeviceLogin{Hash: row.DeviceHash, Code: row.UserCode, Client: row.Client, Address: row.Address, Status: engine.DeviceStatus(row.Status), User: row.UserName,
		CreatedAt: instant(row.CreatedAt), ExpiresAt: instant(row.ExpiresAt), PolledAt: instant(row.PolledAt)}
}

func noDevice() error { return engine.NotFound("there is no such sign-in") }

// denyDevices ends what a user has let in and that has no token yet.
const denyDevices = `UPDATE device_logins SET status = 'denied' WHERE user_name = ?`

// CreateDevice implements engine.DeviceStore.
func (s *Store) CreateDevice(ctx context.Context, d *engine.DeviceLogin, most int) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := tx.Exec(`DELETE FROM device_logins WHERE expires_at <= ?`, micros(d.CreatedAt)).Error; err != nil {
			return err
		}
		var waiting int
		if err := tx.Raw(`SELECT COUNT(*) FROM device_logins`).Scan(&waiting).Error; err != nil {
			return err
		}
		if waiting >= most {
			return engine.Conflict("%d sign-ins wait already", waiting)
		}
		row := deviceRow{DeviceHash: d.Hash, UserCode: d.Code, Client: d.Client, Address: d.Address, Status: string(d.Status), UserName: d.User,
			CreatedAt: micros(d.CreatedAt), ExpiresAt: micros(d.ExpiresAt), PolledAt: micros(d.PolledAt)}
		err := tx.Create(&row).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return engine.Conflict("the code is taken")
		}
		return err
	})
}

// DeviceByCode implements engine.DeviceStore.
func (s *Store) DeviceByCode(ctx context.Context, code string, now time.Time) (*engine.DeviceLogin, error) {
	var row deviceRow
	err := one(s.read.WithContext(ctx), &row, noDevice(), `SELECT * FROM device_logins WHERE user_code = ? AND status = 'pending' AND expires_at > ?`, code, micros(now))
	if err != nil {
		return nil, err
	}
	return row.device(), nil
}

// AnswerDevice implements engine.DeviceStore.
func (s *Store) AnswerDevice(ctx context.Context, code string, status engine.DeviceStatus, user string, now time.Time, e engine.Event) error {
	return s.writeOne(ctx, noDevice(), e, `UPDATE device_logins SET status = ?, user_name = ? WHERE user_code = ? AND status = 'pending' AND expires_at > ?`,
		status, user, code, micros(now))
}

// PollDevice implements engine.DeviceStore.
func (s *Store) PollDevice(ctx context.Context, hash string, now time.Time) (*engine.DeviceLogin, error) {
	var row deviceRow
	// Anybody may ask: what is not there is not written.
	if err := one(s.read.WithContext(ctx), &row, noDevice(), `SELECT * FROM device_logins WHERE device_hash = ?`, hash); err != nil {
		return nil, err
	}
	return row.device(), s.db.WithContext(ctx).Exec(`UPDATE device_logins SET polled_at = ? WHERE device_hash = ?`, micros(now), hash).Error
}

// RedeemDevice implements engine.DeviceStore.
func (s *Store) RedeemDevice(ctx context.Context, hash string, t *engine.Token, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		res := tx.Exec(`DELETE FROM device_logins WHERE device_hash = ? AND status = 'granted' AND user_name = ?`, hash, t.User)
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected == 0 {
			return noDevice()
		}
		return createToken(tx, t, e)
	})
}
