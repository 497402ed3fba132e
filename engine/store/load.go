package store

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// Load fills an empty database with a dump, of this or an older version, from
// any kind of database, and brings it to this version. It returns the number of
// rows by table. Where something is wrong, no row is there after.
func (s *Store) Load(ctx context.Context, r io.Reader) (map[string]int, error) {
	l := &loader{ctx: ctx, postgres: s.postgres, lines: bufio.NewReaderSize(r, 1<<20), end: dumpEnd{Rows: map[string]int{}}}
	head, err := l.head()
	if err != nil {
		return nil, err
	}
	latest, err := s.latestSchema()
	if err != nil {
		return nil, err
	}
	if head.Schema > latest {
		return nil, engine.Invalid("the backup has schema %d, this program knows %d: restore with the version that made it, or a newer one", head.Schema, latest)
	}
	if err := s.migrate(ctx, head.Schema); err != nil {
		return nil, err
	}
	pool, err := s.db.DB()
	if err != nil {
		return nil, err
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	defer tx.Rollback()
	l.tx = tx
	if err := l.all(); err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return l.end.Rows, s.Migrate(ctx)
}

type loader struct {
	ctx      context.Context
	postgres bool
	tx       *sql.Tx
	lines    *bufio.Reader
	table    dumpTable
	insert   *sql.Stmt
	end      dumpEnd // as it was counted
}

// line reads one line of a dump.
func (l *loader) line() ([]byte, error) {
	b, err := l.lines.ReadBytes('\n')
	if err == io.EOF {
		return nil, engine.Invalid("the backup ends too early; it is not whole")
	}
	return b, err
}

func (l *loader) head() (dumpHead, error) {
	var head dumpHead
	b, err := l.line()
	if err != nil {
		return head, err
	}
	if json.Unmarshal(b, &head) != nil || head.Format != dumpFormat {
		return head, engine.Invalid("this is no backup of CloudOps Manager, or one of a newer version")
	}
	return head, nil
}

func (l *loader) all() error {
	for {
		b, err := l.line()
		if err != nil {
			return err
		}
		var end dumpEnd
		switch {
		case b[0] == '[':
			err = l.row(b)
		case json.Unmarshal(b, &end) == nil && end.End:
			return l.finish(end)
		default:
			err = l.begin(b)
		}
		if err != nil {
			return fmt.Errorf("load of %s: %w", l.table.Table, err)
		}
	}
}

// begin takes the head of a table's rows.
func (l *loader) begin(line []byte) error {
	l.table = dumpTable{}
	if err := json.Unmarshal(line, &l.table); err != nil || !slices.Contains(tables, l.table.Table) {
		return engine.Invalid("the backup is damaged: %.80q", line)
	}
	var there int
	if err := l.tx.QueryRowContext(l.ctx, `SELECT count(*) FROM (SELECT 1 FROM `+l.table.Table+` LIMIT 1) t`).Scan(&there); err != nil {
		return err
	}
	if there > 0 {
		return engine.Conflict("the database is not empty; restore into an empty one")
	}
	names, marks := make([]string, len(l.table.Columns)), make([]string, len(l.table.Columns))
	for i, c := range l.table.Columns {
		names[i], marks[i] = `"`+strings.ReplaceAll(c, `"`, ``)+`"`, "?"
		if l.postgres {
			marks[i] = "$" + strconv.Itoa(i+1)
		}
	}
	overriding := ""
	if l.postgres {
		overriding = " OVERRIDING SYSTEM VALUE" // numbers that the database gives else
	}
	var err error
	l.end.Rows[l.table.Table] = 0
	l.insert, err = l.tx.PrepareContext(l.ctx, fmt.Sprintf(`INSERT INTO %s (%s)%s VALUES (%s)`, l.table.Table, strings.Join(names, ", "), overriding, strings.Join(marks, ", ")))
	return err
}

func (l *loader) row(line []byte) error {
	var values []any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&values); err != nil || len(values) != len(l.table.Columns) {
		return engine.Invalid("the backup is damaged: a row has %d columns, not %d", len(values), len(l.table.Columns))
	}
	for i, column := range l.table.Columns {
		var err error
		if values[i], err = restored(values[i], slices.Contains(l.table.Bytes, column)); err != nil {
			return err
		}
	}
	l.end.Rows[l.table.Table]++
	_, err := l.insert.ExecContext(l.ctx, values...)
	return err
}

// restored is a column's value as the database has it.
func restored(v any, bytes bool) (any, error) {
	switch v := v.(type) {
	case json.Number:
		return v.Int64()
	case string:
		if bytes {
			return base64.StdEncoding.DecodeString(v)
		}
	}
	return v, nil
}

// finish checks that all rows came and lets numbers go on behind theirs.
func (l *loader) finish(end dumpEnd) error {
	if !maps.Equal(end.Rows, l.end.Rows) {
		return engine.Invalid("the backup is damaged: it has not the rows that it should have")
	}
	if !l.postgres {
		return nil
	}
	for _, table := range []string{"approvals", "events", "outbox"} {
		next := fmt.Sprintf(`SELECT setval(pg_get_serial_sequence('%[1]s', 'id'), coalesce(max(id), 0) + 1, false) FROM %[1]s`, table) // #nosec G201 -- the names above
		if _, err := l.tx.ExecContext(l.ctx, next); err != nil {
			return fmt.Errorf("load of %s: %w", table, err)
		}
	}
	return nil
}
