package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type hookRow struct {
	ID, Stack, Name, Kind, CreatedBy string
	Secrets                          []byte
	CreatedAt                        *int64
}

func (hookRow) TableName() string { return "hooks" }

func (s *Store) hook(row hookRow) (*engine.Hook, error) {
	secrets, err := s.unsealSecrets("hooks", row.ID, row.Secrets)
	return &engine.Hook{ID: row.ID, Stack: row.Stack, Name: row.Name, Kind: engine.RunKind(row.Kind), Secrets: secrets,
		CreatedBy: row.CreatedBy, CreatedAt: instant(row.CreatedAt)}, err
}

func (s *Store) newHookRow(h *engine.Hook) (hookRow, error) {
	sealed, err := s.sealSecrets("hooks", h.ID, h.Secrets)
	return hookRow{h.ID, h.Stack, h.Name, string(h.Kind), h.CreatedBy, sealed, micros(h.CreatedAt)}, err
}

// CreateHook implements engine.WebhookStore.
func (s *Store) CreateHook(ctx context.Context, h *engine.Hook, e engine.Event) error {
	row, err := s.newHookRow(h)
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		err := tx.Create(&row).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return engine.Conflict("stack %s has a hook %q already", h.Stack, h.Name)
		}
		if err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

// ChangeHook implements engine.WebhookStore.
func (s *Store) ChangeHook(ctx context.Context, id string, edit func(*engine.Hook) (engine.Event, error)) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		var row hookRow
		if err := one(tx, &row, noHook(id), `SELECT * FROM hooks WHERE id = ?`+s.locked(), id); err != nil {
			return err
		}
		h, err := s.hook(row)
		if err != nil {
			return err
		}
		e, err := edit(h)
		if err != nil {
			return err
		}
		if row, err = s.newHookRow(h); err != nil {
			return err
		}
		if err := tx.Save(&row).Error; err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

func noHook(id string) error { return engine.NotFound("there is no hook %s", id) }

// Hook implements engine.WebhookStore.
func (s *Store) Hook(ctx context.Context, id string) (*engine.Hook, error) {
	var row hookRow
	if err := one(s.read.WithContext(ctx), &row, noHook(id), `SELECT * FROM hooks WHERE id = ?`, id); err != nil {
		return nil, err
	}
	return s.hook(row)
}

// Hooks implements engine.WebhookStore.
func (s *Store) Hooks(ctx context.Context, stack string, p engine.Page) ([]*engine.Hook, error) {
	var rows []hookRow
	err := s.read.WithContext(ctx).Raw(`SELECT * FROM hooks WHERE stack = ? AND id > ? ORDER BY id LIMIT ?`, stack, p.After, limit(p)).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, s.hook)
}

// DeleteHook implements engine.WebhookStore.
func (s *Store) DeleteHook(ctx context.Context, id string, e engine.Event) error {
	return s.writeOne(ctx, noHook(id), e, `DELETE FROM hooks WHERE id = ?`, id)
}

// TakeCall implements engine.WebhookStore.
func (s *Store) TakeCall(ctx context.Context, c engine.HookCall, old time.Time) (run string, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		if err := tx.Exec(`DELETE FROM hook_calls WHERE at < ?`, old.UnixMicro()).Error; err != nil {
			return err
		}
		res := tx.Exec(`INSERT INTO hook_calls (hook, message, sent_at, at, run) VALUES (?, ?, ?, ?, '') ON CONFLICT DO NOTHING`,
			c.Hook, c.Message, c.Timestamp, c.At.UnixMicro())
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected == 0 {
			return engine.Conflict("this call of the hook was taken before; a message that comes again is signed anew, with the time of that")
		}
		return tx.Raw(`SELECT coalesce(max(run), '') FROM hook_calls WHERE hook = ? AND message = ?`, c.Hook, c.Message).Scan(&run).Error
	})
	return run, err
}

// CallStarted implements engine.WebhookStore.
func (s *Store) CallStarted(ctx context.Context, c engine.HookCall, run string) error {
	return s.db.WithContext(ctx).Exec(`UPDATE hook_calls SET run = ? WHERE hook = ? AND message = ? AND sent_at = ?`, run, c.Hook, c.Message, c.Timestamp).Error
}
