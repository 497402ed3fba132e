package store

import (
	"context"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

// Events implements engine.EventStore.
func (s *Store) Events(ctx context.Context, f engine.EventFilter, p engine.Page) ([]*engine.Event, error) {
	q := s.read.WithContext(ctx).Table("events").Order("id DESC").Limit(limit(p))
	if after, err := strconv.ParseInt(p.After, 10, 64); err == nil {
		q = q.Where("id < ?", after)
	}
	f.Within = p.Within
	var rows []eventRow
	if err := s.matching(q, f).Find(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, eventRow.event)
}

// matching narrows events by a filter.
func (s *Store) matching(q *gorm.DB, f engine.EventFilter) *gorm.DB {
	for column, value := range map[string]string{"stack": f.Stack, "actor": f.Actor, "run_id": f.Run, "subject": f.Subject, "address": f.Address, "request": f.Request} {
		if value != "" {
			q = q.Where(column+" = ?", value)
		}
	}
	if f.Project != "" {
		q = ofThese(q, &engine.Within{Projects: []string{f.Project}})
	}
	return ofThese(s.actionLike(during(q, f), f), f.Within)
}

// ofThese narrows events to those of stacks in w, and of its projects themselves.
func ofThese(q *gorm.DB, w *engine.Within) *gorm.DB {
	if w == nil || w.All {
		return q
	}
	where, args := within("stack", w)
	if len(w.Projects) > 0 {
		where, args = "("+where+" OR project IN ?)", append(args, w.Projects)
	}
	return q.Where(where, args...)
}

func during(q *gorm.DB, f engine.EventFilter) *gorm.DB {
	if !f.From.IsZero() {
		q = q.Where("at >= ?", f.From.UnixMicro())
	}
	if !f.To.IsZero() {
		q = q.Where("at < ?", f.To.UnixMicro())
	}
	return q
}

// actionLike narrows by the action, whose index knows beginnings, and by text,
// which has none.
func (s *Store) actionLike(q *gorm.DB, f engine.EventFilter) *gorm.DB {
	if f.Action != "" {
		column := "action"
		if s.postgres {
			column = `action COLLATE "C"`
		}
		// A slash comes right behind a dot.
		q = q.Where("("+column+" = ? OR "+column+" >= ? AND "+column+" < ?)", f.Action, f.Action+".", f.Action+"/")
	}
	if f.Text != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(f.Text)) + "%"
		q = q.Where(`lower(subject || ' ' || detail || ' ' || before || ' ' || after) LIKE ? ESCAPE '\'`, like)
	}
	return q
}
