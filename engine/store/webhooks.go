package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type webhookRow struct {
	ID, Name, Project, Stack, URL, Events, DisabledWhy, CreatedBy string
	Secrets                                                       []byte
	FailingSince, CreatedAt                                       *int64
}

func (webhookRow) TableName() string { return "webhooks" }

// sealedSecrets are signing secrets in a sealed column.
type sealedSecrets struct {
	Newest, Old string
	OldUntil    time.Time
}

func (s *Store) sealSecrets(table, id string, v engine.SigningSecrets) ([]byte, error) {
	b, err := json.Marshal(sealedSecrets{v.Newest.Reveal(), v.Old.Reveal(), v.OldUntil})
	if err != nil {
		return nil, err
	}
	return s.seal.Seal(table, id, "secrets", b)
}

func (s *Store) unsealSecrets(table, id string, sealed []byte) (engine.SigningSecrets, error) {
	b, err := s.seal.Unseal(table, id, "secrets", sealed)
	if err != nil {
		return engine.SigningSecrets{}, err
	}
	var v sealedSecrets
	err = json.Unmarshal(b, &v)
	return engine.SigningSecrets{Newest: engine.Secret(v.Newest), Old: engine.Secret(v.Old), OldUntil: v.OldUntil}, err
}

func (s *Store) webhook(row webhookRow) (*engine.Webhook, error) {
	w := &engine.Webhook{ID: row.ID, Name: row.Name, Project: row.Project, Stack: row.Stack, URL: row.URL, DisabledWhy: row.DisabledWhy,
		FailingSince: instant(row.FailingSince), CreatedBy: row.CreatedBy, CreatedAt: instant(row.CreatedAt)}
	var err error
	if w.Events, err = parse[[]string](row.Events); err != nil {
		return nil, err
	}
	w.Secrets, err = s.unsealSecrets("webhooks", row.ID, row.Secrets)
	return w, err
}

func (s *Store) newWebhookRow(w *engine.Webhook) (webhookRow, error) {
	sealed, err := s.sealSecrets("webhooks", w.ID, w.Secrets)
	return webhookRow{ID: w.ID, Name: w.Name, Project: w.Project, Stack: w.Stack, URL: w.URL, Events: text(w.Events), DisabledWhy: w.DisabledWhy,
		CreatedBy: w.CreatedBy, Secrets: sealed, FailingSince: micros(w.FailingSince), CreatedAt: micros(w.CreatedAt)}, err
}

// CreateWebhook implements engine.WebhookStore.
func (s *Store) CreateWebhook(ctx context.Context, w *engine.Webhook, e engine.Event) error {
	row, err := s.newWebhookRow(w)
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := beginTelling(tx, w); err != nil {
			return err
		}
		err := tx.Create(&row).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return engine.Conflict("there is a webhook %q already", w.Name)
		}
		if err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

// ChangeWebhook implements engine.WebhookStore.
func (s *Store) ChangeWebhook(ctx context.Context, id string, edit func(*engine.Webhook) (engine.Event, error)) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		var row webhookRow
		if err := one(tx, &row, noWebhook(id), `SELECT * FROM webhooks WHERE id = ?`+s.locked(), id); err != nil {
			return err
		}
		w, err := s.webhook(row)
		if err != nil {
			return err
		}
		e, err := edit(w)
		if err != nil {
			return err
		}
		if row, err = s.newWebhookRow(w); err != nil {
			return err
		}
		if err := beginTelling(tx, w); err != nil {
			return err
		}
		if err := tx.Save(&row).Error; err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

func noWebhook(id string) error { return engine.NotFound("there is no webhook %s", id) }

// beginTelling leaves out what happened while nobody was to be told, where w is
// the first that is.
func beginTelling(tx *gorm.DB, w *engine.Webhook) error {
	if w.DisabledWhy != "" {
		return nil
	}
	return tx.Exec(`INSERT INTO webhook_cursor (id, event) SELECT 1, (SELECT coalesce(max(id), 0) FROM events)
		WHERE NOT EXISTS (SELECT 1 FROM webhooks WHERE disabled_why = '') ON CONFLICT (id) DO UPDATE SET event = excluded.event`).Error
}

// NoteWebhook implements engine.WebhookStore.
func (s *Store) NoteWebhook(ctx context.Context, w *engine.Webhook, events ...engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE webhooks SET failing_since = ?, disabled_why = ? WHERE id = ? AND disabled_why = ''`,
			micros(w.FailingSince), w.DisabledWhy, w.ID)
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		return addEvents(tx, events...)
	})
}

// Webhook implements engine.WebhookStore.
func (s *Store) Webhook(ctx context.Context, id string) (*engine.Webhook, error) {
	var row webhookRow
	if err := one(s.read.WithContext(ctx), &row, noWebhook(id), `SELECT * FROM webhooks WHERE id = ?`, id); err != nil {
		return nil, err
	}
	return s.webhook(row)
}

// Webhooks implements engine.WebhookStore.
func (s *Store) Webhooks(ctx context.Context, p engine.Page) ([]*engine.Webhook, error) {
	var rows []webhookRow
	err := s.read.WithContext(ctx).Raw(`SELECT * FROM webhooks WHERE name > ? ORDER BY name LIMIT ?`, p.After, limit(p)).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, s.webhook)
}

// DeleteWebhook implements engine.WebhookStore.
func (s *Store) DeleteWebhook(ctx context.Context, id string, e engine.Event) error {
	return s.writeOne(ctx, noWebhook(id), e, `DELETE FROM webhooks WHERE id = ?`, id)
}
