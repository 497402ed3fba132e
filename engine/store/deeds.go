package store

import (
	"context"
	"fmt"
	"slices"

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
	if err != nil {
		return nil, err
	}
	kept, err := s.keptDeeds(ctx, stack, base.PlanningAt)
	kept = slices.DeleteFunc(kept, func(k engine.Deed) bool {
		return slices.ContainsFunc(changes, func(d engine.Deed) bool { return d.By == k.By && d.Did == k.Did })
	})
	return slices.Concat(deeds, changes, kept), err
}

// keptDeeds reads who wrote the values that are kept, since a time in
// microseconds. The log says more, but its beginning may have been removed.
func (s *Store) keptDeeds(ctx context.Context, stack string, since int64) ([]engine.Deed, error) {
	var rows []struct{ UpdatedBy, Name, SetName string }
	err := s.read.WithContext(ctx).Raw(`SELECT updated_by, name, '' AS set_name FROM variables WHERE stack = ? AND updated_at >= ?
		UNION ALL SELECT updated_by, name, set_name FROM set_variables WHERE updated_at >= ?
		UNION ALL SELECT updated_by, '', name FROM variable_sets WHERE updated_at >= ? ORDER BY 3, 2`, stack, since, since, since).Scan(&rows).Error
	var deeds []engine.Deed
	for _, row := range rows {
		deeds = append(deeds, engine.KeptDeed(row.UpdatedBy, row.Name, row.SetName))
	}
	return deeds, err
}

// Begun implements engine.DeedStore.
func (s *Store) Begun(ctx context.Context, stack string) (revisions []int, err error) {
	return revisions, s.read.WithContext(ctx).Raw(`SELECT DISTINCT revision FROM runs WHERE stack = ? AND kind = 'apply' AND applying_at IS NOT NULL
		AND id > coalesce((SELECT max(id) FROM runs WHERE stack = ? AND kind IN ('apply', 'destroy') AND status = 'succeeded' AND NOT partial), '')
		ORDER BY revision`, stack, stack).Scan(&revisions).Error
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
