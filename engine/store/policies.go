package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type policyRow struct {
	Project, Source, Rule, UpdatedBy string
	UpdatedAt                        *int64
}

func (row policyRow) policy() (engine.Policy, error) {
	rule, err := parse[engine.ApprovalRule](row.Rule)
	return engine.Policy{Project: row.Project, Source: row.Source, Rule: rule, UpdatedBy: row.UpdatedBy, UpdatedAt: instant(row.UpdatedAt)}, err
}

// PoliciesOver implements engine.PolicyStore.
func (s *Store) PoliciesOver(ctx context.Context, stack string) ([]engine.Policy, error) {
	return policiesOver(s.read.WithContext(ctx), stack)
}

// policiesOver reads those over a stack, the installation's first.
func policiesOver(db *gorm.DB, stack string) ([]engine.Policy, error) {
	var rows []policyRow
	if err := db.Raw(`SELECT * FROM policies WHERE project IN ('', ?) ORDER BY project`, engine.ProjectOf(stack)).Scan(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	return each(rows, policyRow.policy)
}

// Policy implements engine.PolicyStore.
func (s *Store) Policy(ctx context.Context, project string) (*engine.Policy, error) {
	return policyOf(s.read.WithContext(ctx), project)
}

func policyOf(db *gorm.DB, project string) (*engine.Policy, error) {
	var row policyRow
	if err := one(db, &row, noPolicy(project), `SELECT * FROM policies WHERE project = ?`, project); err != nil {
		return nil, err
	}
	p, err := row.policy()
	return &p, err
}

// Policies implements engine.PolicyStore.
func (s *Store) Policies(ctx context.Context) ([]engine.Policy, error) {
	var rows []policyRow
	if err := s.read.WithContext(ctx).Raw(`SELECT * FROM policies ORDER BY project`).Scan(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, policyRow.policy)
}

func noPolicy(project string) error {
	return engine.NotFound("%s has no rule", engine.Policy{Project: project}.From())
}

// PutPolicy implements engine.PolicyStore.
func (s *Store) PutPolicy(ctx context.Context, p *engine.Policy, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := was(s, tx, "policies", p.Project, policyOf)
		if err != nil {
			return err
		}
		err = tx.Exec(`INSERT INTO policies (project, source, rule, updated_by, updated_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (project) DO UPDATE SET source = excluded.source, rule = excluded.rule, updated_by = excluded.updated_by, updated_at = excluded.updated_at`,
			p.Project, p.Source, text(p.Rule), p.UpdatedBy, micros(p.UpdatedAt)).Error
		if err != nil {
			return err
		}
		return s.policyChanged(tx, e.Replacing(before))
	})
}

// DeletePolicy implements engine.PolicyStore.
func (s *Store) DeletePolicy(ctx context.Context, project string, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := was(s, tx, "policies", project, policyOf)
		if err != nil {
			return err
		}
		deleted := tx.Exec(`DELETE FROM policies WHERE project = ?`, project)
		if deleted.Error != nil {
			return deleted.Error
		}
		if deleted.RowsAffected == 0 {
			return noPolicy(project)
		}
		return s.policyChanged(tx, e.Replacing(before))
	})
}

// policyChanged has the plans that wait for a freeze looked at again, which are
// few: the freeze may be over now.
func (s *Store) policyChanged(tx *gorm.DB, e engine.Event) error {
	if err := tx.Exec(`UPDATE runs SET release_at = ? WHERE release_at IS NOT NULL`, e.At.UnixMicro()).Error; err != nil {
		return err
	}
	return addEvents(tx, e)
}

// ThawedPlans implements engine.SweepStore.
func (s *Store) ThawedPlans(ctx context.Context, t time.Time, limit int) ([]string, error) {
	var ids []string
	return ids, s.read.WithContext(ctx).Raw(`SELECT id FROM runs WHERE release_at IS NOT NULL AND release_at <= ? AND status = 'planned' ORDER BY release_at LIMIT ?`,
		t.UnixMicro(), limit).Scan(&ids).Error
}
