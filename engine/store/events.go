package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type eventRow struct {
	ID                                                    int64
	At                                                    *int64
	Actor, Action, Stack, Project, RunID, Subject, Detail string
	Before, After                                         string
	Address, Request, Via                                 string
	Seq                                                   *int64
	Previous, Hash                                        string
}

func (eventRow) TableName() string { return "events" }

func newEventRow(e engine.Event) eventRow {
	return eventRow{ID: e.ID, At: micros(e.At), Actor: e.Actor, Action: e.Action, Stack: e.Stack, Project: e.Project, RunID: e.Run, Subject: e.Subject,
		Detail: string(e.Detail), Before: string(e.Before), After: string(e.After),
		Address: e.Address, Request: e.Request, Via: e.Via, Seq: &e.Seq, Previous: e.Previous, Hash: e.Hash}
}

func (row eventRow) event() (*engine.Event, error) {
	e := &engine.Event{ID: row.ID, At: instant(row.At), Actor: row.Actor, Action: row.Action, Stack: row.Stack, Project: row.Project, Run: row.RunID, Subject: row.Subject,
		Detail: raw(row.Detail), Before: raw(row.Before), After: raw(row.After),
		Origin: engine.Origin{Address: row.Address, Request: row.Request, Via: row.Via}, Previous: row.Previous, Hash: row.Hash}
	if row.Seq != nil {
		e.Seq = *row.Seq
	}
	return e, nil
}

// raw is a column of JSON: an empty RawMessage is no JSON, a nil one is.
func raw(column string) []byte {
	if column == "" {
		return nil
	}
	return []byte(column)
}

type notedKey struct{}

// addEvents notes what the transaction of inTx writes into the audit log.
func addEvents(tx *gorm.DB, events ...engine.Event) error {
	noted, ok := tx.Statement.Context.Value(notedKey{}).(*[]engine.Event)
	if !ok {
		return errors.New("events are written in a transaction of inTx only")
	}
	*noted = append(*noted, events...)
	return nil
}

type headRow struct {
	Installation string
	Seq          int64
	Hash         string
}

func (s *Store) head(tx *gorm.DB, suffix string) (headRow, error) {
	var head headRow
	return head, one(tx, &head, errors.New("the audit log has no beginning"), `SELECT installation, seq, hash FROM audit_head WHERE id = 1`+suffix)
}

// chain writes events behind the end of the chain, which nobody else changes
// until the transaction ends.
func (s *Store) chain(tx *gorm.DB, events []engine.Event) error {
	if len(events) == 0 {
		return nil
	}
	head, err := s.head(tx, s.locked())
	if err != nil {
		return err
	}
	origin := engine.OriginFrom(tx.Statement.Context)
	rows := make([]eventRow, len(events))
	for i, e := range events {
		if e.Origin == (engine.Origin{}) {
			e.Origin = origin
		}
		e = e.Link(head.Seq+1, head.Hash)
		rows[i], head.Seq, head.Hash = newEventRow(e), e.Seq, e.Hash
	}
	if err := tx.Omit("id").CreateInBatches(&rows, insertBatch).Error; err != nil {
		return err
	}
	return moveHead(tx, head)
}

func moveHead(tx *gorm.DB, head headRow) error {
	return tx.Exec(`UPDATE audit_head SET seq = ?, hash = ? WHERE id = 1`, head.Seq, head.Hash).Error
}

// found gives a database without an audit log the beginning of one.
func (s *Store) found(ctx context.Context) error {
	return s.db.WithContext(ctx).Exec(`INSERT INTO audit_head (id, installation, seq, hash) VALUES (1, ?, 0, ?) ON CONFLICT DO NOTHING`,
		engine.NewToken("inst").Hash()[:32], engine.ChainStart).Error
}

// AddEvent implements engine.EventStore.
func (s *Store) AddEvent(ctx context.Context, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error { return addEvents(tx, e) })
}

// ChainEvents implements engine.EventStore.
func (s *Store) ChainEvents(ctx context.Context, limit int) (n int, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		head, err := s.head(tx, s.locked())
		if err != nil {
			return err
		}
		var rows []eventRow
		if err := tx.Raw(`SELECT * FROM events WHERE seq IS NULL ORDER BY id LIMIT ?`, limit).Scan(&rows).Error; err != nil {
			return err
		}
		for _, row := range rows {
			e, err := row.event()
			if err != nil {
				return err
			}
			linked := e.Link(head.Seq+1, head.Hash)
			if err := tx.Exec(`UPDATE events SET seq = ?, previous = ?, hash = ? WHERE id = ?`, linked.Seq, linked.Previous, linked.Hash, row.ID).Error; err != nil {
				return fmt.Errorf("event %d: %w", row.ID, err)
			}
			head.Seq, head.Hash = linked.Seq, linked.Hash
		}
		n = len(rows)
		return moveHead(tx, head)
	})
	return n, err
}
