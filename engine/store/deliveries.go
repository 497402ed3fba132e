package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type deliveryRow struct {
	ID, Webhook, Type, Body, Error string
	Attempts, Status               int
	Took                           int64
	NextAt, CreatedAt, DoneAt      *int64
}

func (deliveryRow) TableName() string { return "deliveries" }

func newDeliveryRow(d *engine.Delivery) deliveryRow {
	return deliveryRow{ID: d.ID, Webhook: d.Webhook, Type: d.Type, Body: string(d.Body), Error: d.Error, Attempts: d.Attempts, Status: d.Status,
		Took: d.Took.Microseconds(), NextAt: micros(d.NextAt), CreatedAt: micros(d.CreatedAt), DoneAt: micros(d.DoneAt)}
}

func (row deliveryRow) delivery() (*engine.Delivery, error) {
	return &engine.Delivery{ID: row.ID, Webhook: row.Webhook, Type: row.Type, Body: []byte(row.Body), Error: row.Error, Attempts: row.Attempts, Status: row.Status,
		Took: time.Duration(row.Took) * time.Microsecond, NextAt: instant(row.NextAt), CreatedAt: instant(row.CreatedAt), DoneAt: instant(row.DoneAt)}, nil
}

// FanOut implements engine.WebhookStore.
func (s *Store) FanOut(ctx context.Context, most int, fan func([]*engine.Event, []*engine.Webhook) []*engine.Delivery) (more bool, err error) {
	var one int
	err = s.read.WithContext(ctx).Raw(`SELECT 1 FROM webhooks WHERE disabled_why = '' LIMIT 1`).Scan(&one).Error
	if err != nil || one == 0 { // nobody is to be told, which costs no write
		return false, err
	}
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		after, err := s.takeCursor(tx)
		if err != nil {
			return err
		}
		var events []eventRow
		if err := tx.Raw(`SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?`, after, most).Scan(&events).Error; err != nil || len(events) == 0 {
			return err
		}
		more = len(events) == most
		if err := s.fan(tx, events, fan); err != nil {
			return err
		}
		return tx.Exec(`UPDATE webhook_cursor SET event = ?`, events[len(events)-1].ID).Error
	})
	return more, err
}

// takeCursor reads how far messages were made, which nobody else goes on with
// until the transaction ends. The first time that is as far as there are events.
func (s *Store) takeCursor(tx *gorm.DB) (after int64, err error) {
	err = tx.Exec(`INSERT INTO webhook_cursor (id, event) SELECT 1, coalesce(max(id), 0) FROM events WHERE true ON CONFLICT (id) DO NOTHING`).Error
	if err != nil {
		return 0, err
	}
	return after, tx.Raw(`SELECT event FROM webhook_cursor` + s.locked()).Scan(&after).Error
}

func (s *Store) fan(tx *gorm.DB, rows []eventRow, fan func([]*engine.Event, []*engine.Webhook) []*engine.Delivery) error {
	var hookRows []webhookRow
	if err := tx.Raw(`SELECT * FROM webhooks WHERE disabled_why = '' ORDER BY name`).Scan(&hookRows).Error; err != nil || len(hookRows) == 0 {
		return err
	}
	hooks, err := each(hookRows, s.webhook)
	if err != nil {
		return err
	}
	events, err := each(rows, eventToTell)
	if err != nil {
		return err
	}
	var out []deliveryRow
	for _, d := range fan(events, hooks) {
		out = append(out, newDeliveryRow(d))
	}
	if len(out) == 0 {
		return nil
	}
	return tx.CreateInBatches(&out, insertBatch).Error
}

// eventToTell is of an event what webhooks tell.
func eventToTell(row eventRow) (*engine.Event, error) {
	return &engine.Event{ID: row.ID, At: instant(row.At), Actor: row.Actor, Action: row.Action, Stack: row.Stack, Run: row.RunID,
		Subject: row.Subject, Detail: []byte(row.Detail)}, nil
}

// TakeDeliveries implements engine.WebhookStore. Of each webhook comes one before a
// second of any, so that who answers slowly holds up nobody else.
func (s *Store) TakeDeliveries(ctx context.Context, now, until time.Time, most int) ([]*engine.Delivery, error) {
	var due []deliveryRow
	err := s.read.WithContext(ctx).Raw(`SELECT * FROM (SELECT deliveries.*, row_number() OVER (PARTITION BY webhook ORDER BY next_at, id) AS nth FROM deliveries WHERE next_at <= ?) due
		ORDER BY nth, next_at, id LIMIT ?`, now.UnixMicro(), most).Scan(&due).Error
	if err != nil {
		return nil, err
	}
	var mine []*engine.Delivery
	for _, row := range due {
		res := s.db.WithContext(ctx).Exec(`UPDATE deliveries SET next_at = ?, attempts = attempts + 1 WHERE id = ? AND next_at = ?`, until.UnixMicro(), row.ID, row.NextAt)
		if res.Error != nil {
			return mine, res.Error
		}
		if res.RowsAffected == 0 { // somebody else's
			continue
		}
		d, err := row.delivery()
		if err != nil {
			return mine, err
		}
		d.Attempts, d.NextAt = d.Attempts+1, until
		mine = append(mine, d)
	}
	return mine, nil
}

// AddDelivery implements engine.WebhookStore.
func (s *Store) AddDelivery(ctx context.Context, d *engine.Delivery) error {
	row := newDeliveryRow(d)
	return s.db.WithContext(ctx).Create(&row).Error
}

// NoteDelivery implements engine.WebhookStore.
func (s *Store) NoteDelivery(ctx context.Context, d *engine.Delivery) error {
	row := newDeliveryRow(d)
	return s.db.WithContext(ctx).Exec(`UPDATE deliveries SET attempts = ?, next_at = ?, status = ?, error = ?, took = ?, done_at = ? WHERE id = ?`,
		row.Attempts, row.NextAt, row.Status, row.Error, row.Took, row.DoneAt, row.ID).Error
}

// Deliveries implements engine.WebhookStore.
func (s *Store) Deliveries(ctx context.Context, webhook string, p engine.Page) ([]*engine.Delivery, error) {
	q := s.read.WithContext(ctx).Table("deliveries").Where("webhook = ?", webhook).Order("id DESC").Limit(limit(p))
	if p.After != "" {
		q = q.Where("id < ?", p.After)
	}
	var rows []deliveryRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, deliveryRow.delivery)
}

// DropDeliveries implements engine.WebhookStore.
func (s *Store) DropDeliveries(ctx context.Context, t time.Time) error {
	return s.db.WithContext(ctx).Exec(`DELETE FROM deliveries WHERE done_at < ?`, t.UnixMicro()).Error
}
