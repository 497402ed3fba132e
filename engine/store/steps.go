package store

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type stepRow struct {
	ID, RunID, Stack, Address, Component, Needs, Status, Reason string
	Worker, Walls, Queue, TokenHash, StateHash                  string
	PlanHash, ChangesHash, ApprovedChanges                      string
	Summary, Applied, Notes, Inputs, Predicted, Actual          string
	Position, Revision, Attempt, Lost                           int
	Destroy                                                     bool
	LogSize                                                     int64 `gorm:"->"` // kept by AppendLog
	LeaseUntil, ReadyAt, QueuedAt, StartedAt, EndedAt           *int64
}

func (stepRow) TableName() string { return "steps" }

func newStepRow(r *engine.Run, s *engine.Step) stepRow {
	return stepRow{
		ID: s.ID, RunID: r.ID, Stack: r.Stack, Address: s.Component.Address, Component: text(s.Component), Needs: text(s.Needs),
		Status: string(s.Status), Reason: s.Reason, Worker: s.Worker, Walls: s.Walls,
		Queue:     engine.QueueName(s.Component.Cloud, r.Kind.Class()),
		TokenHash: s.TokenHash, StateHash: s.StateHash,
		PlanHash: s.PlanHash, ChangesHash: s.ChangesHash, ApprovedChanges: s.ApprovedChanges,
		Summary: text(s.Summary), Applied: text(s.Applied), Notes: text(s.Notes), Inputs: text(s.Inputs),
		Predicted: text(s.Predicted), Actual: text(s.Actual),
		Position: s.Position, Revision: s.Revision, Attempt: s.Attempt, Lost: s.Lost, Destroy: s.Destroy,
		LeaseUntil: micros(s.LeaseUntil), ReadyAt: micros(s.ReadyAt), QueuedAt: micros(s.QueuedAt),
		StartedAt: micros(s.StartedAt), EndedAt: micros(s.EndedAt),
	}
}

