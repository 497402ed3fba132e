package store

import (
	"context"
	"strconv"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type outboxRow struct {
	ID      int64
	StepID  string
	Attempt int
	Queue   string
}

func (outboxRow) TableName() string { return "outbox" }

func addDispatches(tx *gorm.DB, dispatches []engine.Dispatch) error {
	if len(dispatches) == 0 {
		return nil
	}
	rows := make([]outboxRow, len(dispatches))
	for i, d := range dispatches {
		rows[i] = outboxRow{StepID: d.Step, Attempt: d.Attempt, Queue: d.Queue}
	}
	return tx.Omit("id").CreateInBatches(&rows, insertBatch).Error
}

// Outbox implements engine.OutboxStore.
func (s *Store) Outbox(ctx context.Context, limit int) ([]engine.Dispatch, error) {
	var rows []outboxRow
	if err := s.read.WithContext(ctx).Raw(`SELECT * FROM outbox ORDER BY id LIMIT ?`, limit).Scan(&rows).Error; err != nil {
		return nil, err
	}
	var list []engine.Dispatch
	for _, row := range rows {
		list = append(list, engine.Dispatch{ID: row.ID, Step: row.StepID, Attempt: row.Attempt, Queue: row.Queue})
	}
	return list, nil
}

// Relayed implements engine.OutboxStore.
func (s *Store) Relayed(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	return s.db.WithContext(ctx).Exec(`DELETE FROM outbox WHERE id IN ?`, ids).Error
}

type eventRow struct {
	ID                                           int64
	At                                           *int64
	Actor, Action, Stack, RunID, Subject, Detail string
}

func (eventRow) TableName() string { return "events" }

func addEvents(tx *gorm.DB, events ...engine.Event) error {
	if len(events) == 0 {
		return nil
	}
	rows := make([]eventRow, len(events))
	for i, e := range events {
		rows[i] = eventRow{At: micros(e.At), Actor: e.Actor, Action: e.Action, Stack: e.Stack, RunID: e.Run, Subject: e.Subject, Detail: string(e.Detail)}
	}
	return tx.Omit("id").CreateInBatches(&rows, insertBatch).Error
}

// AddEvent implements engine.EventStore.
func (s *Store) AddEvent(ctx context.Context, e engine.Event) error {
	return addEvents(s.db.WithContext(ctx), e)
}

// Events implements engine.EventStore.
func (s *Store) Events(ctx context.Context, stack string, p engine.Page) ([]*engine.Event, error) {
	q := s.read.WithContext(ctx).Table("events").Order("id DESC").Limit(limit(p))
	if stack != "" {
		q = q.Where("stack = ?", stack)
	}
	q = allowed(q, "stack", p)
	if after, err := strconv.ParseInt(p.After, 10, 64); err == nil {
		q = q.Where("id < ?", after)
	}
	var rows []eventRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, func(row eventRow) (*engine.Event, error) {
		e := &engine.Event{ID: row.ID, At: instant(row.At), Actor: row.Actor, Action: row.Action, Stack: row.Stack, Run: row.RunID, Subject: row.Subject}
		if row.Detail != "" { // an empty RawMessage is no JSON, a nil one is
			e.Detail = []byte(row.Detail)
		}
		return e, nil
	})
}
