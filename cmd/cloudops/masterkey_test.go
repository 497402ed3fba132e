package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/amazon"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/engine/rest"
	"github.com/cloudops-manager/cloudops/engine/store"
)

// newKMSKey makes a key in AWS KMS.
func newKMSKey(t *testing.T, url string) (uri string) {
	t.Helper()
	keys, err := amazon.From(t.Context(), map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}, "eu-west-1", rest.NewClient())
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ KeyMetadata struct{ Arn string } }
	c := &amazon.Client{Service: "kms", Region: "eu-west-1", Endpoint: url, Credentials: keys, HTTP: rest.NewClient()}
	if err := c.Call(t.Context(), "TrentService.CreateKey", json.RawMessage("{}"), &made); err != nil {
		t.Fatal(err)
	}
	return "aws-kms://" + made.KeyMetadata.Arn
}

func TestNoNewMasterKeyIsMadeForADatabaseThatHasOne(t *testing.T) {
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{URL: "sqlite://" + filepath.Join(dir, "cloudops.db")})
	if err == nil {
		err = db.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	path := filepath.Join(dir, "master.key")
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	for _, o := range []*serverOptions{{masterKeyFile: path}, {masterKey: "file://" + path}} {
		if _, err := openVault(t.Context(), o, db, log); err != nil || said.Len() > 0 {
			t.Fatalf("%v, said %s", err, said.String())
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := openVault(t.Context(), &serverOptions{masterKeyFile: path}, db, log); err != nil || !strings.Contains(said.String(), "chmod 600") {
		t.Errorf("%v, said %s", err, said.String())
	}
	for _, o := range []*serverOptions{{masterKeyFile: path + ".typo"}, {masterKey: "file://" + path + ".typo"}} {
		_, err := openVault(t.Context(), o, db, log)
		if err == nil || !strings.Contains(err.Error(), "there is none at "+path+".typo, and this database has data keys under local key ") || fileExists(path+".typo") {
			t.Errorf("error = %v", err)
		}
	}
}

func TestMasterKeyMovesToAKeyServiceAndBack(t *testing.T) {
	t.Parallel()
	moto := enginetest.Moto(t)
	env := []string{"AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret", "AWS_ENDPOINT_URL_KMS=" + moto.URL}
	kms := newKMSKey(t, moto.URL)
	s := startServer(t)
	s.env = env
	data := filepath.Join(s.dir, "data")
	s.cli(t, "", "credential", "set", "prod", "--cloud", "local", "--from", writeFile(t, "creds.env", "TOKEN=hush\n"))
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()

	if out, err := cloudopsWith(env, "keys", "rewrap", "--data-dir", data, "--to", kms); err != nil || !strings.Contains(out, "2 keys are under aws-kms://") {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := cloudopsWith(env, "serve", "--data-dir", data, "--listen", "127.0.0.1:0"); err == nil || !strings.Contains(out, "which is under "+kms) {
		t.Fatalf("it starts with the old master key: %v: %s", err, out)
	}
	if out, err := cloudopsWith([]string{"AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret", "AWS_ENDPOINT_URL_KMS=http://127.0.0.1:1"},
		"serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--master-key", kms); err == nil || !strings.Contains(out, "connection refused") || !strings.Contains(out, "kms:Decrypt") {
		t.Fatalf("it starts without its key service: %v: %s", err, out)
	}
	s.args = append(s.args, "--master-key", kms)
	s.launch(t, quietPort(t))
	s.cli(t, testPassword, "login", "--server", s.url)
	if out := s.cli(t, "", "keys", "list"); !strings.Contains(out, kms) {
		t.Errorf("keys: %s", out)
	}
	s.cli(t, "", "keys", "rotate")
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()

	file := filepath.Join(t.TempDir(), "new.key")
	if out, err := cloudopsWith(env, "keys", "rewrap", "--data-dir", data, "--master-key", kms, "--to", "file://"+file); err != nil || !strings.Contains(out, "3 keys are under file://") {
		t.Fatalf("%v: %s", err, out)
	}
	s.args[len(s.args)-1] = "file://" + file
	s.launch(t, quietPort(t))
	s.cli(t, testPassword, "login", "--server", s.url)
	if out := s.cli(t, "", "credential", "list"); !strings.Contains(out, "TOKEN") {
		t.Errorf("credentials: %s", out)
	}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
