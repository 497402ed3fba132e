package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cloudops-manager/cloudops/engine"
)

type scheduleRow struct {
	ID, Stack, Name, Kind, Cron, Timezone, LastRun, CreatedBy string
	Paused                                                    bool
	NextRunAt, LastRunAt, CreatedAt                           *int64
}

func (scheduleRow) TableName() string { return "schedules" }

func newScheduleRow(s *engine.Schedule) scheduleRow {
	return scheduleRow{s.ID, s.Stack, s.Name, string(s.Kind), s.Cron, s.Timezone, s.LastRun, s.CreatedBy, s.Paused,
		micros(s.NextRunAt), micros(s.LastRunAt), micros(s.CreatedAt)}
}

func (row scheduleRow) schedule() (*engine.Schedule, error) {
	return &engine.Schedule{ID: row.ID, Stack: row.Stack, Name: row.Name, Kind: engine.RunKind(row.Kind), Cron: row.Cron, Timezone: row.Timezone,
		Paused: row.Paused, NextRunAt: instant(row.NextRunAt), LastRunAt: instant(row.LastRunAt), LastRun: row.LastRun,
		CreatedBy: row.CreatedBy, CreatedAt: instant(row.CreatedAt)}, nil
}

// PutSchedule implements engine.ScheduleStore.
func (s *Store) PutSchedule(ctx context.Context, sch *engine.Schedule, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := was(s, tx, "schedules", sch.ID, scheduleOf)
		if err != nil {
			return err
		}
		row := newScheduleRow(sch)
		err = tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, UpdateAll: true}).Create(&row).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return engine.Conflict("stack %s has a schedule %q already", sch.Stack, sch.Name)
		}
		if err != nil {
			return err
		}
		return addEvents(tx, e.Replacing(before))
	})
}

// Schedule implements engine.ScheduleStore.
func (s *Store) Schedule(ctx context.Context, id string) (*engine.Schedule, error) {
	return scheduleOf(s.read.WithContext(ctx), id)
}

func scheduleOf(db *gorm.DB, id string) (*engine.Schedule, error) {
	var row scheduleRow
	if err := one(db, &row, engine.Missing(engine.ThingSchedule, id), `SELECT * FROM schedules WHERE id = ?`, id); err != nil {
		return nil, err
	}
	return row.schedule()
}

// Schedules implements engine.ScheduleStore.
func (s *Store) Schedules(ctx context.Context, stack string, p engine.Page) ([]*engine.Schedule, error) {
	return s.schedules(ctx, `SELECT * FROM schedules WHERE stack = ? AND name > ? ORDER BY name LIMIT ?`, stack, p.After, limit(p))
}

// DueSchedules implements engine.ScheduleStore.
func (s *Store) DueSchedules(ctx context.Context, t time.Time, limit int) ([]*engine.Schedule, error) {
	return s.schedules(ctx, `SELECT * FROM schedules WHERE NOT paused AND next_run_at <= ? ORDER BY next_run_at LIMIT ?`, t.UnixMicro(), limit)
}

func (s *Store) schedules(ctx context.Context, sql string, args ...any) ([]*engine.Schedule, error) {
	var rows []scheduleRow
	if err := s.read.WithContext(ctx).Raw(sql, args...).Scan(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, scheduleRow.schedule)
}

// DeleteSchedule implements engine.ScheduleStore.
func (s *Store) DeleteSchedule(ctx context.Context, id string, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := was(s, tx, "schedules", id, scheduleOf)
		if err != nil {
			return err
		}
		return change(tx, engine.Missing(engine.ThingSchedule, id), e.Replacing(before), `DELETE FROM schedules WHERE id = ?`, id)
	})
}

// NextDue implements engine.ScheduleStore.
func (s *Store) NextDue(ctx context.Context) (time.Time, error) {
	var row struct{ At *int64 }
	err := s.read.WithContext(ctx).Raw(`SELECT min(next_run_at) AS at FROM schedules WHERE NOT paused`).Scan(&row).Error
	return instant(row.At), err
}

// FireSchedule implements engine.ScheduleStore.
func (s *Store) FireSchedule(ctx context.Context, id string, was, next, at time.Time, run string) error {
	return s.db.WithContext(ctx).Exec(`UPDATE schedules SET next_run_at = ?, last_run_at = ?, last_run = CASE WHEN ? = '' THEN last_run ELSE ? END
		WHERE id = ? AND next_run_at = ? AND NOT paused`, next.UnixMicro(), at.UnixMicro(), run, run, id, was.UnixMicro()).Error
}
