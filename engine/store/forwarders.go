package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type forwarderRow struct {
	Name, Kind, Address, Error, CreatedBy      string
	Config                                     []byte
	Seq                                        int64
	Paused                                     bool
	FailingSince, SentAt, CreatedAt, UpdatedAt *int64
}

func (forwarderRow) TableName() string { return "audit_forwarders" }

// forwarderConfig is a configuration as it is sealed.
type forwarderConfig struct {
	Format, Secret, CA, Region, Endpoint, Credential string
	Header                                           map[string]string
}

func (s *Store) forwarder(row forwarderRow) (*engine.Forwarder, error) {
	b, err := s.seal.Unseal("audit_forwarders", row.Name, "config", row.Config)
	if err != nil {
		return nil, err
	}
	var c forwarderConfig
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, err
	}
	f := &engine.Forwarder{Name: row.Name, Kind: engine.ForwarderKind(row.Kind), Address: row.Address, Seq: row.Seq, Paused: row.Paused, Error: row.Error,
		FailingSince: instant(row.FailingSince), SentAt: instant(row.SentAt), CreatedBy: row.CreatedBy, CreatedAt: instant(row.CreatedAt), UpdatedAt: instant(row.UpdatedAt),
		Config: engine.ForwarderConfig{Format: c.Format, Secret: engine.Secret(c.Secret), CA: c.CA, Region: c.Region, Endpoint: c.Endpoint, Credential: c.Credential}}
	for name, value := range c.Header {
		if f.Config.Header == nil {
			f.Config.Header = map[string]engine.Secret{}
		}
		f.Config.Header[name] = engine.Secret(value)
	}
	return f, nil
}

// AddForwarder implements engine.ForwarderStore.
func (s *Store) AddForwarder(ctx context.Context, f *engine.Forwarder, e engine.Event) error {
	c := forwarderConfig{Format: f.Config.Format, Secret: f.Config.Secret.Reveal(), CA: f.Config.CA, Region: f.Config.Region, Endpoint: f.Config.Endpoint,
		Credential: f.Config.Credential, Header: map[string]string{}}
	for name, value := range f.Config.Header {
		c.Header[name] = value.Reveal()
	}
	sealed, err := s.seal.Seal("audit_forwarders", f.Name, "config", []byte(text(c)))
	if err != nil {
		return err
	}
	row := forwarderRow{Name: f.Name, Kind: string(f.Kind), Address: f.Address, CreatedBy: f.CreatedBy, Config: sealed, Seq: f.Seq, Paused: f.Paused,
		CreatedAt: micros(f.CreatedAt), UpdatedAt: micros(f.UpdatedAt)}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		err := tx.Create(&row).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return engine.Conflict("there is a forwarder %q already; remove it first", f.Name)
		}
		if err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

func noForwarder(name string) error { return engine.NotFound("there is no forwarder %q", name) }

// Forwarder implements engine.ForwarderStore.
func (s *Store) Forwarder(ctx context.Context, name string) (*engine.Forwarder, error) {
	return s.forwarderNamed(s.read.WithContext(ctx), name)
}

func (s *Store) forwarderNamed(db *gorm.DB, name string) (*engine.Forwarder, error) {
	var row forwarderRow
	if err := one(db, &row, noForwarder(name), `SELECT * FROM audit_forwarders WHERE name = ?`, name); err != nil {
		return nil, err
	}
	return s.forwarder(row)
}

// Forwarders implements engine.ForwarderStore.
func (s *Store) Forwarders(ctx context.Context) ([]*engine.Forwarder, error) {
	var rows []forwarderRow
	if err := s.read.WithContext(ctx).Raw(`SELECT * FROM audit_forwarders ORDER BY name`).Scan(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, s.forwarder)
}

// PauseForwarder implements engine.ForwarderStore.
func (s *Store) PauseForwarder(ctx context.Context, name string, paused bool, at time.Time, e engine.Event) error {
	return s.changeForwarder(ctx, name, e, `UPDATE audit_forwarders SET paused = ?, updated_at = ? WHERE name = ?`, paused, micros(at), name)
}

// DeleteForwarder implements engine.ForwarderStore.
func (s *Store) DeleteForwarder(ctx context.Context, name string, e engine.Event) error {
	return s.changeForwarder(ctx, name, e, `DELETE FROM audit_forwarders WHERE name = ?`, name)
}

func (s *Store) changeForwarder(ctx context.Context, name string, e engine.Event, sql string, args ...any) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := was(s, tx, "audit_forwarders", name, s.forwarderNamed)
		if err != nil {
			return err
		}
		return change(tx, noForwarder(name), e.Replacing(before), sql, args...)
	})
}

// Forwarded implements engine.ForwarderStore.
func (s *Store) Forwarded(ctx context.Context, name string, from, to int64, at time.Time) error {
	res := s.db.WithContext(ctx).Exec(`UPDATE audit_forwarders SET seq = ?, sent_at = ?, error = '', failing_since = NULL WHERE name = ? AND seq = ?`, to, micros(at), name, from)
	if res.Error == nil && res.RowsAffected == 0 {
		return engine.Conflict("forwarder %s was moved on, or removed, in between", name)
	}
	return res.Error
}

// ForwardFailed implements engine.ForwarderStore.
func (s *Store) ForwardFailed(ctx context.Context, name, why string, at time.Time) error {
	return s.db.WithContext(ctx).Exec(`UPDATE audit_forwarders SET error = ?, failing_since = coalesce(failing_since, ?) WHERE name = ?`, why, micros(at), name).Error
}
