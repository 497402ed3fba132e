package store_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
	"github.com/cloudops-manager/cloudops/engine/vault"
)

func TestSealedColumnsAreThoseOfTheSchema(t *testing.T) {
	schema := string(got(os.ReadFile("../../docs/schema.sql"))(t))
	marked := []string{"credentials.plan_secret"} // SQLite drops what is said behind a column that comes later
	for _, table := range regexp.MustCompile(`(?ms)^CREATE TABLE (\w+) \((.*?)^\)?`).FindAllStringSubmatch(schema+"\n", -1) {
		body, _, _ := strings.Cut(schema[strings.Index(schema, table[0]):], ";\n")
		for _, column := range regexp.MustCompile(`(\w+) +BLOB[^\n]*-- sealed`).FindAllStringSubmatch(body, -1) {
			marked = append(marked, table[1]+"."+column[1])
		}
	}
	slices.Sort(marked)
	if len(marked) == 0 {
		t.Fatal("the schema marks no column as sealed")
	}
	wantEqual(t, store.SealedColumns(), marked)
}

// process is one of several that use a database, with a clock that they share.
type process struct {
	*store.Store
	vault *vault.Vault
	keys  *engine.Keys
}

type clock struct{ past atomic.Int64 }

func (c *clock) now() time.Time          { return noon.Add(time.Duration(c.past.Load())) }
func (c *clock) advance(d time.Duration) { c.past.Add(int64(d)) }
func (c *clock) process(t testing.TB, url, key string) *process {
	t.Helper()
	p := &process{Store: connect(t, url)}
	must(t, p.Migrate(t.Context()))
	p.vault = got(vault.Open(t.Context(), vault.Options{Key: key, Keys: p.Store, Now: c.now}))(t)
	p.UseSealer(p.vault)
	p.keys = &engine.Keys{Store: p.Store, Ring: p.vault, Now: c.now, Log: slog.New(slog.DiscardHandler)}
	return p
}

func (p *process) statuses(t testing.TB) (all []engine.KeyStatus) {
	t.Helper()
	for _, k := range got(p.keys.List(t.Context()))(t) {
		all = append(all, k.Status)
	}
	return all
}

// under counts the values under each key.
func (p *process) under(t testing.TB) map[int]int {
	t.Helper()
	counts := map[int]int{}
	for _, u := range got(p.keys.Usage(t.Context()))(t) {
		counts[u.Key] += u.Values
	}
	return counts
}

func (p *process) dumped(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	got(p.Dump(t.Context(), &b))(t)
	return b.Bytes()
}

// tagged counts what a dump has of values under a key.
func tagged(dump []byte, tag string) int {
	// Four bytes of the five are three whole characters and a part of the next ones.
	return bytes.Count(dump, []byte(`"`+base64.StdEncoding.EncodeToString([]byte(tag + "\x00"))[:6]))
}

var ada = engine.Principal{User: "ada"}

func eachURL(t *testing.T, do func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { do(t, sqliteURL(t)) })
	t.Run("postgres", func(t *testing.T) { do(t, postgres(t)) })
}

// many is more artifacts than one batch holds.
const many = 230

func fillArtifacts(t testing.TB, s *store.Store) (step string) {
	t.Helper()
	full(t, s)
	run := begun(t, "lab", engine.RunDrift, noon)
	must(t, s.CreateRun(t.Context(), run))
	step = run.Steps[0].ID
	for i := range many {
		must(t, s.PutArtifact(t.Context(), step, fmt.Sprint("a", i), []byte(secret)))
	}
	return step
}

