package store

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type stackRow struct {
	Name, Description, Labels string
	HoldBy, HoldReason        string
	Latest, Applied           int
	HoldAt                    *int64
	CreatedAt, UpdatedAt      *int64
}

func (stackRow) TableName() string { return "stacks" }

func newStackRow(s *engine.Stack) stackRow {
	row := stackRow{Name: s.Name, Description: s.Description, Labels: text(s.Labels), Latest: s.Latest, Applied: s.Applied,
		CreatedAt: micros(s.CreatedAt), UpdatedAt: micros(s.UpdatedAt)}
	if s.Hold != nil {
		row.HoldBy, row.HoldReason, row.HoldAt = s.Hold.By, s.Hold.Reason, micros(s.Hold.At)
	}
	return row
}

func (row stackRow) stack() (*engine.Stack, error) {
	labels, err := parse[map[string]string](row.Labels)
	st := &engine.Stack{
		Name: row.Name, Description: row.Description, Labels: labels, Latest: row.Latest, Applied: row.Applied,
		CreatedAt: instant(row.CreatedAt), UpdatedAt: instant(row.UpdatedAt),
	}
	if row.HoldAt != nil {
		st.Hold = &engine.Hold{By: row.HoldBy, Reason: row.HoldReason, At: instant(row.HoldAt)}
	}
	return st, err
}

func noStack(name string) error { return engine.Missing(engine.ThingStack, name) }

// CreateStack implements engine.StackStore.
func (s *Store) CreateStack(ctx context.Context, st *engine.Stack, e engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		row := newStackRow(st)
		err := tx.Create(&row).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return engine.Conflict("there is a stack %q already", st.Name)
		}
		if err != nil {
			return err
		}
		return addEvents(tx, e)
	})
}

// Stack implements engine.StackStore.
func (s *Store) Stack(ctx context.Context, name string) (*engine.Stack, error) {
	return stackNamed(s.read.WithContext(ctx), name)
}

func stackNamed(db *gorm.DB, name string) (*engine.Stack, error) {
	var row stackRow
	if err := one(db, &row, noStack(name), `SELECT * FROM stacks WHERE name = ?`, name); err != nil {
		return nil, err
	}
	return row.stack()
}

// Stacks implements engine.StackStore.
func (s *Store) Stacks(ctx context.Context, p engine.Page) ([]*engine.Stack, error) {
	var rows []stackRow
	where, args := within("name", p.Within)
	err := s.read.WithContext(ctx).Raw(`SELECT * FROM stacks WHERE name > ? AND `+where+` ORDER BY name LIMIT ?`, around(p.After, args, limit(p))...).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, stackRow.stack)
}

