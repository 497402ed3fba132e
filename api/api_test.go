package api

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/blueprint"
	"github.com/cloudops-manager/cloudops/engine/egress"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/issuer"
	"github.com/cloudops-manager/cloudops/engine/siem"
	"github.com/cloudops-manager/cloudops/engine/store"
	"github.com/cloudops-manager/cloudops/engine/vault"
)

// system is a server on a database of its own, with a user for each role.
type system struct {
	t      testing.TB
	server *server
	router *gin.Engine
	url    string
	store  *store.Store
	runs   *engine.Runs
	access *engine.Access
	log    *safeBuffer // what the server logs
	clock  *clock
	tokens map[engine.Role]engine.Secret
}

// newSystem starts a server. Each edit may change what it is made from.
func newSystem(t testing.TB, edits ...func(*Deps)) *system {
	t.Helper()
	s := &system{t: t, log: &safeBuffer{}, clock: newClock(), tokens: map[engine.Role]engine.Secret{}}
	d := s.deps()
	for _, edit := range edits {
		edit(&d)
	}
	s.server, s.router = build(d)
	if err := s.server.check(s.router); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(clients.wrap(s.router))
	t.Cleanup(web.Close)
	t.Cleanup(web.CloseClientConnections) // so that streams don't keep Close waiting
	s.url = web.URL
	for _, role := range engine.Roles() {
		s.addUser(role)
	}
	return s
}

func (s *system) deps() Deps {
	log := slog.New(slog.NewTextHandler(s.log, nil))
	db, sealer := openStore(s.t, log)
	compiler := blueprint.New(blueprint.Options{Credentials: db.Credential})
	bell := &bell{listeners: map[string][]chan struct{}{}}
	s.store = db
	s.access = &engine.Access{Store: db, Passwords: plainPasswords{}, Now: s.clock.now}
	s.runs = &engine.Runs{People: s.access, Store: db, Compiler: compiler, Hasher: sealer, Bell: bell, Log: log, Now: s.clock.now, StateURL: s.stateURL,
		Issuer: &engine.Issuer{Store: db, Signer: issuer.Signer{}, URL: "https://cloudops.example.com", Now: s.clock.now, Log: log}}
	audit := &engine.Audit{Store: db, Now: s.clock.now}
	ways := siem.Options{HTTP: s.forwardClient, Dial: s.guard().Dial, Credential: db.Credential}
	return Deps{
		Runs: s.runs, Access: s.access, Audit: audit, Formats: siem.Formats(),
		Forward: &engine.Forwarding{Audit: audit, Shipper: ways.Shipper, Now: s.clock.now, Log: log}, Store: db, Bell: bell, Log: log, Now: s.clock.now, PackFiles: blueprint.PackFiles, Version: "test",
		Stacks:   &engine.Stacks{Store: db, Compiler: compiler, Bell: bell, Next: hourly, Now: s.clock.now},
		Policies: &engine.Policies{Store: db, Directory: s.access.Directory, Parse: blueprint.ParsePolicy, Now: s.clock.now},
		States:   &engine.States{Store: db, Now: s.clock.now},
		Keys:     &engine.Keys{Store: db, Ring: sealer, Now: s.clock.now, Log: log},
		Ready:    db.Ping,
		Webhooks: &engine.Webhooks{Store: db, Sender: s.guard().Poster(), Log: log, Now: s.clock.now},
		Hooks:    &engine.Hooks{Store: db, Runs: s.runs, Rights: s.access.PrincipalOf, Now: s.clock.now},
	}
}

// guard lets this machine be reached, as tests need it.
// forwardClient sends the audit log on.
func (s *system) forwardClient(trust *tls.Config) *http.Client {
	return s.guard().Client(egress.Limits{Trust: trust, Stay: true})
}

func (s *system) guard() *egress.Guard {
	rules, err := egress.ParseRules([]string{"127.0.0.0/8"})
	s.ok(err)
	return &egress.Guard{Allow: rules}
}

