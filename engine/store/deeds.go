package store

import (
	"context"
	"fmt"

	"github.com/cloudops-manager/cloudops/engine"
)

// Deeds implements engine.DeedStore.
func (s *Store) Deeds(ctx context.Context, stack string, revision int, run string) ([]engine.Deed, error) {
	db := s.read.WithContext(ctx)
	var base struct {
		Revision   int
		PlanningAt int64
	}
	// A destroy brings nothing of its revision, and a run that found nothing to
	// change was looked at by nobody. A variable that was changed while a run was
	// planned may not be in it.
	err := db.Raw(`SELECT revision, coalesce(planning_at, created_at) AS planning_at FROM runs
		WHERE stack = ? AND kind = 'apply' AND status = 'succeeded' AND NOT partial AND approved_at IS NOT NULL AND id < ? ORDER BY id DESC LIMIT 1`, stack, run).Scan(&base).Error
	if err != nil {
		return nil, err
	}
	var revisions []struct {
		Number         int
		Author, Person string
	}
	err = db.Raw(`SELECT number, author, person FROM revisions WHERE stack = ? AND (number > ? AND number <= ? OR number = ?) ORDER BY number DESC`,
		stack, base.Revision, revision, revision).Scan(&revisions).Error
	if err != nil {
		return nil, err
	}
	var deeds []engine.Deed
	for _, r := range revisions {
		deeds = append(deeds, engine.Deed{By: r.Author, Person: r.Person, Did: fmt.Sprintf("wrote revision %d", r.Number)})
	}
	changes, err := s.variableDeeds(ctx, stack, base.PlanningAt)
	return append(deeds, changes...), err
}

// variableDeeds reads who changed values that are kept for the stack, or for
// several, since a time in microseconds.
func (s *Store) variableDeeds(ctx context.Context, stack string, since int64) ([]engine.Deed, error) {
	var rows []struct{ Actor, Action, Detail string }
	err := s.read.WithContext(ctx).Raw(`SELECT actor, action, detail FROM events WHERE action IN ('variable.set', 'variable.unset',
		'variable-set.set', 'variable-set.unset', 'variable-set.put', 'variable-set.delete') AND at >= ? AND stack IN (?, '') ORDER BY id DESC`,
		since, stack).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	var deeds []engine.Deed
	for _, row := range rows {
		if d, ok := engine.ParseDeed(engine.Event{Actor: row.Actor, Action: row.Action, Detail: []byte(row.Detail)}); ok {
			deeds = append(deeds, d)
		}
	}
	return deeds, nil
}
