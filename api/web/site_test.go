package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/api"
	"github.com/cloudops-manager/cloudops/api/web"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/blueprint"
	"github.com/cloudops-manager/cloudops/engine/egress"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/issuer"
	"github.com/cloudops-manager/cloudops/engine/siem"
	"github.com/cloudops-manager/cloudops/engine/store"
	"github.com/cloudops-manager/cloudops/engine/vault"
)

// site is the pages behind the API's own door, on a database of its own, with
// a user for each role. Its parts are moved as workers and runners move them.
type site struct {
	t      testing.TB
	url    string
	cut    func() // breaks off all connections
	store  *store.Store
	bell   *enginetest.Bell
	runs   *engine.Runs
	stacks *engine.Stacks
	states *engine.States
	access *engine.Access
	pages  *web.Pages
	sealer *vault.Vault
}

// password is that of every user.
const password = "correct horse battery"

// cheap keeps passwords as they are: hashing for real takes long.
type cheap struct{}

func (cheap) Hash(_ context.Context, password engine.Secret) (string, error) {
	return password.Reveal(), nil
}

func (cheap) Verify(_ context.Context, hash string, password engine.Secret) (bool, error) {
	return hash != "" && hash == password.Reveal(), nil
}

// clock gives times in order, however fast they are asked for.
func clock() func() time.Time {
	var ticks atomic.Int64
	return func() time.Time { return time.Now().Add(time.Duration(ticks.Add(1)) * time.Microsecond) }
}

func hourly(_, _ string, after time.Time, _ string) (time.Time, error) {
	return after.Add(time.Hour), nil
}

func newSite(t testing.TB) *site {
	t.Helper()
	log, now, dir := slog.New(slog.NewTextHandler(t.Output(), nil)), clock(), t.TempDir()
	db, err := store.Open(t.Context(), store.Options{URL: enginetest.DatabaseURL(t, filepath.Join(dir, "db"))})
	ok(t, err)
	t.Cleanup(func() { db.Close() })
	ok(t, db.Migrate(t.Context()))
	sealer, err := vault.Open(t.Context(), vault.Options{KeyFile: filepath.Join(dir, "key"), Keys: db})
	ok(t, err)
	db.UseSealer(sealer)
	compiler, bell := blueprint.New(blueprint.Options{}), enginetest.NewBell()
	s := &site{
		t: t, store: db, bell: bell, sealer: sealer,
		runs: &engine.Runs{Store: db, Compiler: compiler, Hasher: sealer, Bell: bell, Log: log, Now: now, StateURL: func(stack, component string) string { return "" },
			Issuer: &engine.Issuer{Store: db, Signer: issuer.Signer{}, URL: "https://cloudops.example.com", Now: now, Log: log}},
		stacks: &engine.Stacks{Store: db, Compiler: compiler, Bell: bell, Next: hourly, Now: now},
		states: &engine.States{Store: db, Now: now},
		access: &engine.Access{Store: db, Passwords: cheap{}, Now: now},
	}
	s.runs.People = s.access
	s.serve(log, now)
	for _, role := range engine.Roles() {
		ok(t, s.access.CreateUser(t.Context(), engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}, string(role), usual(role), password))
	}
	return s
}

