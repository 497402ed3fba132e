package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type runRow struct {
	ID, Stack, Kind, Cause, Status, Reason               string
	StartedBy, Message, Rule, Digest, CancelBy           string
	Resources, Origin, Starters, Authors, Glass, Covered string
	Applier                                              string
	Revision                                             int
	Kill, Partial                                        bool
	ExpiresAt, CreatedAt, PlanningAt, PlannedAt          *int64
	ApprovedAt, ApplyingAt, FinishedAt                   *int64
	PurgedAt, ReleaseAt                                  *int64
}

func (runRow) TableName() string { return "runs" }

func newRunRow(r *engine.Run) runRow {
	return runRow{
		ID: r.ID, Stack: r.Stack, Kind: string(r.Kind), Cause: string(r.Trigger), Status: string(r.Status), Reason: r.Reason,
		StartedBy: r.StartedBy, Message: r.Message, Rule: text(r.Rule), Digest: r.Digest, CancelBy: r.CancelBy,
		Revision: r.Revision, Kill: r.Kill, Partial: r.Partial, Resources: text(r.Resources), Origin: r.Origin,
		Starters: text(r.Starters), Authors: text(r.Authors), Glass: text(r.Glass), Covered: text(r.Covered), Applier: r.Applier, ReleaseAt: micros(r.ReleaseAt),
		CreatedAt: micros(r.CreatedAt), PlanningAt: micros(r.PlanningAt), PlannedAt: micros(r.PlannedAt),
		ApprovedAt: micros(r.ApprovedAt), ApplyingAt: micros(r.ApplyingAt), FinishedAt: micros(r.FinishedAt),
		PurgedAt: micros(r.PurgedAt), ExpiresAt: micros(r.ExpiresAt),
	}
}

func (row runRow) run() (*engine.Run, error) {
	rule, err := parse[engine.ApprovalRule](row.Rule)
	resources, rerr := parse[engine.ResourceChoice](row.Resources)
	starters, serr := parse[[]string](row.Starters)
	authors, aerr := parse[[]engine.Author](row.Authors)
	glass, gerr := parse[engine.Glass](row.Glass)
	covered, cerr := parse[[]engine.Class](row.Covered)
	return &engine.Run{
		ID: row.ID, Stack: row.Stack, Revision: row.Revision, Kind: engine.RunKind(row.Kind), Trigger: engine.Trigger(row.Cause),
		Status: engine.RunStatus(row.Status), Reason: row.Reason, StartedBy: row.StartedBy, Message: row.Message, Rule: rule,
		Digest: row.Digest, CancelBy: row.CancelBy, Kill: row.Kill, Partial: row.Partial, Resources: resources, Origin: row.Origin,
		Starters: starters, Authors: authors, Glass: glass, Covered: covered, Applier: row.Applier, ReleaseAt: instant(row.ReleaseAt),
		CreatedAt: instant(row.CreatedAt), PlanningAt: instant(row.PlanningAt), PlannedAt: instant(row.PlannedAt),
		ApprovedAt: instant(row.ApprovedAt), ApplyingAt: instant(row.ApplyingAt), FinishedAt: instant(row.FinishedAt),
		PurgedAt: instant(row.PurgedAt), ExpiresAt: instant(row.ExpiresAt),
	}, errors.Join(err, rerr, serr, aerr, gerr, cerr)
}

func noRun(id string) error { return engine.Missing(engine.ThingRun, id) }

// CreateRun implements engine.RunStore.
func (s *Store) CreateRun(ctx context.Context, r *engine.Run) error {
	changes := r.TakeChanges()
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := inTurn(tx, r); err != nil {
			return err
		}
		row := newRunRow(r)
		err := tx.Create(&row).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return engine.Conflict("another run of stack %s is under way", r.Stack)
		}
		if err != nil {
			return err
		}
		if err := insertSteps(tx, r); err != nil {
			return err
		}
		return addChanges(tx, changes)
	})
}

