package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
	"github.com/cloudops-manager/cloudops/engine/vault"
)

// full puts something into every table.
func full(t testing.TB, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	u := newUser(t, s, "ada")
	must(t, s.CreateToken(ctx, &engine.Token{ID: "token-1", User: u.Name, Name: "laptop", Hash: "h1", CreatedAt: noon}, "", event("token.create", "")))
	must(t, s.CreateSession(ctx, &engine.Session{Hash: "h2", User: u.Name, CSRF: "c", CreatedAt: noon, ExpiresAt: noon.Add(day)}, "", event("login", "")))
	must(t, s.ChangeDirectory(ctx, func(d *engine.Directory) error { filled(t, d); return nil }, event("access.bind", "")))
	must(t, s.LinkUser(ctx, u.Name, engine.SignOnIdentity{Issuer: "https://idp", Subject: "1"}, noon, event("user.link", "")))
	must(t, s.CreateDevice(ctx, device(), 1))
	must(t, s.PutCredential(ctx, credential("prod", secret), event("credential.put", "")))
	must(t, s.AddIssuerKey(t.Context(), issuerKey(1), false, event("issuer.rotate", "")))
	rev := revision("shop")
	rev.Sources = []byte{0, 1, 2, 0xff, '\n'}
	must(t, s.AddRevision(ctx, rev, engine.Beside{}, event("revision.add", "shop")))
	must(t, s.HoldStack(ctx, "shop", &engine.Hold{By: "ada", Reason: "case", At: noon}, event("stack.hold", "shop")))
	must(t, s.PutVariable(ctx, &engine.Variable{Stack: "shop", Kind: engine.VariableInput, Name: "env", Secret: true, Value: `"prod"`, UpdatedBy: "ada", UpdatedAt: noon}, event("variable.set", "shop")))
	lab := revision("lab")
	lab.Blueprint.Upstreams = []engine.Upstream{{Name: "net", Stack: "shop", Outputs: []string{"url"}}}
	must(t, s.AddRevision(ctx, lab, engine.Beside{}, event("stack.submit", "lab")))
	r := planned("shop", noon, "d1")
	must(t, s.CreateRun(ctx, r))
	got(s.UpdateRun(ctx, r.ID, func(r *engine.Run) error {
		return r.Approve(engine.Principal{User: "zoe", Rights: engine.Everywhere(engine.RoleApprover)}, "d1", "fine, 'quoted' é\n\"twice\"", noon)
	}))(t)
	step := ended(t, s, "lab", engine.RunDrift, day).Steps[0]
	got(s.AppendLog(ctx, step.ID, 5, []byte{0xff, 0, '\n'}))(t) // no text
	running := begun(t, "lab", engine.RunDrift, noon)
	must(t, s.CreateRun(ctx, running)) // with a line in the outbox
	v := state(1, "l", 0)
	v.Data = []byte(`{"resources": 1}`)
	must(t, s.PutState(ctx, engine.StatePut{}, v))
	must(t, s.LockState(ctx, engine.StateWriter{}, lock("l1")))
	found(t, s, r.ID, 0, "aws_vpc.main")
	must(t, s.PutPolicy(ctx, policy("pay"), event("policy.set", "")))
	must(t, s.PutVariableSet(ctx, &engine.VariableSet{Name: "all", Stacks: []string{"*"}, UpdatedBy: "ada", UpdatedAt: noon}, event("variable-set.put", "")))
	must(t, s.SetShared(ctx, "all", &engine.Variable{Kind: engine.VariableEnvironment, Name: "REGION", Value: "eu", UpdatedBy: "ada", UpdatedAt: noon}, event("variable-set.set", "")))
	must(t, s.PutHosts(ctx, []*engine.KnownHost{host("host-1", "web-1")}))
	must(t, s.PutSchedule(ctx, schedule("sch-1"), event("schedule.put", "shop")))
	got(s.BeginRequest(ctx, "ada", "key", "digest", noon))(t)
	must(t, s.FinishRequest(ctx, "ada", "key", engine.StoredResponse{Request: "digest", Status: 200, Type: "text/plain", Body: []byte(secret)}))
	must(t, s.Beat(ctx, engine.PartAPI))
	must(t, s.PutCertificate(ctx, "example.com", []byte("a key")))
	must(t, s.CreateWebhook(ctx, webhook("whk-1", "chat"), event("webhook.create", "")))
	must(t, s.AddDelivery(ctx, delivery("msg-1")))
	got(s.FanOut(ctx, 1, func([]*engine.Event, []*engine.Webhook) []*engine.Delivery { return nil }))(t)
	must(t, s.CreateHook(ctx, hook("hook-1"), event("hook.create", "shop")))
	got(s.TakeCall(ctx, engine.HookCall{Hook: "hook-1", Message: "msg-1", Timestamp: "1", At: noon}, noon))(t)
	got(s.TakeChore(ctx, "retention", noon, noon.Add(day)))(t)
	got(s.Reseal(ctx, 1, "\x00\x00\x00\x00\x00"))(t)
	fullAudit(t, s)
}