func openStore(t testing.TB, log *slog.Logger) (*store.Store, *vault.Vault) {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{URL: enginetest.DatabaseURL(t, filepath.Join(dir, "db"))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	sealer, err := vault.Open(t.Context(), vault.Options{KeyFile: filepath.Join(dir, "key"), Keys: db})
	if err != nil {
		t.Fatal(err)
	}
	db.UseSealer(sealer)
	return db, sealer
}

func (s *system) stateURL(stack, component string) string {
	return s.url + "/v1/state/" + stack + "/" + component
}

// password is that of every user in tests.
const password = "correct horse battery"

// usual are the roles of the user that is named after one: who approves starts
// runs, too.
func usual(role engine.Role) []engine.Role {
	if role == engine.RoleApprover {
		return []engine.Role{engine.RoleOperator, engine.RoleApprover, engine.RoleDeployer}
	}
	return []engine.Role{role}
}

// addUser makes a user named after the role, with a token.
func (s *system) addUser(role engine.Role) {
	s.t.Helper()
	ctx, boss := s.t.Context(), engine.Principal{User: "boss", Rights: engine.Everywhere(engine.RoleAdmin)}
	if err := s.access.CreateUser(ctx, boss, string(role), usual(role), password); err != nil {
		s.t.Fatal(err)
	}
	token, _, err := s.access.CreateToken(ctx, engine.Principal{User: string(role)}, engine.TokenRequest{Name: "test", Forever: true})
	if err != nil {
		s.t.Fatal(err)
	}
	s.tokens[role] = token
}

// as gives a client with the token of the role.
func (s *system) as(role engine.Role) *client.Client { return client.New(s.url, s.tokens[role]) }

// hello is a stack of one component.
const hello = `
stack "hello" {}

terraform "greeting" {
  source = "./greeting"
}

output "text" { value = terraform.greeting.outputs.text }
`

// helloFiles are the files of the stack hello.
func helloFiles() map[string]string {
	return map[string]string{
		"stack.hcl":        hello,
		"greeting/main.tf": "resource \"terraform_data\" \"a\" {}\noutput \"text\" {\n  value = \"hi\"\n}\n",
	}
}

// submit stores the stack hello.
func (s *system) submit() {
	s.t.Helper()
	s.must(s.request("POST", "/v1/stacks/hello/revisions", engine.RoleOperator, client.SubmitFiles{Files: helloFiles()}), http.StatusCreated)
}

// request sends v as JSON, nil for none, with the token of the role, "" for none.
func (s *system) request(method, path string, role engine.Role, v any, headers ...string) response {
	s.t.Helper()
	var body io.Reader
	if v != nil {
		b, err := json.Marshal(v)
		if err != nil {
			s.t.Fatal(err)
		}
		body = bytes.NewReader(b)
		headers = append([]string{"Content-Type", "application/json"}, headers...)
	}
	return s.send(method, path, role, body, headers...)
}

// send sends a body as it is. Headers are names and values in turn.
func (s *system) send(method, path string, role engine.Role, body io.Reader, headers ...string) response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if role != "" {
		req.Header.Set("Authorization", "Bearer "+s.tokens[role].Reveal())
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := browserlike.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response{res, b}
}

// browserlike shows redirects instead of following them.
var browserlike = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (s *system) must(r response, status int) response {
	s.t.Helper()
	if r.StatusCode != status {
		s.t.Fatalf("%s %s: status %d, not %d: %s", r.Request.Method, r.Request.URL.Path, r.StatusCode, status, r.body)
	}
	return r
}

// start starts a run of the stack hello.
func (s *system) start(kind string) client.Run {
	s.t.Helper()
	run, err := s.as(engine.RoleOperator).StartRun(s.t.Context(), "hello", client.StartRun{Kind: kind})
	if err != nil {
		s.t.Fatal(err)
	}
	return run
}

// claim takes the run's only step in hand, as a worker does.
func (s *system) claim(run client.Run) engine.Claim {
	s.t.Helper()
	claim, _, err := s.runs.Claim(s.t.Context(), run.Steps[0].ID, "worker")
	if err != nil {
		s.t.Fatal(err)
	}
	return claim
}

// plan takes the run's step in hand and reports a plan with one resource to make.
func (s *system) plan(run client.Run) *client.Runner {
	s.t.Helper()
	runner := client.New(s.url, s.claim(run).Token).Runner()
	s.sendPlan(runner)
	return runner
}

// sendPlan reports a plan with one resource to make.
func (s *system) sendPlan(runner *client.Runner) {
	s.t.Helper()
	file := []byte("the plan")
	sum := sha256.Sum256(file)
	s.ok(runner.PutArtifact(s.t.Context(), engine.ArtifactPlan, file))
	s.ok(runner.Report(s.t.Context(), engine.Report{
		Outcome: engine.OutcomePlanned, PlanHash: hex.EncodeToString(sum[:]),
		Plan: &engine.Plan{Changes: []engine.Change{{Subject: "terraform_data.a", Type: "terraform_data", Action: engine.ActionCreate}}},
	}))
}

func (s *system) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// read reads the run as it is now.
func (s *system) read(id string) client.Run {
	s.t.Helper()
	run, err := s.as(engine.RoleViewer).Run(s.t.Context(), id)
	s.ok(err)
	return run
}
