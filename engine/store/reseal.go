package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"github.com/cloudops-manager/cloudops/engine"
)

// sealedColumn is a column whose values are sealed.
type sealedColumn struct {
	table, column string
	id            string   // SQL that gives what the seal is bound to, beside table and column
	keys          []string // primary key
}

func (c sealedColumn) String() string { return c.table + "." + c.column }

// sealedColumns lists all of them. A test holds it against the schema.
var sealedColumns = []sealedColumn{
	{"artifacts", "data", `step_id || '/' || name`, []string{"step_id", "name"}},
	{"audit_forwarders", "config", `name`, []string{"name"}},
	{"audit_keys", "private", `id`, []string{"id"}},
	{"certificates", "data", `name`, []string{"name"}},
	{"credentials", "plan_secret", `name`, []string{"name"}},
	{"credentials", "secret", `name`, []string{"name"}},
	{"hooks", "secrets", `id`, []string{"id"}},
	{"hosts", "facts", `id`, []string{"id"}},
	{"idempotency_keys", "answer", `user_name || '/' || key`, []string{"user_name", "key"}},
	{"issuer_keys", "private", `id`, []string{"id"}},
	{"revisions", "sources", `stack || '/' || number`, []string{"stack", "number"}},
	{"revisions", "variables", `stack || '/' || number`, []string{"stack", "number"}},
	{"set_variables", "value", `set_name || '/' || kind || '/' || name`, []string{"set_name", "kind", "name"}},
	{"state_versions", "data", `id`, []string{"id"}},
	{"variables", "value", `stack || '/' || kind || '/' || name`, []string{"stack", "kind", "name"}},
	{"webhooks", "secrets", `id`, []string{"id"}},
}

// SealedCounts implements engine.KeyStore.
func (s *Store) SealedCounts(ctx context.Context) ([]engine.SealedCount, error) {
	var counts []engine.SealedCount
	for _, c := range sealedColumns {
		var rows []struct {
			Tag []byte
			N   int
		}
		err := s.read.WithContext(ctx).Raw(fmt.Sprintf(`SELECT substr(%s, 1, %d) AS tag, count(*) AS n FROM %s WHERE %[1]s IS NOT NULL GROUP BY 1`,
			c.column, engine.KeyTagSize, c.table)).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("count what is sealed in %s: %w", c, err)
		}
		for _, row := range rows {
			counts = append(counts, engine.SealedCount{Column: c.String(), Tag: string(row.Tag), Values: row.N})
		}
	}
	return counts, nil
}

// A batch ends with so many values, or bytes of them.
const (
	resealRows  = 100
	resealBytes = 8 << 20
)

// Reseal implements engine.KeyStore.
func (s *Store) Reseal(ctx context.Context, key int, tag string) (engine.Resealed, error) {
	for _, c := range sealedColumns {
		at, err := s.resealedTo(ctx, c, key)
		if err != nil {
			return engine.Resealed{}, err
		}
		if at.Finished {
			continue
		}
		damaged, err := s.resealBatch(ctx, c, at, tag)
		if err != nil {
			err = fmt.Errorf("seal %s again: %w", c, err)
		}
		return engine.Resealed{Damaged: damaged}, err
	}
	return engine.Resealed{Done: true}, s.db.WithContext(ctx).Exec(`DELETE FROM reseals`).Error
}

// resealRow says how far a column is.
type resealRow struct {
	Place, LastRow string
	KeyID          int
	Finished       bool
}

// resealedTo reads how far a column is; at its beginning for another key.
func (s *Store) resealedTo(ctx context.Context, c sealedColumn, key int) (resealRow, error) {
	row := resealRow{}
	err := s.db.WithContext(ctx).Raw(`SELECT * FROM reseals WHERE place = ? AND key_id = ?`, c.String(), key).Scan(&row).Error
	row.Place, row.KeyID = c.String(), key
	return row, err
}

// resealedValue is a value before and after.
type resealedValue struct {
	row      []any // its primary key
	was, now []byte
	damaged  error // why it does not open; then there is nothing after
}