// fullAudit signs the audit log, removes its beginning and sends it on.
func fullAudit(t testing.TB, s *store.Store) {
	t.Helper()
	must(t, s.HoldStack(t.Context(), "shop", nil, event("stack.release", "shop")))
	must(t, s.AddForwarder(t.Context(), &engine.Forwarder{Name: "siem", Kind: engine.ForwardHTTP, Address: "https://logs.example.com", Paused: true,
		Config: engine.ForwarderConfig{Secret: secret}, CreatedBy: "ada", CreatedAt: noon, UpdatedAt: noon}, event("forwarder.add", "")))
	a, at := auditOf(s), noon
	a.Now, a.Keep = func() time.Time { return at }, day
	got(a.Checkpoint(t.Context()))(t)
	at = noon.Add(2 * day)
	must(t, a.Tend(t.Context()))
}

// dump is what a database holds: a line each, in order, without the time at
// which it was dumped.
func dump(t testing.TB, s *store.Store) []string {
	t.Helper()
	var b bytes.Buffer
	rows := got(s.Dump(t.Context(), &b))(t)
	for table, n := range rows {
		if n == 0 {
			t.Errorf("table %s is empty: this test does not show whether it is kept", table)
		}
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")[1:]
	table := ""
	for i, line := range lines {
		var head struct{ Table string }
		if json.Unmarshal([]byte(line), &head) == nil && head.Table != "" {
			table = head.Table
		}
		lines[i] = table + " " + line // rows of a table may come in any order
	}
	slices.Sort(lines)
	return lines
}

// keyed opens a database with a key that others can be opened with.
func keyed(t testing.TB, url, key string) *store.Store {
	t.Helper()
	s := connect(t, url)
	must(t, s.Migrate(t.Context()))
	useKey(t, s, key)
	return s
}

func useKey(t testing.TB, s *store.Store, key string) {
	t.Helper()
	s.UseSealer(got(vault.Open(t.Context(), vault.Options{Key: key, Keys: s}))(t))
}

func TestDumpIsLoadedIntoAnyDatabase(t *testing.T) {
	urls := map[string]func(testing.TB) string{"sqlite": sqliteURL, "postgres": postgres}
	for from := range urls {
		for to := range urls {
			t.Run(from+" to "+to, func(t *testing.T) {
				key := got(vault.NewMasterKey())(t)
				a := keyed(t, urls[from](t), key)
				full(t, a)
				var b bytes.Buffer
				got(a.Dump(t.Context(), &b))(t)
				other := connect(t, urls[to](t))
				got(other.Load(t.Context(), &b))(t)

				want, have := dump(t, a), dump(t, other)
				if from != to { // the one calls a column INTEGER, the other BIGINT, but the values are the same
					want, have = withoutHeads(want), withoutHeads(have)
				}
				wantEqual(t, have, want)
				useKey(t, other, key)
				wantEqual(t, got(other.LatestState(t.Context(), "shop", "terraform.a"))(t), got(a.LatestState(t.Context(), "shop", "terraform.a"))(t))
				wantEqual(t, got(other.Credential(t.Context(), "prod"))(t), got(a.Credential(t.Context(), "prod"))(t))
				wantEqual(t, got(other.Revision(t.Context(), "shop", 1))(t), got(a.Revision(t.Context(), "shop", 1))(t))
				must(t, other.AddEvent(t.Context(), event("after", "shop"))) // with a number of its own
			})
		}
	}
}

func withoutHeads(lines []string) []string {
	return slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, `{"table":`) })
}