func TestKeysAreRotatedUnderWriters(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		c, key := &clock{}, got(vault.NewMasterKey())(t)
		a, b := c.process(t, url, key), c.process(t, url, key)
		step := fillArtifacts(t, a.Store)
		before, print := a.dumped(t), a.vault.Fingerprint([]byte("x"))
		oldTag := a.vault.Tag(1)
		if tagged(before, oldTag) < many {
			t.Fatalf("the dump shows %d values under the first key", tagged(before, oldTag))
		}

		got(a.keys.Rotate(t.Context(), ada))(t)
		wantEqual(t, a.statuses(t), []engine.KeyStatus{engine.KeyPrimary, engine.KeyPending})
		_, err := b.keys.Rotate(t.Context(), ada)
		wantKind(t, err, engine.ErrConflict)
		c.advance(20 * time.Second)
		wantEqual(t, a.statuses(t), []engine.KeyStatus{engine.KeyRetiring, engine.KeyPrimary})

		// A process that has not looked writes under the old key, and reads the new one's.
		must(t, b.PutArtifact(t.Context(), step, "late", []byte(secret)))
		must(t, a.PutArtifact(t.Context(), step, "new", []byte(secret)))
		wantEqual(t, string(got(b.Artifact(t.Context(), step, "new"))(t)), secret)

		writing, stop := context.WithCancel(t.Context())
		var writers sync.WaitGroup
		for _, p := range []*process{a, b} {
			writers.Go(func() {
				for i := 0; writing.Err() == nil; i++ {
					name := fmt.Sprint("a", i%many)
					if err := p.PutArtifact(t.Context(), step, name, []byte(secret)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		// The first one is killed after a batch, in the middle of a column.
		if got(a.Reseal(t.Context(), 2, a.vault.Tag(2)))(t).Done {
			t.Error("everything is sealed again in one batch: this test does not show that it can be stopped")
		}
		again := c.process(t, url, key)
		must(t, again.keys.Reseal(t.Context(), 0))
		stop()
		writers.Wait()
		wantEqual(t, again.statuses(t), []engine.KeyStatus{engine.KeyRetiring, engine.KeyPrimary}) // somebody may not know the new key yet
		c.advance(3 * time.Minute)
		must(t, again.keys.Reseal(t.Context(), 0))
		wantEqual(t, again.statuses(t), []engine.KeyStatus{engine.KeyRetired, engine.KeyPrimary})
		wantEqual(t, again.under(t)[1], 0)
		if n := tagged(again.dumped(t), oldTag); n != 0 {
			t.Errorf("the dump shows %d values under the old key", n)
		}

		wantKind(t, a.keys.Destroy(t.Context(), ada, 1), engine.ErrConflict) // a transaction may still write
		wantKind(t, a.keys.Destroy(t.Context(), ada, 2), engine.ErrConflict)
		wantKind(t, a.keys.Destroy(t.Context(), ada, 9), engine.ErrNotFound)
		c.advance(time.Hour)
		must(t, a.keys.Destroy(t.Context(), ada, 1))
		wantEqual(t, a.statuses(t), []engine.KeyStatus{engine.KeyDestroyed, engine.KeyPrimary})

		last := c.process(t, url, key)
		wantEqual(t, last.vault.Fingerprint([]byte("x")), print)
		opensAll(t, last.Store, step)
		opensAll(t, b.Store, step)
		restored := connect(t, sqliteURL(t))
		got(restored.Load(t.Context(), bytes.NewReader(before)))(t)
		useKey(t, restored, key)
		opensAll(t, restored, step)
		noted := slices.DeleteFunc(actions(t, a.Store, ""), func(action string) bool { return !strings.HasPrefix(action, "key.") })
		wantEqual(t, noted, []string{"key.rotate", "key.retire", "key.destroy"})
	})
}

// opensAll opens every sealed value, of which there is one of each column, and
// looks at some.
func opensAll(t testing.TB, s *store.Store, step string) {
	t.Helper()
	for column, values := range got(s.OpenAll(t.Context()))(t) {
		if values == 0 {
			t.Errorf("there is nothing in %s: this test does not show whether it opens", column)
		}
	}
	for i := range many {
		wantEqual(t, string(got(s.Artifact(t.Context(), step, fmt.Sprint("a", i)))(t)), secret)
	}
	wantEqual(t, got(s.Credential(t.Context(), "prod"))(t).Values["AWS_SECRET_ACCESS_KEY"], engine.Secret(secret))
	got(s.Revision(t.Context(), "shop", 1))(t)
	got(s.LatestState(t.Context(), "shop", "terraform.a"))(t)
	wantEqual(t, got(s.Variables(t.Context(), "shop", engine.Everything()))(t)[0].Value, engine.Secret(`"prod"`))
	wantEqual(t, got(s.VariableSet(t.Context(), "all"))(t).Variables[0].Value, engine.Secret("eu"))
	got(s.Hosts(t.Context(), "shop", true))(t)
}

func TestValueUnderARetiredKeyKeepsItFromBeingDestroyed(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		c, key := &clock{}, got(vault.NewMasterKey())(t)
		a := c.process(t, url, key)
		full(t, a.Store)
		got(a.keys.Rotate(t.Context(), ada))(t)
		c.advance(time.Hour)
		old := got(got(a.SQL())(t).QueryContext(t.Context(), `SELECT secret FROM credentials`))(t)
		var sealed []byte
		old.Next()
		must(t, old.Scan(&sealed))
		must(t, old.Close())
		must(t, a.keys.Reseal(t.Context(), 0))
		wantEqual(t, a.statuses(t)[0], engine.KeyRetired)
		c.advance(time.Hour)
		placeholder := map[bool]string{true: "$1", false: "?"}[a.Postgres()]
		got(got(a.SQL())(t).ExecContext(t.Context(), `UPDATE credentials SET secret = `+placeholder, sealed))(t)

		wantKind(t, a.keys.Destroy(t.Context(), ada, 1), engine.ErrConflict)
		wantEqual(t, a.statuses(t)[0], engine.KeyRetiring)
		must(t, a.keys.Reseal(t.Context(), 0))
		wantEqual(t, a.statuses(t)[0], engine.KeyRetired)
		wantEqual(t, a.under(t)[1], 0)
	})
}

// Rotation answers a leak, and nobody who can damage a value is to keep it from
// the values behind that one.
func TestDamagedValueKeepsNoOtherFromBeingSealedAgain(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		c, key := &clock{}, got(vault.NewMasterKey())(t)
		a := c.process(t, url, key)
		step := fillArtifacts(t, a.Store)
		got(got(a.SQL())(t).ExecContext(t.Context(), `UPDATE artifacts SET data = (SELECT data FROM artifacts WHERE name = 'a1') WHERE name IN ('a0', 'a2')`))(t)
		got(a.keys.Rotate(t.Context(), ada))(t)
		c.advance(time.Hour)

		err := a.keys.Reseal(t.Context(), 0)
		if err == nil || !strings.Contains(err.Error(), "2 values stay under the keys") || !strings.Contains(err.Error(), "artifacts.data of "+step+"/a0") {
			t.Errorf("error = %v", err)
		}
		wantEqual(t, a.under(t)[1], 2)
		wantEqual(t, a.statuses(t), []engine.KeyStatus{engine.KeyRetiring, engine.KeyPrimary})
		got(got(a.SQL())(t).ExecContext(t.Context(), `DELETE FROM artifacts WHERE name IN ('a0', 'a2')`))(t)
		must(t, a.keys.Reseal(t.Context(), 0))
		wantEqual(t, a.statuses(t), []engine.KeyStatus{engine.KeyRetired, engine.KeyPrimary})
	})
}

// BenchmarkReseal gives the time for a value of 2 kB, of a thousand.
func BenchmarkReseal(b *testing.B) {
	c, key := &clock{}, got(vault.NewMasterKey())(b)
	p := c.process(b, sqliteURL(b), key)
	full(b, p.Store)
	run := begun(b, "lab", engine.RunDrift, noon)
	must(b, p.CreateRun(b.Context(), run))
	const values = 1000
	for i := range values {
		must(b, p.PutArtifact(b.Context(), run.Steps[0].ID, fmt.Sprint("a", i), bytes.Repeat([]byte("0123456789abcdef"), 128)))
	}
	for b.Loop() {
		got(p.keys.Rotate(b.Context(), ada))(b)
		c.advance(time.Hour)
		must(b, p.keys.Reseal(b.Context(), 0))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/values, "us/value")
}