// resealBatch seals a batch again and notes how far it came, in one
// transaction. A value that somebody writes meanwhile stays as they wrote it.
func (s *Store) resealBatch(ctx context.Context, c sealedColumn, at resealRow, tag string) (damaged []error, err error) {
	values, more, err := s.resealValues(ctx, c, at.LastRow, tag)
	if err != nil {
		return nil, err
	}
	if at.Finished = !more; len(values) > 0 {
		at.LastRow = text(values[len(values)-1].row)
	}
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		where := strings.Join(c.keys, " = ? AND ") + " = ?"
		for _, v := range values {
			if v.damaged != nil {
				damaged = append(damaged, v.damaged)
				continue
			}
			err := tx.Exec(fmt.Sprintf(`UPDATE %s SET %s = ? WHERE %s AND %[2]s = ?`, c.table, c.column, where), append(append([]any{v.now}, v.row...), v.was)...).Error
			if err != nil {
				return err
			}
		}
		return tx.Exec(`INSERT INTO reseals (place, key_id, last_row, finished) VALUES (?, ?, ?, ?)
			ON CONFLICT (place) DO UPDATE SET key_id = excluded.key_id, last_row = excluded.last_row, finished = excluded.finished`,
			at.Place, at.KeyID, at.LastRow, at.Finished).Error
	})
	return damaged, err
}

// resealValues reads the next values behind a row that are not under the key
// with the tag, and seals them again.
func (s *Store) resealValues(ctx context.Context, c sealedColumn, last, tag string) (values []resealedValue, more bool, err error) {
	query, args, err := c.after(last, tag)
	if err != nil {
		return nil, false, err
	}
	rows, err := s.read.WithContext(ctx).Raw(query, args...).Rows()
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	size := 0
	for rows.Next() {
		if len(values) == resealRows || size >= resealBytes {
			return values, true, nil
		}
		v, id := resealedValue{row: make([]any, len(c.keys))}, ""
		into := []any{&id, &v.was}
		for i := range v.row {
			into = append(into, &v.row[i])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, false, err
		}
		if err := s.resealValue(c, id, &v); err != nil {
			return nil, false, err
		}
		values, size = append(values, v), size+len(v.was)
	}
	return values, false, rows.Err()
}

func (s *Store) resealValue(c sealedColumn, id string, v *resealedValue) (err error) {
	plain, err := s.seal.Unseal(c.table, id, c.column, v.was)
	if err != nil {
		v.damaged = err
		return nil
	}
	v.now, err = s.seal.Seal(c.table, id, c.column, plain)
	return err
}

// after is the statement that finds values behind a row, whose key is JSON.
func (c sealedColumn) after(last, tag string) (query string, args []any, err error) {
	keys := strings.Join(c.keys, ", ")
	where, args := fmt.Sprintf("%s IS NOT NULL AND substr(%[1]s, 1, %d) <> ?", c.column, engine.KeyTagSize), []any{[]byte(tag)}
	if last != "" {
		row, err := rowKey(last)
		if err != nil {
			return "", nil, err
		}
		where += fmt.Sprintf(" AND (%s) > (%s)", keys, strings.TrimSuffix(strings.Repeat("?, ", len(row)), ", "))
		args = append(args, row...)
	}
	return fmt.Sprintf(`SELECT %s, %s, %s FROM %s WHERE %s ORDER BY %[3]s LIMIT %[6]d`, c.id, c.column, keys, c.table, where, resealRows+1), args, nil
}

// rowKey reads a row's key; its numbers are whole.
func rowKey(from string) (row []any, err error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(from)))
	dec.UseNumber()
	if err := dec.Decode(&row); err != nil {
		return nil, fmt.Errorf("where to go on: %w", err)
	}
	for i, v := range row {
		if n, ok := v.(json.Number); ok {
			if row[i], err = n.Int64(); err != nil {
				return nil, err
			}
		}
	}
	return row, nil
}
