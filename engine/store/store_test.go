package store_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/store"
	"github.com/cloudops-manager/cloudops/engine/vault"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// atEnd is what has to be undone once all tests are over.
var atEnd []func()

func TestMain(m *testing.M) {
	code := m.Run()
	for _, undo := range atEnd {
		undo()
	}
	os.Exit(code)
}

// lasting is a test whose cleanups wait for the end of the process.
type lasting struct{ testing.TB }

func (lasting) Cleanup(undo func()) { atEnd = append([]func(){undo}, atEnd...) }

// postgres gives an empty database on the server that all tests share. The
// first test to need it starts it.
func postgres(t testing.TB) string {
	t.Helper()
	const server = "CLOUDOPS_TEST_POSTGRES"
	if os.Getenv(server) == "" {
		url := enginetest.Postgres(lasting{t})
		os.Setenv(server, url)
		lasting{t}.Cleanup(func() { os.Unsetenv(server) })
	}
	return enginetest.Postgres(t)
}

func sqliteURL(t testing.TB) string { return "sqlite://" + filepath.Join(t.TempDir(), "cloudops.db") }

// eachDatabase runs the test with an empty store in SQLite and in PostgreSQL.
func eachDatabase(t *testing.T, do func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { do(t, open(t, sqliteURL(t))) })
	t.Run("postgres", func(t *testing.T) { do(t, open(t, postgres(t))) })
}

func connect(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func open(t testing.TB, url string) *store.Store {
	t.Helper()
	s := connect(t, url)
	must(t, s.Migrate(t.Context()))
	v, err := vault.Open(t.Context(), vault.Options{KeyFile: filepath.Join(t.TempDir(), "key"), Keys: s})
	must(t, err)
	s.UseSealer(v)
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// got takes the two results of a call that has to succeed.
func got[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func wantKind(t testing.TB, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("error = %v, want kind %q", err, kind)
	}
}

// wantEqual compares all fields; an empty list or map is not a missing one.
func wantEqual(t testing.TB, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got and want differ:\n%s", difference(show(got), show(want)))
	}
}

func show(v any) []string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return []string{err.Error()}
	}
	return strings.Split(string(b), "\n")
}

func difference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return "got  " + got[i] + "\nwant " + want[i]
		}
	}
	return "got  " + strings.Join(got, "") + "\nwant " + strings.Join(want, "")
}

// filler gives every exported field of a value something other than zero, so
// that one which is not kept is noticed.
type filler int

func (f *filler) fill(v any) { f.value(reflect.ValueOf(v).Elem()) }

func (f *filler) value(v reflect.Value) {
	*f++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(noon.Add(time.Duration(*f) * time.Microsecond)))
		return
	case json.RawMessage:
		v.SetBytes([]byte(`{"n":` + strings.Repeat("1", 1+int(*f)%9) + `}`))
		return
	}
	f.kind(v)
}

func (f *filler) kind(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("text-" + strings.Repeat("x", int(*f)%20) + "é'%")
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*f))
	case reflect.Uint8:
		v.SetUint(uint64(*f))
	case reflect.Bool:
		v.SetBool(true)
	default:
		f.compound(v)
	}
}

func (f *filler) compound(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.value(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.value(v.Index(0))
		f.value(v.Index(1))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.value(key)
		f.value(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				f.value(v.Field(i))
			}
		}
	default:
		panic("cannot fill a " + v.Type().String())
	}
}

// event is something that happened to a stack.
func event(action, stack string) engine.Event {
	return engine.Event{At: noon, Actor: "ada", Action: action, Stack: stack, Subject: stack}
}

func newStack(t testing.TB, s *store.Store, name string) {
	t.Helper()
	must(t, s.CreateStack(t.Context(), &engine.Stack{Name: name, CreatedAt: noon, UpdatedAt: noon}, event("stack.create", name)))
}

// actions lists what the audit log says of a stack, oldest first.
func actions(t testing.TB, s *store.Store, stack string) []string {
	t.Helper()
	var list []string
	for _, e := range got(s.Events(t.Context(), engine.EventFilter{Stack: stack}, engine.Page{Limit: 1000}))(t) {
		list = append([]string{e.Action}, list...)
	}
	return list
}

func TestOpenTellsWhatAURLStartsWith(t *testing.T) {
	_, err := store.Open(t.Context(), store.Options{URL: "mysql://localhost/x"})
	wantKind(t, err, engine.ErrInvalid)
}

func TestOpenHidesThePasswordOfTheURL(t *testing.T) {
	_, err := store.Open(t.Context(), store.Options{
		URL: "postgres://ada:hunter2@127.0.0.1:1/none?connect_timeout=1"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error = %v, want one without the password", err)
	}
}

func TestSQLiteTakesAnyPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b%20c?d#e.db")
	s := open(t, "sqlite://"+path)
	must(t, s.Ping(t.Context()))
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestStateThatWasAcknowledgedIsOnTheDisk(t *testing.T) {
	s := open(t, sqliteURL(t))
	var level int
	must(t, got(s.SQL())(t).QueryRowContext(t.Context(), `PRAGMA synchronous`).Scan(&level))
	wantEqual(t, level, 2) // FULL: https://www.sqlite.org/pragma.html#pragma_synchronous
}

func TestMigrateTwiceChangesNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		must(t, s.Migrate(t.Context()))
		got(s.Stack(t.Context(), "shop"))(t)
	})
}

func TestProcessesThatStartTogetherMigrateOnce(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqliteURL, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			address, errs := url(t), make(chan error)
			for range 4 {
				s := connect(t, address)
				go func() { errs <- s.Migrate(t.Context()) }()
			}
			for range 4 {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
		})
	}
}