// each turns rows into what the engine knows.
func each[R, T any](rows []R, turn func(R) (T, error)) ([]T, error) {
	out := make([]T, 0, len(rows))
	for _, row := range rows {
		v, err := turn(row)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

type revisionRow struct {
	Stack, Digest, Author, Person, Message, Blueprint string
	Number                                            int
	Sources, Variables                                []byte
	CreatedAt                                         *int64
}

func (revisionRow) TableName() string { return "revisions" }

func revisionID(stack string, number int) string { return stack + "/" + strconv.Itoa(number) }

func (row revisionRow) revision() (*engine.Revision, error) {
	bp, err := parse[engine.Blueprint](row.Blueprint)
	return &engine.Revision{
		Stack: row.Stack, Number: row.Number, Digest: row.Digest, Author: row.Author, Person: row.Person, Message: row.Message,
		Blueprint: bp, CreatedAt: instant(row.CreatedAt),
	}, err
}

// AddRevision implements engine.StackStore.
func (s *Store) AddRevision(ctx context.Context, r *engine.Revision, with engine.Beside, events ...engine.Event) error {
	return s.inTx(ctx, func(tx *gorm.DB) (err error) {
		kept, err := s.replacedVariable(tx, with)
		if err != nil {
			return err
		}
		before, err := was(s, tx, "stacks", r.Stack, stackNamed)
		if err != nil {
			return err
		}
		if r.Number, err = nextRevision(tx, r); err != nil {
			return err
		}
		if with.After > 0 && r.Number != with.After+1 {
			return engine.Conflict("stack %s has another revision since; do it again", r.Stack)
		}
		if err := s.insertRevision(tx, r); err != nil {
			return err
		}
		if err := relink(tx, r.Stack); err != nil {
			return err
		}
		if err := replaceDrift(tx, r.Stack, with.Drift); err != nil {
			return err
		}
		if err := s.changeVariables(tx, r.Stack, with); err != nil {
			return err
		}
		for _, e := range events {
			if err := addEvents(tx, e.Replacing(before).Replacing(kept)); err != nil {
				return err
			}
		}
		return nil
	})
}

// nextRevision makes or updates the stack's row and gives the number.
func nextRevision(tx *gorm.DB, r *engine.Revision) (int, error) {
	at := r.CreatedAt.UnixMicro()
	var number int
	err := tx.Raw(`INSERT INTO stacks (name, description, labels, latest, applied, created_at, updated_at)
		VALUES (?, ?, ?, 1, 0, ?, ?)
		ON CONFLICT (name) DO UPDATE SET description = excluded.description, labels = excluded.labels,
			latest = stacks.latest + 1, updated_at = excluded.updated_at
		RETURNING latest`, r.Stack, r.Blueprint.Description, text(r.Blueprint.Labels), at, at).Scan(&number).Error
	return number, err
}

func (s *Store) insertRevision(tx *gorm.DB, r *engine.Revision) error {
	vars, err := json.Marshal(r.Variables)
	if err != nil {
		return err
	}
	row := revisionRow{Stack: r.Stack, Number: r.Number, Digest: r.Digest, Author: r.Author, Person: r.Person, Message: r.Message,
		Blueprint: text(r.Blueprint), CreatedAt: micros(r.CreatedAt)}
	id := revisionID(r.Stack, r.Number)
	if row.Sources, err = s.seal.Seal("revisions", id, "sources", r.Sources); err != nil {
		return err
	}
	if row.Variables, err = s.seal.Seal("revisions", id, "variables", vars); err != nil {
		return err
	}
	return tx.Create(&row).Error
}

// replaceDrift puts the schedule of the stack's drift block in place of the
// one before. One that says the same keeps its times and whether it is paused.
func replaceDrift(tx *gorm.DB, stack string, next *engine.Schedule) error {
	if next == nil {
		return tx.Exec(`DELETE FROM schedules WHERE stack = ? AND name = 'drift'`, stack).Error
	}
	var same int64
	err := tx.Raw(`SELECT count(*) FROM schedules WHERE stack = ? AND name = 'drift' AND cron = ? AND timezone = ?`,
		stack, next.Cron, next.Timezone).Scan(&same).Error
	if err != nil || same > 0 {
		return err
	}
	if err := tx.Exec(`DELETE FROM schedules WHERE stack = ? AND name = 'drift'`, stack).Error; err != nil {
		return err
	}
	row := newScheduleRow(next)
	return tx.Create(&row).Error
}

// Revision implements engine.StackStore.
func (s *Store) Revision(ctx context.Context, stack string, number int) (*engine.Revision, error) {
	var row revisionRow
	missing := engine.NotFound("stack %q has no revision %d", stack, number)
	err := one(s.read.WithContext(ctx), &row, missing, `SELECT * FROM revisions WHERE stack = ? AND number = ?`, stack, number)
	if err != nil {
		return nil, err
	}
	r, err := row.revision()
	if err != nil {
		return nil, err
	}
	id := revisionID(stack, number)
	if r.Sources, err = s.seal.Unseal("revisions", id, "sources", row.Sources); err != nil {
		return nil, err
	}
	vars, err := s.seal.Unseal("revisions", id, "variables", row.Variables)
	if err != nil {
		return nil, err
	}
	return r, json.Unmarshal(vars, &r.Variables)
}

// Revisions implements engine.StackStore.
func (s *Store) Revisions(ctx context.Context, stack string, p engine.Page) ([]*engine.Revision, error) {
	before := 1 << 30
	if n, err := strconv.Atoi(p.After); err == nil {
		before = n
	}
	var rows []revisionRow
	err := s.read.WithContext(ctx).Raw(`SELECT stack, number, digest, author, person, message, blueprint, created_at FROM revisions
		WHERE stack = ? AND number < ? ORDER BY number DESC LIMIT ?`, stack, before, limit(p)).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, revisionRow.revision)
}