// inTurn refuses a changing run that would begin before those that wait: the
// order of identifiers is that in which runs change a stack.
func inTurn(tx *gorm.DB, r *engine.Run) error {
	if !r.Kind.Changing() || r.Status == engine.RunPending {
		return nil
	}
	var waits int64
	err := tx.Raw(`SELECT count(*) FROM runs WHERE stack = ? AND kind IN ('apply', 'destroy') AND status = 'pending'`, r.Stack).Scan(&waits).Error
	if err == nil && waits > 0 {
		err = engine.Conflict("another run of stack %s waits for its turn", r.Stack)
	}
	return err
}

func addChanges(tx *gorm.DB, c engine.Changes) error {
	if err := addDispatches(tx, c.Dispatches); err != nil {
		return err
	}
	if err := addLocks(tx, c.Locks); err != nil {
		return err
	}
	return addEvents(tx, c.Events...)
}

// Run implements engine.RunStore.
func (s *Store) Run(ctx context.Context, id string) (*engine.Run, error) {
	r, _, err := loadRun(s.read.WithContext(ctx), id, "")
	return r, err
}

// loadRun reads a run with its steps and approvals, and gives the rows of the
// steps as they are. The suffix locks the run's row where the database can.
func loadRun(db *gorm.DB, id, suffix string) (*engine.Run, []stepRow, error) {
	var row runRow
	if err := one(db, &row, noRun(id), `SELECT * FROM runs WHERE id = ?`+suffix, id); err != nil {
		return nil, nil, err
	}
	r, err := row.run()
	if err != nil {
		return nil, nil, err
	}
	var steps []stepRow
	if err := db.Raw(`SELECT * FROM steps WHERE run_id = ? ORDER BY position`, id).Scan(&steps).Error; err != nil {
		return nil, nil, err
	}
	if r.Steps, err = each(steps, stepRow.step); err != nil {
		return nil, nil, err
	}
	if r.Approvals, err = approvals(db, id); err != nil {
		return nil, nil, err
	}
	r.Policies, err = policiesOver(db, r.Stack)
	return r, steps, err
}

// Runs implements engine.RunStore with two statements.
func (s *Store) Runs(ctx context.Context, f engine.RunFilter, p engine.Page) ([]*engine.Run, error) {
	db := s.read.WithContext(ctx)
	q := allowed(db.Table("runs").Order("id DESC").Limit(limit(p)), "stack", p)
	for column, value := range map[string]string{"stack": f.Stack, "kind": string(f.Kind), "status": string(f.Status)} {
		if value != "" {
			q = q.Where(column+" = ?", value)
		}
	}
	if p.After != "" {
		q = q.Where("id < ?", p.After)
	}
	var rows []runRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, err
	}
	runs, err := each(rows, runRow.run)
	if err != nil || len(runs) == 0 {
		return runs, err
	}
	return runs, withSteps(db, runs)
}

// NewestRuns implements engine.RunStore. It looks up one run a stack, however
// many runs a stack has.
func (s *Store) NewestRuns(ctx context.Context, stacks []string) (map[string]*engine.Run, error) {
	newest := make(map[string]*engine.Run, len(stacks))
	if len(stacks) == 0 {
		return newest, nil
	}
	var rows []runRow
	err := s.read.WithContext(ctx).Raw(`SELECT r.* FROM stacks s JOIN runs r ON r.id = (SELECT max(id) FROM runs WHERE stack = s.name)
		WHERE s.name IN ?`, stacks).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	runs, err := each(rows, runRow.run)
	for _, r := range runs {
		newest[r.Stack] = r
	}
	return newest, err
}