func TestDumpIsOfOneMoment(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		newStack(t, s, "shop")
		writing, stop := context.WithCancel(t.Context())
		written := make(chan error, 1)
		go func() {
			for writing.Err() == nil {
				if err := s.CreateRun(t.Context(), newRun("shop", engine.RunPreview, noon)); err != nil {
					written <- err
					return
				}
			}
			written <- nil
		}()
		for range 20 {
			rows := got(s.Dump(t.Context(), new(bytes.Buffer)))(t)
			if rows["steps"] != 2*rows["runs"] {
				t.Errorf("%d runs with %d steps", rows["runs"], rows["steps"])
			}
		}
		stop()
		must(t, <-written)
	})
}

func TestDumpThatIsNotWholeLeavesNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		source := open(t, sqliteURL(t))
		full(t, source)
		var b bytes.Buffer
		got(source.Dump(t.Context(), &b))(t)
		lines := strings.SplitAfter(b.String(), "\n")
		run := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, `["run-`) })
		for name, text := range map[string]string{
			"it ends early":        strings.Join(lines[:len(lines)-2], ""),
			"a row is missing":     strings.Join(slices.Delete(slices.Clone(lines), run, run+1), ""),
			"a row is short":       strings.Join(slices.Replace(slices.Clone(lines), run, run+1, "[1]\n"), ""),
			"a table is unknown":   strings.Join(slices.Insert(slices.Clone(lines), run, `{"table":"pg_class","columns":["a"]}`+"\n"), ""),
			"it is something else": "hello\n",
			"it is newer":          strings.Replace(b.String(), `"schema":`, `"schema":9`, 1),
			"it is empty":          "",
		} {
			if _, err := s.Load(t.Context(), strings.NewReader(text)); err == nil {
				t.Errorf("%s, and it was loaded", name)
			}
			if n := len(got(s.Stacks(t.Context(), engine.Page{}))(t)); n != 0 {
				t.Errorf("%s, and %d stacks are there", name, n)
			}
		}
		newStack(t, s, "mine")
		_, err := s.Load(t.Context(), &b)
		wantKind(t, err, engine.ErrConflict)
	})
}

// unreleased are schemas that no version was built with: several migrations came
// at once.
var unreleased = []int{8, 9, 10, 11, 12, 13}

// TestEveryVersionIsUpgraded loads what databases of each schema held. The
// file of the newest is made with -update, and then stays as it is.
func TestEveryVersionIsUpgraded(t *testing.T) {
	key := strings.TrimSpace(string(got(os.ReadFile("testdata/dumps/master.key"))(t)))
	newest := len(migrations(t, "sqlite"))
	path := func(n int) string { return filepath.Join("testdata", "dumps", fmt.Sprintf("schema-%d.jsonl", n)) }
	if _, err := os.Stat(path(newest)); err != nil && *update {
		s := keyed(t, sqliteURL(t), key)
		full(t, s)
		var b bytes.Buffer
		got(s.Dump(t.Context(), &b))(t)
		must(t, os.WriteFile(path(newest), b.Bytes(), 0o644))
	}
	eachDatabaseURL(t, func(t *testing.T, url func(testing.TB) string) {
		for n := 1; n <= newest; n++ {
			if slices.Contains(unreleased, n) {
				continue
			}
			s := connect(t, url(t))
			old := got(os.Open(path(n)))(t)
			defer old.Close()
			rows := got(s.Load(t.Context(), old))(t)
			useKey(t, s, key)
			runs := got(s.Runs(t.Context(), engine.RunFilter{}, engine.Page{}))(t)
			if len(runs) != rows["runs"] || len(runs) == 0 {
				t.Errorf("schema %d: %d runs of %d", n, len(runs), rows["runs"])
			}
			if v := got(s.LatestState(t.Context(), "shop", "terraform.a"))(t); !strings.Contains(string(v.Data), "resources") {
				t.Errorf("schema %d: state %q", n, v.Data)
			}
			if c := got(s.Credential(t.Context(), "prod"))(t); c.Values["AWS_SECRET_ACCESS_KEY"] != secret {
				t.Errorf("schema %d: the credential is another", n)
			}
			got(s.Dump(t.Context(), new(bytes.Buffer)))(t)
		}
	})
}

func eachDatabaseURL(t *testing.T, do func(t *testing.T, url func(testing.TB) string)) {
	t.Run("sqlite", func(t *testing.T) { do(t, sqliteURL) })
	t.Run("postgres", func(t *testing.T) { do(t, postgres) })
}
