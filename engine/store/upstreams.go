package store

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

type readerRow struct {
	Stack, Upstream, Outputs, Seen, SeenRun, ChangedRun string
	Follows                                             bool
	Applied                                             int
}

func (row readerRow) reader() (engine.Reader, error) {
	r := engine.Reader{Stack: row.Stack, Upstream: row.Upstream, Trigger: row.Follows, Applied: row.Applied, Change: row.ChangedRun, SeenRun: row.SeenRun}
	var err error
	if r.Outputs, err = parse[[]string](row.Outputs); err != nil {
		return r, err
	}
	r.Seen, err = parse[map[string]string](row.Seen)
	return r, err
}

// readerColumns joins a link with what has to be known of both stacks. The
// upstream may be gone, and be made again under its name.
const readerColumns = `SELECT l.stack, l.upstream, l.follows, l.outputs, l.seen, l.seen_run, s.applied, coalesce(u.changed_run, '') AS changed_run
	FROM stack_upstreams l JOIN stacks s ON s.name = l.stack LEFT JOIN stacks u ON u.name = l.upstream `

// Readers implements engine.UpstreamStore.
func (s *Store) Readers(ctx context.Context, stack string) ([]engine.Reader, error) {
	var rows []readerRow
	if err := s.read.WithContext(ctx).Raw(readerColumns+`WHERE l.upstream = ? ORDER BY l.stack`, stack).Scan(&rows).Error; err != nil {
		return nil, err
	}
	return each(rows, readerRow.reader)
}

// StaleReaders implements engine.UpstreamStore. What nothing is applied of
// follows nothing.
func (s *Store) StaleReaders(ctx context.Context, limit int) ([]engine.Reader, error) {
	var rows []readerRow
	err := s.read.WithContext(ctx).Raw(readerColumns+`WHERE l.seen_run <> u.changed_run AND s.applied > 0 ORDER BY l.stack LIMIT ?`, limit).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return each(rows, readerRow.reader)
}

// SawUpstream implements engine.UpstreamStore.
func (s *Store) SawUpstream(ctx context.Context, r engine.Reader, seen map[string]string) error {
	return s.db.WithContext(ctx).Exec(`UPDATE stack_upstreams SET seen = ?, seen_run = ? WHERE stack = ? AND upstream = ? AND seen_run = ?`,
		text(seen), r.Change, r.Stack, r.Upstream, r.SeenRun).Error
}

// relink makes the links of the stack those of the newest revision and of the one
// that is applied: an upstream is in use until something else is.
func relink(tx *gorm.DB, stack string) error {
	var blueprints []string
	err := tx.Raw(`SELECT r.blueprint FROM revisions r JOIN stacks s ON s.name = r.stack
		WHERE r.stack = ? AND (r.number = s.latest OR r.number = s.applied)`, stack).Scan(&blueprints).Error
	if err != nil {
		return err
	}
	var upstreams []engine.Upstream
	for _, text := range blueprints {
		bp, err := parse[engine.Blueprint](text)
		if err != nil {
			return err
		}
		upstreams = append(upstreams, bp.Upstreams...)
	}
	return replaceUpstreams(tx, stack, upstreams)
}

// replaceUpstreams makes the links of the stack. What one that stays has seen is kept.
func replaceUpstreams(tx *gorm.DB, stack string, upstreams []engine.Upstream) error {
	links := map[string]engine.Upstream{}
	names := []string{""}
	for _, u := range upstreams {
		l := links[u.Stack]
		l.Trigger = l.Trigger || u.Trigger
		l.Outputs = append(l.Outputs, u.Outputs...)
		links[u.Stack] = l
		names = append(names, u.Stack)
	}
	if err := tx.Exec(`DELETE FROM stack_upstreams WHERE stack = ? AND upstream NOT IN ?`, stack, names).Error; err != nil {
		return err
	}
	for name, l := range links {
		slices.Sort(l.Outputs)
		err := tx.Exec(`INSERT INTO stack_upstreams (stack, upstream, follows, outputs, seen, seen_run) VALUES (?, ?, ?, ?, '{}', '')
			ON CONFLICT (stack, upstream) DO UPDATE SET follows = excluded.follows, outputs = excluded.outputs`,
			stack, name, l.Trigger, text(slices.Compact(l.Outputs))).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// unread refuses to lose a stack that others read.
func unread(tx *gorm.DB, name string) error {
	var reader string
	err := tx.Raw(`SELECT stack FROM stack_upstreams WHERE upstream = ? ORDER BY stack LIMIT 1`, name).Scan(&reader).Error
	if err == nil && reader != "" {
		err = engine.Conflict("stack %s reads the outputs of %s; take its upstream block out first", reader, name)
	}
	return err
}
