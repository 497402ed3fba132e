package store

import (
	"context"
	"maps"
	"slices"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

// DeleteStack implements engine.StackStore.
func (s *Store) DeleteStack(ctx context.Context, name string, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		before, err := was(s, tx, "stacks", name, stackNamed)
		if err != nil {
			return err
		}
		if err := s.nextVersion(tx); err != nil {
			return err
		}
		if err := nothingLeft(tx, name); err != nil {
			return err
		}
		if err := change(tx, noStack(name), e.Replacing(before), `DELETE FROM stacks WHERE name = ?`, name); err != nil {
			return err
		}
		return forget(tx, name)
	})
}

// forget removes the roles that were given for a stack, and its webhooks: who
// makes another of that name begins with nothing.
func forget(tx *gorm.DB, stack string) error {
	if err := tx.Exec(`DELETE FROM webhooks WHERE stack = ?`, stack).Error; err != nil {
		return err
	}
	return tx.Exec(`DELETE FROM bindings WHERE stack = ?`, stack).Error
}

// nothingLeft refuses to lose what is under a legal hold, a run under way, what
// another stack reads, a state that somebody has in hand, resources, and a
// playbook whose decommission play has yet to run.
func nothingLeft(tx *gorm.DB, name string) error {
	for _, left := range []func(*gorm.DB, string) error{held, underWay, unread, locked, resourceful, configured} {
		if err := left(tx, name); err != nil {
			return err
		}
	}
	return nil
}

func held(tx *gorm.DB, name string) error {
	var hold string
	err := tx.Raw(`SELECT hold_reason FROM stacks WHERE name = ? AND hold_at IS NOT NULL`, name).Scan(&hold).Error
	if err == nil && hold != "" {
		err = engine.Conflict("stack %s is under a legal hold: %s", name, hold)
	}
	return err
}

func underWay(tx *gorm.DB, name string) error {
	var run string
	err := tx.Raw(`SELECT id FROM runs WHERE stack = ? AND finished_at IS NULL LIMIT 1`, name).Scan(&run).Error
	if err == nil && run != "" {
		err = engine.Conflict("run %s of stack %s is not over", run, name)
	}
	return err
}

func locked(tx *gorm.DB, name string) error {
	var rows []lockRow
	err := tx.Raw(lockQuery+`WHERE l.stack = ? ORDER BY l.component LIMIT 1`, name).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return err
	}
	l, err := rows[0].lock()
	if err != nil {
		return err
	}
	held := &engine.LockedError{Lock: *l}
	if l.Step != "" { // which says itself what to do
		return engine.Conflict("%v", held)
	}
	return engine.Conflict("%v; wait until it is given back, or break the lock: cloudops state unlock %s %s --reason '...'", held, name, l.Component)
}

func resourceful(tx *gorm.DB, name string) error {
	var left []string
	err := tx.Raw(`SELECT component FROM state_versions v WHERE stack = ? AND resources > 0
		AND serial = (SELECT max(serial) FROM state_versions w WHERE w.stack = v.stack AND w.component = v.component)
		ORDER BY component`, name).Scan(&left).Error
	if err == nil && len(left) > 0 {
		err = engine.Conflict("stack %s still has resources, in %s; destroy it first", name, left[0])
	}
	return err
}

// configured finds what a destroy run would still have to do by a playbook: of
// a component that the newest revision has, as it says there; else as it says
// in the revision that is deployed.
func configured(tx *gorm.DB, name string) error {
	at, err := deployed(tx, name)
	if err != nil || len(at) == 0 {
		return err
	}
	var rows []revisionRow
	err = tx.Raw(`SELECT number, blueprint FROM revisions r WHERE stack = ? AND (number IN ? OR number = (SELECT latest FROM stacks WHERE name = r.stack))
		ORDER BY number`, name, slices.Collect(maps.Values(at))).Scan(&rows).Error
	if err != nil {
		return err
	}
	revisions, err := each(rows, revisionRow.revision)
	if err != nil {
		return err
	}
	for _, address := range slices.Sorted(maps.Keys(at)) {
		if c := lastSaid(revisions, address, at[address]); c != nil && c.OnDestroy {
			return engine.Conflict("%s of stack %s is applied, and its decommission play has not run; destroy the stack first", address, name)
		}
	}
	return nil
}

// lastSaid is the component as the newest of the revisions has it, or else the
// one that is deployed.
func lastSaid(revisions []*engine.Revision, address string, deployed int) *engine.Component {
	if n := len(revisions); n > 0 {
		if c := revisions[n-1].Blueprint.Component(address); c != nil {
			return c
		}
	}
	for _, r := range revisions {
		if r.Number == deployed {
			return r.Blueprint.Component(address)
		}
	}
	return nil
}
