package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// cloudopsWith runs a command with further variables and returns what it says.
func cloudopsWith(env []string, args ...string) (string, error) {
	cmd := exec.Command("cloudops", args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestServerGoesOnFromABackup backs a server up in the middle of a run, and
// starts another from the file, on the other kind of database.
func TestServerGoesOnFromABackup(t *testing.T) {
	t.Parallel()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	identity := filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(identity, []byte(key.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	moves := map[string][2]func(t *testing.T) []string{
		"from SQLite to PostgreSQL": {onSQLite, onPostgres},
		"from PostgreSQL to SQLite": {onPostgres, onSQLite},
	}
	for name, databases := range moves {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := databases[0](t)
			v := startSurvivor(t, startServer(t, first...), "terraform")
			v.until(t, func() bool { return strings.Contains(v.cli(t, "", "run", "logs", v.run), "line 20.") })
			file := filepath.Join(t.TempDir(), "backup.age")
			out, err := cloudopsWith(nil, append([]string{"backup", "--to", file, "--recipient", key.Recipient().String(),
				"--data-dir", filepath.Join(v.testServer.dir, "data")}, databaseOf(first)...)...)
			if err != nil || !strings.Contains(out, "1 stacks, 1 runs") {
				t.Fatalf("backup: %v: %s", err, out)
			}
			b, err := os.ReadFile(file)
			if err != nil || bytes.Contains(b, []byte("survivor")) {
				t.Errorf("the backup is plain text, or not there: %v", err)
			}
			v.open(t)
			v.succeeded(t)

			second := databases[1](t)
			data := filepath.Join(t.TempDir(), "data")
			restore := append([]string{"restore", "--from", file, "--identity", identity, "--data-dir", data}, databaseOf(second)...)
			if out, err := cloudopsWith(nil, restore...); err != nil {
				t.Fatalf("restore: %v: %s", err, out)
			}
			if out, err := cloudopsWith(nil, restore...); err == nil || !strings.Contains(out, "not empty") {
				t.Errorf("restored over what is there: %v: %s", err, out)
			}
			s := startServer(t, append(second, "--data-dir", data, "--master-key-file", filepath.Join(v.testServer.dir, "data", "master.key"))...)
			w := &survivor{testServer: s, run: v.run, dir: v.dir}
			w.interrupted(t) // for its runner reports to the other server
			if out := s.cli(t, "", "stack", "list"); !strings.Contains(out, "survivor") {
				t.Errorf("stacks: %s", out)
			}
			if log := s.cli(t, "", "run", "logs", v.run); !strings.Contains(log, "line 20.") || strings.Contains(log, "line 21.") {
				t.Errorf("log: %s", log)
			}
		})
	}
}

func onSQLite(*testing.T) []string { return nil }

func onPostgres(t *testing.T) []string {
	return []string{"--database-url", enginetest.Postgres(t), "--redis-url", enginetest.Redis(t)}
}

// databaseOf is the part of a server's flags that names its database.
func databaseOf(flags []string) []string { return flags[:min(2, len(flags))] }

func TestBackupSaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	there := filepath.Join(dir, "there")
	if err := os.WriteFile(there, []byte("no backup"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		env  []string
		args []string
		want string
	}{
		"nobody can open it":       {nil, []string{"backup", "--to", filepath.Join(dir, "b")}, "say who can open the backup"},
		"a recipient is none":      {nil, []string{"backup", "--to", filepath.Join(dir, "b"), "--recipient", "me"}, "--recipient me"},
		"there is no database":     {[]string{"CLOUDOPS_BACKUP_PASSPHRASE=p"}, []string{"backup", "--to", filepath.Join(dir, "b"), "--data-dir", dir}, "there is no database at " + dir},
		"nothing opens it":         {nil, []string{"restore", "--from", there, "--data-dir", dir}, "say what opens the backup"},
		"it is no backup":          {[]string{"CLOUDOPS_BACKUP_PASSPHRASE=p"}, []string{"restore", "--from", there, "--data-dir", dir}, "the backup cannot be opened"},
		"there is nothing to read": {[]string{"CLOUDOPS_BACKUP_PASSPHRASE=p"}, []string{"restore", "--from", filepath.Join(dir, "none"), "--data-dir", dir}, "no such file"},
		"the file has no name":     {nil, []string{"backup"}, `"to"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if out, err := cloudopsWith(test.env, test.args...); err == nil || !strings.Contains(out, test.want) {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("these files are left: %q", left)
	}
}