func (row stepRow) step() (*engine.Step, error) {
	s := &engine.Step{
		ID: row.ID, Run: row.RunID, Position: row.Position, Revision: row.Revision, Destroy: row.Destroy,
		Status: engine.StepStatus(row.Status), Reason: row.Reason, Attempt: row.Attempt, Lost: row.Lost, Worker: row.Worker, Walls: row.Walls,
		LeaseUntil: instant(row.LeaseUntil), ReadyAt: instant(row.ReadyAt), TokenHash: row.TokenHash, StateHash: row.StateHash,
		PlanHash: row.PlanHash, ChangesHash: row.ChangesHash, ApprovedChanges: row.ApprovedChanges,
		QueuedAt: instant(row.QueuedAt), StartedAt: instant(row.StartedAt), EndedAt: instant(row.EndedAt),
	}
	var err error
	for _, read := range []func() error{
		func() error { s.Component, err = parse[engine.Component](row.Component); return err },
		func() error { s.Needs, err = parse[[]string](row.Needs); return err },
		func() error { s.Summary, err = parse[engine.Summary](row.Summary); return err },
		func() error { s.Applied, err = parse[engine.Summary](row.Applied); return err },
		func() error { s.Notes, err = parse[[]string](row.Notes); return err },
		func() error { s.Inputs, err = parse[map[string]string](row.Inputs); return err },
		func() error { s.Predicted, err = parse[map[string]engine.OutputDigest](row.Predicted); return err },
		func() error { s.Actual, err = parse[map[string]engine.OutputDigest](row.Actual); return err },
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// insertBatch keeps a statement below the number of parameters that both
// databases take.
const insertBatch = 500

func insertSteps(tx *gorm.DB, r *engine.Run) error {
	if len(r.Steps) == 0 {
		return nil
	}
	rows := make([]stepRow, len(r.Steps))
	for i, s := range r.Steps {
		rows[i] = newStepRow(r, s)
	}
	return tx.CreateInBatches(&rows, insertBatch).Error
}

// saveSteps writes the steps that differ from the rows that were read, or all
// of them where they were replaced.
func saveSteps(tx *gorm.DB, r *engine.Run, before []stepRow) error {
	if !slices.EqualFunc(r.Steps, before, func(s *engine.Step, row stepRow) bool { return s.ID == row.ID }) {
		if err := tx.Exec(`DELETE FROM steps WHERE run_id = ?`, r.ID).Error; err != nil {
			return err
		}
		return insertSteps(tx, r)
	}
	for i, s := range r.Steps {
		row := newStepRow(r, s)
		row.LogSize = before[i].LogSize
		if reflect.DeepEqual(row, before[i]) {
			continue
		}
		if err := tx.Model(&stepRow{}).Where("id = ?", row.ID).Select("*").Omit("id", "log_size").Updates(&row).Error; err != nil {
			return err
		}
	}
	return nil
}

// StepRun implements engine.RunStore.
func (s *Store) StepRun(ctx context.Context, step string) (string, error) {
	var run string
	missing := engine.Missing(engine.ThingStep, step)
	return run, one(s.read.WithContext(ctx), &run, missing, `SELECT run_id FROM steps WHERE id = ?`, step)
}

// StepByToken implements engine.RunStore.
func (s *Store) StepByToken(ctx context.Context, hash string) (*engine.Step, error) {
	var row stepRow
	missing := engine.NotFound("no step has this token")
	if err := one(s.read.WithContext(ctx), &row, missing, `SELECT * FROM steps WHERE token_hash = ? AND token_hash <> ''`, hash); err != nil {
		return nil, err
	}
	return row.step()
}

// Deployed implements engine.RunStore.
func (s *Store) Deployed(ctx context.Context, stack string) (map[string]int, error) {
	return deployed(s.read.WithContext(ctx), stack)
}

// doneRow is a step that stands for its component as it is. A run that had
// nothing to do has one without an address.
type doneRow struct {
	RunID, Kind, Resources, Address string
	RunRevision, Revision           int
	Destroy, Whole                  bool
}

func deployed(db *gorm.DB, stack string) (map[string]int, error) {
	var rows []doneRow
	err := db.Raw(`SELECT r.id AS run_id, r.kind, r.resources, r.revision AS run_revision, r.status = 'succeeded' AND NOT r.partial AS whole,
			coalesce(s.address, '') AS address, coalesce(s.revision, 0) AS revision, coalesce(s.destroy, false) AS destroy
		FROM runs r LEFT JOIN steps s ON s.run_id = r.id AND (s.status = 'applied' OR s.status = 'unchanged' AND r.status = 'succeeded')
		WHERE r.stack = ? AND r.kind IN ('apply', 'destroy')
		ORDER BY r.id, s.position`, stack).Scan(&rows).Error
	at := map[string]int{}
	for i, row := range rows {
		err = errors.Join(err, row.step(at))
		if last := i+1 == len(rows) || rows[i+1].RunID != row.RunID; last && row.Whole {
			row.whole(at)
		}
	}
	return at, err
}

// step notes where the step has brought its component.
func (row doneRow) step(at map[string]int) error {
	chosen, err := parse[engine.ResourceChoice](row.Resources)
	switch {
	case row.Address == "" || chosen.RefreshOnly:
	case chosen.Targets(row.Address) && (row.Destroy || at[row.Address] > 0): // some of its resources only
	case row.Destroy:
		delete(at, row.Address)
	default:
		at[row.Address] = row.Revision
	}
	return err
}

// whole forgets what the stack no longer has after a run over all of it. Of what
// it has, each component is at the run's revision then.
func (row doneRow) whole(at map[string]int) {
	maps.DeleteFunc(at, func(_ string, revision int) bool {
		return row.Kind == string(engine.RunDestroy) || revision != row.RunRevision
	})
}

// LastChange implements engine.RunStore.
func (s *Store) LastChange(ctx context.Context, stack, component string) (*engine.Step, error) {
	var row stepRow
	missing := engine.NotFound("%s of stack %s was never applied", component, stack)
	err := one(s.read.WithContext(ctx), &row, missing, `SELECT s.* FROM steps s JOIN runs r ON r.id = s.run_id
		WHERE s.stack = ? AND s.address = ? AND r.kind IN ('apply', 'destroy')
			AND (r.applying_at IS NOT NULL AND s.status NOT IN ('unchanged', 'skipped') OR s.status = 'unchanged' AND r.status = 'succeeded')
		ORDER BY s.id DESC LIMIT 1`, stack, component)
	if err != nil {
		return nil, err
	}
	return row.step()
}

// HeldSteps implements engine.SweepStore.
func (s *Store) HeldSteps(ctx context.Context) ([]engine.Held, error) {
	var rows []stepRow
	err := s.read.WithContext(ctx).Raw(`SELECT id, run_id, attempt, lease_until FROM steps WHERE lease_until IS NOT NULL ORDER BY lease_until`).Scan(&rows).Error
	var held []engine.Held
	for _, row := range rows {
		held = append(held, engine.Held{Step: row.ID, Run: row.RunID, Attempt: row.Attempt, Until: instant(row.LeaseUntil)})
	}
	return held, err
}

// Beat implements engine.SweepStore.
func (s *Store) Beat(ctx context.Context, part string) error {
	return s.db.WithContext(ctx).Exec(`INSERT INTO beats (part, count) VALUES (?, 1) ON CONFLICT (part) DO UPDATE SET count = beats.count + 1`, part).Error
}

// Beats implements engine.SweepStore.
func (s *Store) Beats(ctx context.Context, part string) (int64, error) {
	var n int64
	return n, s.read.WithContext(ctx).Raw(`SELECT coalesce(max(count), 0) FROM beats WHERE part = ?`, part).Scan(&n).Error
}

// WaitingSteps implements engine.SweepStore.
func (s *Store) WaitingSteps(ctx context.Context, from, to time.Time, perQueue int) ([]engine.Dispatch, error) {
	var rows []stepRow
	err := s.read.WithContext(ctx).Raw(`SELECT id, attempt, queue FROM
		(SELECT id, attempt, queue, ready_at, row_number() OVER (PARTITION BY queue ORDER BY ready_at, id) AS place
			FROM steps WHERE ready_at IS NOT NULL AND (ready_at < ? OR ready_at > ?)) w
		WHERE place <= ? ORDER BY ready_at, id`,
		from.UnixMicro(), to.UnixMicro(), perQueue).Scan(&rows).Error
	var waiting []engine.Dispatch
	for _, row := range rows {
		waiting = append(waiting, engine.Dispatch{Step: row.ID, Attempt: row.Attempt + 1, Queue: row.Queue})
	}
	return waiting, err
}

// ExpiredPlans implements engine.SweepStore.
func (s *Store) ExpiredPlans(ctx context.Context, t time.Time, limit int) ([]string, error) {
	var ids []string
	return ids, s.read.WithContext(ctx).Raw(`SELECT id FROM runs WHERE expires_at IS NOT NULL AND expires_at <= ? AND status = 'planned' ORDER BY expires_at LIMIT ?`,
		t.UnixMicro(), limit).Scan(&ids).Error
}

// PendingStacks implements engine.SweepStore.
func (s *Store) PendingStacks(ctx context.Context, limit int) ([]string, error) {
	var stacks []string
	return stacks, s.read.WithContext(ctx).Raw(`SELECT DISTINCT stack FROM runs r WHERE `+pendingRun+` ORDER BY stack LIMIT ?`,
		limit).Scan(&stacks).Error
}