func (s *site) serve(log *slog.Logger, now func() time.Time) {
	s.t.Helper()
	policies := &engine.Policies{Store: s.store, Directory: s.access.Directory, Parse: blueprint.ParsePolicy, Now: now}
	rules, err := egress.ParseRules([]string{"127.0.0.0/8"})
	ok(s.t, err)
	hooks := &engine.Webhooks{Store: s.store, Sender: (&egress.Guard{Allow: rules}).Poster(), Log: log, Now: now}
	pages, err := web.New(web.Deps{Policies: policies, Webhooks: hooks, Runs: s.runs, Stacks: s.stacks, States: s.states, Access: s.access, Store: s.store, Bell: s.bell, Now: now, Log: log})
	ok(s.t, err)
	s.pages = pages
	handler, err := api.New(api.Deps{
		Policies: policies, Webhooks: hooks, Audit: &engine.Audit{Store: s.store, Now: now}, Formats: siem.Formats(),
		Runs: s.runs, Stacks: s.stacks, States: s.states, Access: s.access, Store: s.store, Bell: s.bell,
		Log: log, Now: now, Ready: s.store.Ping, PackFiles: blueprint.PackFiles, Version: "test", Pages: pages,
	})
	ok(s.t, err)
	server := httptest.NewServer(handler)
	s.t.Cleanup(server.Close)
	s.t.Cleanup(server.CloseClientConnections) // so that streams don't keep Close waiting
	s.url, s.cut = server.URL, server.CloseClientConnections
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// usual are the roles of the user that is named after one: who approves starts
// runs, too.
func usual(role engine.Role) []engine.Role {
	if role == engine.RoleApprover {
		return []engine.Role{engine.RoleOperator, engine.RoleApprover, engine.RoleDeployer}
	}
	return []engine.Role{role}
}

// principal is the user of a role, for moves that need no browser.
func principal(role engine.Role) engine.Principal {
	return engine.Principal{User: string(role), Kind: engine.Person, Rights: engine.Everywhere(usual(role)...)}
}

// submit stores a stack made of files.
func (s *site) submit(files map[string]string) {
	s.t.Helper()
	bundle := map[string][]byte{}
	for name, text := range files {
		bundle[name] = []byte(text)
	}
	sources, err := blueprint.PackFiles(bundle)
	ok(s.t, err)
	_, err = s.stacks.Submit(s.t.Context(), principal(engine.RoleOperator), engine.Submission{Sources: sources})
	ok(s.t, err)
}

// start starts a run as the operator.
func (s *site) start(stack string, kind engine.RunKind) *engine.Run {
	s.t.Helper()
	run, err := s.runs.Start(s.t.Context(), principal(engine.RoleOperator), engine.StartRequest{Stack: stack, Kind: kind, Message: "Larger web tier"})
	ok(s.t, err)
	return run
}

func (s *site) read(run string) *engine.Run {
	s.t.Helper()
	r, err := s.runs.Get(s.t.Context(), run)
	ok(s.t, err)
	return r
}

// claim takes the step of a component in hand.
func (s *site) claim(run, address string) *engine.Step {
	s.t.Helper()
	_, step, err := s.runs.Claim(s.t.Context(), s.read(run).Step(address).ID, "worker-1")
	ok(s.t, err)
	return step
}

// planned takes a step in hand and reports what it would do.
func (s *site) planned(run, address string, plan engine.Plan) {
	s.t.Helper()
	step := s.claim(run, address)
	file := []byte("plan of " + address)
	sum := sha256.Sum256(file)
	ok(s.t, s.runs.PutArtifact(s.t.Context(), step, engine.ArtifactPlan, file))
	report := engine.Report{Outcome: engine.OutcomePlanned, PlanHash: hex.EncodeToString(sum[:]), Plan: &plan, Outputs: outputs(address)}
	if len(plan.Changes) == 0 {
		report.Outcome = engine.OutcomeUnchanged
	}
	ok(s.t, s.runs.Report(s.t.Context(), step, report))
}

// print adds to a step's log.
func (s *site) print(step *engine.Step, text string) {
	s.t.Helper()
	_, size, err := s.store.ReadLog(s.t.Context(), step.ID, 0, 0)
	ok(s.t, err)
	_, err = s.runs.AppendLog(s.t.Context(), step, size, []byte(text))
	ok(s.t, err)
}

// browser is a browser without a window or scripts.
type browser struct {
	s      *site
	client *http.Client
}

// browser signs in as the user of the role, "" for nobody.
func (s *site) browser(role engine.Role) *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	ok(s.t, err)
	b := &browser{s: s, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if role != "" {
		b.post("/login", http.StatusSeeOther, "name", string(role), "password", password)
	}
	return b
}

func (b *browser) do(req *http.Request, status int) page {
	b.s.t.Helper()
	req.Header.Set("Accept", "text/html")
	res, err := b.client.Do(req)
	ok(b.s.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	ok(b.s.t, err)
	if res.StatusCode != status {
		b.s.t.Fatalf("%s %s: status %d, not %d: %s", req.Method, req.URL.Path, res.StatusCode, status, body)
	}
	return page{t: b.s.t, path: req.URL.Path, header: res.Header, text: string(body)}
}

func (b *browser) get(path string, status int) page {
	b.s.t.Helper()
	req, err := http.NewRequestWithContext(b.s.t.Context(), "GET", b.s.url+path, nil)
	ok(b.s.t, err)
	return b.do(req, status)
}

// post sends a form of names and values in turn.
func (b *browser) post(path string, status int, form ...string) page {
	b.s.t.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Add(form[i], form[i+1])
	}
	req, err := http.NewRequestWithContext(b.s.t.Context(), "POST", b.s.url+path, strings.NewReader(values.Encode()))
	ok(b.s.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(req, status)
}

// js is a value as JSON.
func js(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
