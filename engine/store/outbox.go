package store

import (
	"context"

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
