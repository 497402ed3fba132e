package store

import (
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

// within is a condition on a column that holds names: that they lie in w. The
// part of a name up to its first dot is its project.
func within(column string, w *engine.Within) (sql string, args []any) {
	if w == nil || w.All {
		return `1 = 1`, nil
	}
	any := []string{`1 = 0`}
	for _, project := range w.Projects {
		if project == engine.DefaultProject {
			any = append(any, column+` <> '' AND `+column+` NOT LIKE '%.%'`)
			continue
		}
		any, args = append(any, `substr(`+column+`, 1, ?) = ?`), append(args, len(project)+1, project+".")
	}
	if len(w.Stacks) > 0 {
		any, args = append(any, column+` IN ?`), append(args, w.Stacks)
	}
	return `(` + strings.Join(any, ` OR `) + `)`, args
}

// withinProjects is within for what belongs to a project as a whole: a role for
// a stack holds for none of it, even where it is called the same.
func withinProjects(column string, w *engine.Within) (sql string, args []any) {
	if w == nil {
		return within(column, nil)
	}
	return within(column, &engine.Within{All: w.All, Projects: w.Projects})
}

// allowed narrows a list to what lies in p.Within.
func allowed(q *gorm.DB, column string, p engine.Page) *gorm.DB {
	if p.Within == nil || p.Within.All {
		return q
	}
	where, args := within(column, p.Within)
	return q.Where(where, args...)
}

// around puts the arguments of a condition between two others.
func around(before any, args []any, after any) []any {
	return slices.Concat([]any{before}, args, []any{after})
}
