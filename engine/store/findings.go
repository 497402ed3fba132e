package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type findingRow struct {
	ID, Stack, Component, Subject, Change, RunID string
	FirstSeen, LastSeen, ResolvedAt              *int64
}

func (findingRow) TableName() string { return "findings" }

func (row findingRow) finding() (*engine.Finding, error) {
	change, err := parse[engine.Change](row.Change)
	return &engine.Finding{ID: row.ID, Stack: row.Stack, Component: row.Component, Change: change, Run: row.RunID,
		FirstSeen: instant(row.FirstSeen), LastSeen: instant(row.LastSeen), ResolvedAt: instant(row.ResolvedAt)}, err
}

// RecordFindings implements engine.FindingStore.
func (s *Store) RecordFindings(ctx context.Context, stack, component, run string, found []engine.Change, at time.Time) error {
	if len(found) == 0 {
		return s.resolve(s.db.WithContext(ctx), stack, component, nil, at)
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		subjects := make([]string, len(found))
		for i, c := range found {
			subjects[i] = c.Subject
			err := tx.Exec(`INSERT INTO findings (id, stack, component, subject, change, run_id, first_seen, last_seen)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (stack, component, subject) WHERE resolved_at IS NULL
				DO UPDATE SET change = excluded.change, run_id = excluded.run_id, last_seen = excluded.last_seen`,
				engine.NewID("find", at), stack, component, c.Subject, text(c), run, at.UnixMicro(), at.UnixMicro()).Error
			if err != nil {
				return err
			}
		}
		return s.resolve(tx, stack, component, subjects, at)
	})
}

// resolve closes the open findings of a component but for some subjects.
func (s *Store) resolve(db *gorm.DB, stack, component string, but []string, at time.Time) error {
	q := db.Model(&findingRow{}).Where("stack = ? AND component = ? AND resolved_at IS NULL", stack, component)
	if len(but) > 0 {
		q = q.Where("subject NOT IN ?", but)
	}
	return q.Update("resolved_at", at.UnixMicro()).Error
}

// Findings implements engine.FindingStore.
func (s *Store) Findings(ctx context.Context, stack string, openOnly bool, p engine.Page) ([]*engine.Finding, error) {
	q := s.read.WithContext(ctx).Table("findings").Order("last_seen DESC, id DESC").Limit(limit(p))
	if stack != "" {
		q = q.Where("stack = ?", stack)
	}
	q = allowed(q, "stack", p)
	if openOnly {
		q = q.Where("resolved_at IS NULL")
	}
	if p.After != "" {
		q = q.Where("(last_seen, id) < (SELECT last_seen, id FROM findings WHERE id = ?)", p.After)
	}
	var rows []findingRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, findingRow.finding)
}

// OpenFindings implements engine.FindingStore.
func (s *Store) OpenFindings(ctx context.Context, stacks []string) (map[string]int, error) {
	counts := map[string]int{}
	if len(stacks) == 0 {
		return counts, nil
	}
	var rows []struct {
		Stack string
		N     int
	}
	err := s.read.WithContext(ctx).Raw(`SELECT stack, count(*) AS n FROM findings WHERE resolved_at IS NULL AND stack IN ? GROUP BY stack`, stacks).Scan(&rows).Error
	for _, row := range rows {
		counts[row.Stack] = row.N
	}
	return counts, err
}
