package store_test

import (
	"bytes"
	"encoding/json"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm/logger"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/store"
	"github.com/cloudops-manager/cloudops/engine/vault"
)

// secret is in every value that has to be sealed, and public in one that has not.
const (
	secret = "correct-horse-battery-staple"
	public = "anybody-may-read-this"
)

func TestSealedValuesAreNotInTheFile(t *testing.T) {
	url := sqliteURL(t)
	s := open(t, url)
	step := aStep(t, s)
	rev := revision("shop")
	rev.Sources, rev.Message = []byte(secret), public
	rev.Variables = map[string]json.RawMessage{"password": []byte(`"` + secret + `"`)}
	must(t, s.AddRevision(t.Context(), rev, engine.Beside{}, event("r", "shop")))
	must(t, s.PutArtifact(t.Context(), step, "plan", []byte(secret)))
	must(t, s.PutCredential(t.Context(), credential("prod", secret), event("c", "")))
	must(t, s.PutVariable(t.Context(), &engine.Variable{Stack: "shop", Kind: engine.VariableInput, Name: public, Value: secret, UpdatedAt: noon}, event("v", "shop")))
	v := state(1, "l", 0)
	v.Data = []byte(secret)
	must(t, s.PutState(t.Context(), engine.StatePut{}, v))
	must(t, s.PutVariableSet(t.Context(), &engine.VariableSet{Name: "all", Stacks: []string{"*"}, UpdatedAt: noon}, event("s", "")))
	must(t, s.SetShared(t.Context(), "all", &engine.Variable{Kind: engine.VariableEnvironment, Name: "A", Value: secret, UpdatedAt: noon}, event("s", "")))
	seen := host("host-1", "web-1")
	seen.Facts = json.RawMessage(`{"password":"` + secret + `"}`)
	must(t, s.PutHosts(t.Context(), []*engine.KnownHost{seen}))
	got(s.BeginRequest(t.Context(), "ada", "key", "digest", noon))(t)
	must(t, s.FinishRequest(t.Context(), "ada", "key", engine.StoredResponse{Request: "digest", Status: 200, Type: "text/plain", Body: []byte(secret)}))
	wantEqual(t, string(got(s.BeginRequest(t.Context(), "ada", "key", "digest", noon))(t).Body), secret)

	file := onDisk(t, url)
	if !bytes.Contains(file, []byte(public)) {
		t.Error("the file holds nothing in plain text, so this test finds nothing either")
	}
	if bytes.Contains(file, []byte(secret)) {
		t.Error("the file holds a secret in plain text")
	}
}

func TestTokensAndPasswordsAreInTheFileByTheirHashOnly(t *testing.T) {
	url := sqliteURL(t)
	s := open(t, url)
	newStack(t, s, "shop")
	run := begun(t, "shop", engine.RunApply, noon)
	must(t, s.CreateRun(t.Context(), run))
	access := &engine.Access{Store: s, Passwords: vault.NewPasswords(), Now: time.Now}
	first := got(access.Bootstrap(t.Context(), ""))(t)
	password := engine.Secret("staple battery horse")
	must(t, access.ChangePassword(t.Context(), "admin", engine.PasswordChange{Old: first, New: password}))
	token, _, err := access.LoginToken(t.Context(), "admin", password, "laptop")
	must(t, err)
	cookie, _, err := access.Login(t.Context(), "admin", password)
	must(t, err)
	runs := runsOf(s)
	claim, step, err := runs.Claim(t.Context(), run.Steps[0].ID, "worker")
	must(t, err)
	wantEqual(t, got(access.ByToken(t.Context(), token))(t).User, "admin")
	wantEqual(t, got(runs.Runner(t.Context(), claim.Token))(t).ID, step.ID)

	file := onDisk(t, url)
	if bytes.Contains(file, []byte(password.Reveal())) {
		t.Error("the file holds the admin's password")
	}
	for name, live := range map[string]engine.Secret{"API token": token, "session": cookie, "runner's token": claim.Token, "state's token": claim.StateToken} {
		if bytes.Contains(file, []byte(live.Reveal())) || !bytes.Contains(file, []byte(live.Hash())) {
			t.Errorf("the file holds the %s itself, or not its hash", name)
		}
	}
}

// onDisk is all that SQLite has written, its log included.
func onDisk(t testing.TB, url string) []byte {
	t.Helper()
	path := strings.TrimPrefix(url, "sqlite://")
	return append(got(os.ReadFile(path))(t), got(os.ReadFile(path+"-wal"))(t)...)
}

func TestSealedValueOpensInItsOwnRowOnly(t *testing.T) {
	columns := map[string]struct {
		update string
		read   func(t *testing.T, s *store.Store, step string) error
	}{
		"artifact": {
			update: `UPDATE artifacts SET data = (SELECT data FROM artifacts WHERE name = 'b') WHERE name = 'a'`,
			read: func(t *testing.T, s *store.Store, step string) error {
				_, err := s.Artifact(t.Context(), step, "a")
				return err
			},
		},
		"credential": {
			update: `UPDATE credentials SET secret = (SELECT secret FROM credentials WHERE name = 'b') WHERE name = 'a'`,
			read: func(t *testing.T, s *store.Store, _ string) error {
				_, err := s.Credential(t.Context(), "a")
				return err
			},
		},
		"what plans have in the place of what applies have": {
			update: `UPDATE credentials SET secret = plan_secret WHERE name = 'b'`,
			read: func(t *testing.T, s *store.Store, _ string) error {
				_, err := s.Credential(t.Context(), "b")
				return err
			},
		},
		"variables in the place of sources": {
			update: `UPDATE revisions SET sources = variables`,
			read: func(t *testing.T, s *store.Store, _ string) error {
				_, err := s.Revision(t.Context(), "shop", 1)
				return err
			},
		},
	}
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		step := aStep(t, s)
		must(t, s.AddRevision(t.Context(), revision("shop"), engine.Beside{}, engine.Event{At: noon}))
		for _, name := range []string{"a", "b"} {
			must(t, s.PutArtifact(t.Context(), step, name, []byte(name)))
			must(t, s.PutCredential(t.Context(), credential(name, name), event("c", "")))
		}
		for name, tt := range columns {
			t.Run(name, func(t *testing.T) {
				must(t, tt.read(t, s, step))
				got(got(s.SQL())(t).ExecContext(t.Context(), tt.update))(t)
				if err := tt.read(t, s, step); err == nil {
					t.Error("a value opened that was sealed for another place")
				}
			})
		}
	})
}

// gorm's own logger prints statements that fail with their values.
func TestFailedStatementPrintsNoValue(t *testing.T) {
	var printed bytes.Buffer
	was := logger.Default
	logger.Default = logger.New(log.New(&printed, "", 0), logger.Config{LogLevel: logger.Info})
	defer func() { logger.Default = was }()
	eachDatabase(t, func(t *testing.T, s *store.Store) {
		user := &engine.User{Name: "ada", PasswordHash: secret, CreatedAt: noon}
		must(t, s.CreateUser(t.Context(), user, []engine.Role{engine.RoleAdmin}, event("user.create", "")))
		err := s.CreateUser(t.Context(), user, []engine.Role{engine.RoleAdmin}, event("user.create", ""))
		wantKind(t, err, engine.ErrConflict)
		if strings.Contains(err.Error(), secret) || printed.Len() > 0 {
			t.Errorf("error = %v, printed %q", err, printed.String())
		}
	})
}