// withSteps reads the steps of all runs in one statement.
func withSteps(db *gorm.DB, runs []*engine.Run) error {
	byID := make(map[string]*engine.Run, len(runs))
	ids := make([]string, len(runs))
	for i, r := range runs {
		byID[r.ID], ids[i] = r, r.ID
	}
	var rows []stepRow
	if err := db.Raw(`SELECT * FROM steps WHERE run_id IN ? ORDER BY run_id, position`, ids).Scan(&rows).Error; err != nil {
		return err
	}
	for _, row := range rows {
		step, err := row.step()
		if err != nil {
			return err
		}
		byID[step.Run].Steps = append(byID[step.Run].Steps, step)
	}
	return nil
}

// UpdateRun implements engine.RunStore.
func (s *Store) UpdateRun(ctx context.Context, id string, change func(*engine.Run) error) (*engine.Run, error) {
	var r *engine.Run
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		var before []stepRow
		var err error
		if r, before, err = loadRun(tx, id, s.locked()); err != nil {
			return err
		}
		known := len(r.Approvals)
		if err := change(r); err != nil {
			return err
		}
		return saveRun(tx, r, before, known)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func saveRun(tx *gorm.DB, r *engine.Run, before []stepRow, known int) error {
	row := newRunRow(r)
	err := tx.Model(&runRow{}).Where("id = ?", r.ID).Select("*").Omit("id").Updates(&row).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return engine.Conflict("another run of stack %s is under way", r.Stack)
	}
	if err != nil {
		return fmt.Errorf("write run %s: %w", r.ID, err)
	}
	if err := saveSteps(tx, r, before); err != nil {
		return err
	}
	if revision, ok := r.Applied(); ok {
		if err := tx.Exec(`UPDATE stacks SET applied = ?, updated_at = ? WHERE name = ?`, revision, row.FinishedAt, r.Stack).Error; err != nil {
			return err
		}
		if err := errors.Join(retireStrays(tx, r), relink(tx, r.Stack)); err != nil {
			return err
		}
	}
	if r.Status == engine.RunSucceeded && r.Kind.Changing() {
		if err := tx.Exec(`UPDATE stacks SET changed_run = ? WHERE name = ?`, r.ID, r.Stack).Error; err != nil {
			return err
		}
	}
	for _, a := range r.Approvals[known:] {
		if err := addApproval(tx, r.ID, a); err != nil {
			return err
		}
	}
	changes := r.TakeChanges()
	return addChanges(tx, changes)
}

// NextPending implements engine.RunStore.
func (s *Store) NextPending(ctx context.Context, stack string) (string, error) {
	return s.name(ctx, `SELECT id FROM runs r WHERE stack = ? AND `+pendingRun+` ORDER BY id LIMIT 1`, stack)
}

// NewestRun implements engine.RunStore.
func (s *Store) NewestRun(ctx context.Context, stack string) (string, error) {
	return s.name(ctx, `SELECT id FROM runs WHERE stack = ? ORDER BY id DESC LIMIT 1`, stack)
}

// pendingRun holds for a changing run r whose turn it could be.
const pendingRun = `kind IN ('apply', 'destroy') AND status = 'pending' AND NOT EXISTS (` + activeRun + `)`

// activeRun finds the changing run under way on the stack of r.
const activeRun = `SELECT 1 FROM runs a WHERE a.stack = r.stack AND a.kind IN ('apply', 'destroy')
	AND a.status IN ('planning', 'planned', 'approved', 'applying')`

// ActiveRun implements engine.RunStore.
func (s *Store) ActiveRun(ctx context.Context, stack string) (string, error) {
	return s.name(ctx, `SELECT id FROM runs WHERE stack = ? AND kind IN ('apply', 'destroy')
		AND status IN ('planning', 'planned', 'approved', 'applying')`, stack)
}

// name reads one name, or "" where there is none. It reads where it is
// written, so that it sees what has just been committed.
func (s *Store) name(ctx context.Context, sql string, args ...any) (string, error) {
	var v string
	return v, s.db.WithContext(ctx).Raw(sql, args...).Scan(&v).Error
}
