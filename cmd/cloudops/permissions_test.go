package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/cloudops-manager/cloudops/api/client"
	"github.com/cloudops-manager/cloudops/engine"
)

// commandTable says what each command that asks the server takes; with
// arguments for things that there are not. Approve and discard look at the run
// first, and so do no more than that here; their routes are tested by themselves.
const commandTable = `
access grant ada viewer                                   access.manage
access list                                               access.read
access revoke ada viewer                                  access.manage
audit checkpoint                                          audit.read
audit export                                              audit.read
audit forwarder add none https://127.0.0.1:9              system.manage
audit forwarder list                                      system.read
audit forwarder pause none                                system.manage
audit forwarder remove none                               system.manage
audit forwarder resume none                               system.manage
audit key                                                 read
audit list                                                audit.read
audit rotate-key                                          system.manage
audit verify                                              audit.read
credential delete none                                    credential.write
credential list                                           read
credential set none --cloud aws --from ENV                credential.write
drift none                                                plan
hook create none ci                                       plan
hook delete none                                          plan
hook list none                                            read
hook rotate none                                          plan
host forget-key none web-1 --reason x                     approve
host list none                                            read
host show none web-1                                      read
issuer rotate                                             system.manage
issuer show                                               read
keys destroy 7                                            system.manage
keys list                                                 system.read
keys rotate                                               system.manage
keys status                                               system.read
policy delete                                             policy.write
policy set -f ENV                                         policy.write
policy show                                               read
project create none                                       system.manage
project delete none                                       system.manage
project list                                              read
role create none --permissions read                        users.manage
role delete none                                          users.manage
role list                                                 self
run apply none                                            read
run approve none                                          read
run cancel none                                           plan
run discard none                                          read
run list                                                  read
run logs none                                             read
run retry none                                            plan
run show none                                             read
run start none                                            plan
run watch none                                            read
scale none a=1                                            submit
schedule create none nightly --cron @daily --kind drift   plan
schedule delete none                                      plan
schedule list none                                        read
schedule pause none                                       plan
schedule resume none                                      plan
session end none                                          self
session end --user none                                   users.manage
session list                                              self
stack apply -f STACK                                      submit
stack delete none                                         manage
stack destroy none                                        plan
stack hold none --reason x                                manage
stack list                                                read
stack release none --reason x                             manage
stack show none                                           read
stack submit -f STACK                                     submit
state list none                                           read
state locks none                                          read
state mv none terraform.a a.a a.b --reason x              state.write
state pull none                                           state.read
state recover none terraform.a --reason x                 state.write
state restore none --reason x                             state.write
state rm none terraform.a a.a --reason x                  state.write
state unlock none terraform.a --reason x                  state.write
state versions none terraform.a                           read
team add none ada                                         users.manage
team create none                                          users.manage
team delete none                                          users.manage
team list                                                 access.read
team remove none ada                                      users.manage
token create none                                         self
token delete none                                         self
token list                                                self
user create none --password-file PASSWORD                 users.manage
user disable none                                         users.manage
user enable none                                          users.manage
user list                                                 access.read
user unlock none                                          users.manage
user owner none ada                                       users.manage
user password none --password-file PASSWORD               users.manage
user role none viewer                                     users.manage
variable list none                                        read
variable set none a 1                                     submit
variable unset none a                                     submit
variable-set delete none                                  credential.write
variable-set list                                         read
variable-set put none --stack x                           credential.write
variable-set set none a 1                                 credential.write
variable-set show none                                    read
variable-set unset none a                                 credential.write
webhook create chat https://chat.example.com/in           policy.write
webhook delete none                                       policy.write
webhook deliveries none                                   read
webhook disable none                                      policy.write
webhook enable none                                       policy.write
webhook list                                              read
webhook rotate none                                       policy.write
webhook test none                                         policy.write
whoami                                                    self
`

// aside are the commands that ask no server, or are how one comes to a token.
var aside = []string{
	"api", "backup", "keys rewrap", "login", "logout", "restore", "scheduler", "serve", "stack fmt", "stack graph", "stack validate", "step", "version", "worker",
}

// TestEachCommandTakesWhatTheTableSays runs each command as each role.
func TestEachCommandTakesWhatTheTableSays(t *testing.T) {
	table := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(commandTable)) {
		words := strings.Fields(line)
		table[strings.Join(words[:len(words)-1], " ")] = words[len(words)-1]
	}
	wantEveryCommand(t, table)
	s := startServer(t)
	files := commandFiles(t)
	t.Logf("%d commands as %d roles", len(table), len(engine.Roles()))
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for _, role := range engine.Roles() {
		t.Setenv("CLOUDOPS_TOKEN", tokenOf(t, s, role).Reveal())
		for line, perm := range table {
			err := inProcess(t, s.url, strings.Fields(files.Replace(line)))
			if want := role.May(engine.Permission(perm)); errors.Is(err, engine.ErrForbidden) == want {
				t.Errorf("%s as %s: %v", line, role, err)
			}
		}
	}
}

// wantEveryCommand fails for a command that is in neither table, and for a line
// of no command.
func wantEveryCommand(t *testing.T, table map[string]string) {
	t.Helper()
	lines := map[string]bool{}
	for line := range table {
		lines[line] = true
	}
	var walk func(cmd *cobra.Command, path string)
	walk = func(cmd *cobra.Command, path string) {
		for _, below := range cmd.Commands() {
			walk(below, strings.TrimSpace(path+" "+below.Name()))
		}
		if cmd.HasSubCommands() || slices.Contains(aside, path) {
			return
		}
		found := false
		for line := range table {
			if line == path || strings.HasPrefix(line, path+" ") {
				found = true
				delete(lines, line)
			}
		}
		if !found {
			t.Errorf("command %q stands in neither table of permissions", path)
		}
	}
	walk(newRoot(), "")
	for line := range lines {
		t.Errorf("there is no command %q", line)
	}
}

// commandFiles makes the files that commands are given.
func commandFiles(t *testing.T) *strings.Replacer {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"env": "A=b\n", "password": "correct horse battery\n", "stack/stack.hcl": `stack "none" {`} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return strings.NewReplacer("ENV", filepath.Join(dir, "env"), "PASSWORD", filepath.Join(dir, "password"), "STACK", filepath.Join(dir, "stack"))
}

// tokenOf makes a user of the role and signs in.
func tokenOf(t *testing.T, s *testServer, role engine.Role) engine.Secret {
	t.Helper()
	name := "as-" + string(role)
	if err := s.client(t).CreateUser(t.Context(), client.CreateUser{Name: name, Roles: []string{string(role)}, Password: testPassword, MustChange: new(false)}); err != nil {
		t.Fatal(err)
	}
	token, err := client.New(s.url, "").Login(t.Context(), name, testPassword, "test")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// inProcess runs a command without a process of its own.
func inProcess(t *testing.T, server string, args []string) error {
	t.Helper()
	cmd := newRoot()
	cmd.SetArgs(append(args, "--server", server))
	cmd.SetOut(io.Discard)
	cmd.SetErr(io.Discard)
	cmd.SetIn(strings.NewReader(""))
	_, err := cmd.ExecuteContextC(t.Context())
	return err
}
