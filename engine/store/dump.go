package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// tables lists all tables, each behind those that it refers to.
var tables = []string{
	"users", "identities", "tokens", "sessions", "device_logins", "directory", "projects", "teams", "team_members", "roles", "bindings", "policies", "credentials", "data_keys", "stacks", "variables", "variable_sets", "set_variables", "stack_upstreams", "revisions", "runs", "steps", "approvals", "artifacts",
	"log_chunks", "state_versions", "state_locks", "findings", "hosts", "schedules", "events", "audit_head", "audit_keys", "audit_checkpoints", "audit_drops", "audit_forwarders", "idempotency_keys", "outbox", "beats", "chores", "issuer_keys", "reseals",
	"certificates", "webhooks", "deliveries", "webhook_cursor", "hooks", "hook_calls",
}

// dumpHead is the first line of a dump. A dump is JSON, a line each: the head;
// for each table a dumpTable and its rows as arrays, bytes in base64; and at
// the end a dumpEnd, without which a dump is not whole. It is the same for all
// databases.
type dumpHead struct {
	Format int       `json:"cloudops_dump"`
	Schema int64     `json:"schema"` // number of the last migration
	At     time.Time `json:"at"`
}

type dumpTable struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
	Bytes   []string `json:"bytes,omitempty"` // columns that hold bytes

	bools []string // columns that hold truths, which SQLite has as numbers
}

type dumpEnd struct {
	End  bool           `json:"end"`
	Rows map[string]int `json:"rows"` // by table
}

const dumpFormat = 1

// Dump writes all that the database holds as it is at one moment, while others
// go on writing, and returns the number of rows by table.
func (s *Store) Dump(ctx context.Context, w io.Writer) (map[string]int, error) {
	pool, err := s.read.DB()
	if err != nil {
		return nil, err
	}
	tx, err := pool.BeginTx(ctx, s.snapshot())
	if err != nil {
		return nil, fmt.Errorf("dump: %w", err)
	}
	defer tx.Rollback()
	d := &dumper{ctx: ctx, tx: tx, to: json.NewEncoder(w)}
	head := dumpHead{Format: dumpFormat, At: time.Now().UTC()}
	if err := tx.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&head.Schema); err != nil {
		return nil, fmt.Errorf("dump: %w", err)
	}
	latest, err := s.latestSchema()
	if err != nil {
		return nil, err
	}
	if latest != head.Schema {
		return nil, engine.Conflict("the database has schema %d and this program %d: back up with the version that runs on it", head.Schema, latest)
	}
	if err := d.to.Encode(head); err != nil {
		return nil, err
	}
	end := dumpEnd{End: true, Rows: map[string]int{}}
	for _, table := range tables {
		if end.Rows[table], err = d.table(table); err != nil {
			return nil, fmt.Errorf("dump of %s: %w", table, err)
		}
	}
	return end.Rows, d.to.Encode(end)
}

// snapshot is the transaction that sees one moment. SQLite's all do.
func (s *Store) snapshot() *sql.TxOptions {
	if s.postgres {
		return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	return nil
}

type dumper struct {
	ctx context.Context
	tx  *sql.Tx
	to  *json.Encoder
}

func (d *dumper) table(name string) (n int, err error) {
	rows, err := d.tx.QueryContext(d.ctx, `SELECT * FROM `+name) // #nosec G202 -- a name of the list above
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	head, err := describeTable(name, rows)
	if err != nil {
		return 0, err
	}
	if err := d.to.Encode(head); err != nil {
		return 0, err
	}
	values, into := make([]any, len(head.Columns)), make([]any, len(head.Columns))
	for i := range values {
		into[i] = &values[i]
	}
	for ; rows.Next(); n++ {
		if err := rows.Scan(into...); err != nil {
			return n, err
		}
		for i, column := range head.Columns {
			values[i] = head.plain(column, values[i])
		}
		if err := d.to.Encode(values); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}

func describeTable(name string, rows *sql.Rows) (dumpTable, error) {
	types, err := rows.ColumnTypes()
	t := dumpTable{Table: name}
	for _, c := range types {
		t.Columns = append(t.Columns, c.Name())
		switch kind := strings.ToUpper(c.DatabaseTypeName()); kind {
		case "BLOB", "BYTEA":
			t.Bytes = append(t.Bytes, c.Name())
		case "BOOL", "BOOLEAN":
			t.bools = append(t.bools, c.Name())
		}
	}
	return t, err
}

// plain is a column's value as JSON has it.
func (t dumpTable) plain(column string, v any) any {
	switch v := v.(type) {
	case []byte:
		if slices.Contains(t.Bytes, column) {
			return base64.StdEncoding.EncodeToString(v)
		}
		return string(v)
	case int64:
		if slices.Contains(t.bools, column) {
			return v != 0
		}
	}
	return v
}
