package store_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
)

var update = flag.Bool("update", false, "write docs/schema.sql")

// names is what a query for one column of text gives.
func names(t testing.TB, s *store.Store, query string) (list []string) {
	t.Helper()
	rows := got(got(s.SQL())(t).QueryContext(t.Context(), query))(t)
	defer rows.Close()
	for rows.Next() {
		var name string
		must(t, rows.Scan(&name))
		list = append(list, name)
	}
	must(t, rows.Err())
	return list
}

func TestSchemaIsDumped(t *testing.T) {
	const path = "../../docs/schema.sql"
	s := open(t, sqliteURL(t))
	tables := names(t, s, `SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'sqlite_%'
		AND tbl_name <> 'goose_db_version' ORDER BY tbl_name, type DESC, name`)
	want := "-- The schema on SQLite, dumped by TestSchemaIsDumped. PostgreSQL has the same tables and columns.\n\n" +
		strings.Join(tables, ";\n\n") + ";\n"
	if *update {
		must(t, os.WriteFile(path, []byte(want), 0o644))
		return
	}
	if have := got(os.ReadFile(path))(t); string(have) != want {
		t.Errorf("%s is not the schema; run go test ./engine/store -run TestSchemaIsDumped -update:\n%s",
			path, difference(strings.Split(string(have), "\n"), strings.Split(want, "\n")))
	}
}

func migration(t testing.TB, dialect string) string {
	t.Helper()
	var all strings.Builder
	for _, path := range migrations(t, dialect) {
		all.Write(got(os.ReadFile(filepath.Join("migrations", dialect, path)))(t))
	}
	return all.String()
}

func migrations(t testing.TB, dialect string) []string {
	t.Helper()
	return got(fs.Glob(os.DirFS(filepath.Join("migrations", dialect)), "*.sql"))(t)
}

// allowed lists what the CHECK of a column takes, in the table's definition.
func allowed(t testing.TB, sql, table, column string) []string {
	t.Helper()
	_, rest, _ := strings.Cut(sql, "CREATE TABLE "+table+" (")
	rest, _, _ = strings.Cut(rest, "\n);")
	list := regexp.MustCompile(`CHECK \(` + column + ` IN \(([^)]*)\)`).FindStringSubmatch(rest)
	if list == nil {
		t.Fatalf("table %s has no CHECK on column %s", table, column)
	}
	var values []string
	for _, value := range regexp.MustCompile(`'(\w+)'`).FindAllStringSubmatch(list[1], -1) {
		values = append(values, value[1])
	}
	slices.Sort(values)
	return values
}

// sorted is a list of the engine as the database has it.
func sorted[T ~string](list ...T) []string {
	values := make([]string, len(list))
	for i, v := range list {
		values[i] = string(v)
	}
	slices.Sort(values)
	return values
}

// known picks those of the words in Go source that are a status.
func known[S ~string](t testing.TB, isKnown func(S) bool) []string {
	t.Helper()
	var list []S
	for _, word := range regexp.MustCompile(`"(\w+)"`).FindAllStringSubmatch(string(got(os.ReadFile("../status.go"))(t)), -1) {
		if s := S(word[1]); isKnown(s) && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return sorted(list...)
}

func TestChecksTakeWhatTheEngineKnows(t *testing.T) {
	kinds := []engine.RunKind{engine.RunApply, engine.RunDestroy, engine.RunPreview, engine.RunDrift}
	for _, dialect := range []string{"sqlite", "postgres"} {
		t.Run(dialect, func(t *testing.T) {
			sql := migration(t, dialect)
			wantEqual(t, allowed(t, sql, "runs", "status"), known(t, engine.RunStatus.Known))
			wantEqual(t, allowed(t, sql, "steps", "status"), known(t, engine.StepStatus.Known))
			wantEqual(t, allowed(t, sql, "runs", "kind"), sorted(kinds...))
			wantEqual(t, allowed(t, sql, "schedules", "kind"), sorted(kinds...))
			wantEqual(t, allowed(t, sql, "runs", "cause"), sorted(engine.TriggerManual, engine.TriggerSchedule, engine.TriggerDrift))
			wantEqual(t, allowed(t, sql, "credentials", "cloud"), sorted(engine.Clouds()...))
			wantEqual(t, allowed(t, sql, "approvals", "verdict"), sorted(engine.Approved, engine.Discarded))
		})
	}
}

func TestBothDatabasesHaveTheSameMigrations(t *testing.T) {
	wantEqual(t, migrations(t, "sqlite"), migrations(t, "postgres"))
}

func TestBothDatabasesHaveTheSameColumnsAndIndexes(t *testing.T) {
	lite, pg := open(t, sqliteURL(t)), open(t, postgres(t))
	columns := [2][]string{
		names(t, lite, `SELECT m.name || '.' || c.name || CASE WHEN c."notnull" OR c.pk THEN ' NOT NULL' ELSE '' END
			FROM sqlite_master m, pragma_table_info(m.name) c
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'goose_db_version'`),
		names(t, pg, `SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
			FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'goose_db_version'`),
	}
	indexes := [2][]string{
		names(t, lite, `SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`),
		names(t, pg, `SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey' AND indexname NOT LIKE '%_key'`),
	}
	for _, both := range [][2][]string{columns, indexes} {
		slices.Sort(both[0])
		slices.Sort(both[1])
		wantEqual(t, both[0], both[1])
	}
}

func TestDatabaseRefusesWhatTheEngineNeverDoes(t *testing.T) {
	tests := map[string]string{
		"a status that nobody knows":           `UPDATE runs SET status = 'paused'`,
		"a step status that nobody knows":      `UPDATE steps SET status = 'paused'`,
		"a plan that was not looked at":        `UPDATE runs SET status = 'approved', digest = ''`,
		"an apply of a preview":                `UPDATE runs SET status = 'applying', digest = 'd', kind = 'preview'`,
		"a lease on a step that nobody has":    `UPDATE steps SET status = 'queued', lease_until = 1`,
		"a step in hand without a lease":       `UPDATE steps SET status = 'applying', lease_until = NULL`,
		"a place in the queue for a done step": `UPDATE steps SET status = 'applied', ready_at = 1`,
		"a run of no stack":                    `UPDATE runs SET stack = 'none'`,
		"a person who may do anything":         `INSERT INTO users (name, role, password_hash, disabled, created_at) VALUES ('eve', 'root', '', FALSE, 1)`,
		"a way in for nobody":                  `INSERT INTO device_logins (device_hash, user_code, client, address, status, created_at, expires_at) VALUES ('h', 'c', '', '', 'granted', 1, 2)`,
	}
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		aStep(t, s)
		for name, sql := range tests {
			t.Run(name, func(t *testing.T) {
				_, err := got(s.SQL())(t).ExecContext(t.Context(), sql)
				if err == nil || !strings.Contains(err.Error(), "constraint") {
					t.Errorf("error = %v, want that of a constraint", err)
				}
			})
		}
	})
}
