package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cloudops-manager/cloudops/engine/store"
)

// canary is in the environment of each server and in nothing that it starts.
const canary = "server-secret-canary"

// referred is what the environment of a worker has for stacks.
var referred = map[string]string{"STACK_DB": `tell-nobody-of-"db"`, "STACK_GIVEN": "tell-nobody-of-given"}

// leak finds what may stand in no log and no database: what tests give to a
// server in confidence, and tokens of any kind. The last word is the value that
// secrets.txtar marks as sensitive.
var leak = regexp.MustCompile(`\b(cop|cos|cost|cosess)_[a-z2-7]{52}\b|` + testPassword + `|` + canary + `|hunter2-tell-nobody|tell-nobody-of`)

// wantNoLeak looks at all that a server has logged.
func (s *testServer) wantNoLeak(t *testing.T) {
	t.Helper()
	if found := leak.FindString(s.log.String()); found != "" {
		t.Errorf("the server's log has %q", found)
	}
}

// database is where the server keeps its data.
func (s *testServer) database() string {
	if i := slices.Index(s.args, "--database-url"); i >= 0 {
		return s.args[i+1]
	}
	return "sqlite://" + filepath.Join(s.dir, "data", "cloudops.db")
}

// queued is all that is in a server's Redis, where it has one of its own.
func (s *testServer) queued(ts *testscript.TestScript) (all []byte) {
	i := slices.Index(s.args, "--redis-url")
	if i < 0 {
		return nil
	}
	o, err := redis.ParseURL(s.args[i+1])
	ts.Check(err)
	c := redis.NewClient(o)
	defer c.Close()
	keys, err := c.Keys(context.Background(), "*").Result()
	ts.Check(err)
	for _, key := range keys {
		value, err := c.Dump(context.Background(), key).Bytes()
		if !errors.Is(err, redis.Nil) { // it may be gone by now
			ts.Check(err)
		}
		all = append(append(append(all, key...), '\n'), value...)
	}
	return all
}

// dump writes all that is in the server's database, and in its Redis, to a file: dump FILE.
func (s *testServer) dump(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: dump FILE")
	}
	db, err := store.Open(context.Background(), store.Options{URL: s.database()})
	ts.Check(err)
	defer db.Close()
	var lines bytes.Buffer
	_, err = db.Dump(context.Background(), &lines)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), append(legible(lines.Bytes()), s.queued(ts)...), 0o600))
}

// legible adds to a dump the bytes that it has in base64, as they are.
func legible(dump []byte) []byte {
	text := regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	return text.ReplaceAllFunc(dump, func(quoted []byte) []byte {
		var s string
		if json.Unmarshal(quoted, &s) == nil {
			if b, err := base64.StdEncoding.DecodeString(s); err == nil {
				return slices.Concat(quoted, b)
			}
		}
		return quoted
	})
}

func TestLeaksAreFound(t *testing.T) {
	for _, text := range []string{
		`token="cop_` + strings.Repeat("a", 52) + `"`, "cost_" + strings.Repeat("7", 52) + "\n", testPassword, canary,
		string(legible([]byte(`["a","` + base64.StdEncoding.EncodeToString([]byte(canary)) + `"]`))),
	} {
		if leak.FindString(text) == "" {
			t.Errorf("nothing is found in %q", text)
		}
	}
}

func TestStacksAreNotGivenWhatTheServerSignsInWith(t *testing.T) {
	for prefix, ok := range map[string]bool{
		"STACK_": true, "STACK_{project}_": true, "KEYS_OF_STACKS_": true,
		"": false, "{project}": false, "C": false, "CLOUDOPS_MASTER": false, "AWS_SECRET_": false, "VAULT_TOKEN": false, "A": false,
		"PGPASS": false, "KEYS_": false, "KEYS_MASTER": false,
	} {
		o := secretOptions{env: []string{prefix}}
		if err := o.check("env://KEYS_MASTER"); (err == nil) != ok {
			t.Errorf("--secret-env %q: %v", prefix, err)
		}
	}
}

// A password may end with a quote.
func TestQuotesBelongToAValueUnlessItStandsBetweenThem(t *testing.T) {
	for value, want := range map[string]string{`"a b "`: "a b ", `'a'`: "a", `a"`: `a"`, `'a"`: `'a"`, `"`: `"`, `""`: "", `""a""`: `"a"`, `secret("env://A")`: `secret("env://A")`} {
		if got := unquoted(value); got != want {
			t.Errorf("%s is %s", value, got)
		}
	}
}
