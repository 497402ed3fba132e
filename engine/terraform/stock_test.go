package terraform

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/openpgp"       //lint:ignore SA1019 enough to sign for a registry that lives as long as a test
	"golang.org/x/crypto/openpgp/armor" //lint:ignore SA1019 as above
)

// registry is a provider registry with one provider, which cannot be started.
type registry struct {
	host    string
	signer  *openpgp.Entity
	archive []byte
	fetched atomic.Int32 // downloads of the archive
}

const archiveName = "terraform-provider-thing_1.0.0.zip"

func newRegistry(t *testing.T) *registry {
	t.Helper()
	signer, err := openpgp.NewEntity("Test", "", "test@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	f, err := z.Create("terraform-provider-thing_v1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, "the provider"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r := &registry{signer: signer, archive: archive.Bytes()}
	srv := httptest.NewTLSServer(r)
	t.Cleanup(srv.Close)
	r.host = strings.TrimPrefix(srv.URL, "https://")
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", ca) // one of the few that children get
	return r
}

// sums is the list of checksums that the registry signs. It has another
// system's as well, as real ones do.
func (r *registry) sums() []byte {
	sum := sha256.Sum256(r.archive)
	return fmt.Appendf(nil, "%s  %s\n%064d  other.zip\n", hex.EncodeToString(sum[:]), archiveName, 7)
}

func (r *registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	const base = "/v1/providers/acme/thing/"
	switch path := strings.TrimPrefix(req.URL.Path, base); path {
	case "/.well-known/terraform.json":
		answer(w, map[string]any{"providers.v1": "/v1/providers/"})
	case "versions":
		answer(w, map[string]any{"versions": []any{map[string]any{"version": "1.0.0", "protocols": []string{"5.0"},
			"platforms": []any{map[string]any{"os": runtime.GOOS, "arch": runtime.GOARCH}}}}})
	case "1.0.0/download/" + runtime.GOOS + "/" + runtime.GOARCH:
		r.answerPackage(w, base)
	case "archive":
		if req.Method == http.MethodGet {
			r.fetched.Add(1)
		}
		w.Write(r.archive)
	case "sums":
		w.Write(r.sums())
	case "signature":
		_ = openpgp.DetachSign(w, r.signer, bytes.NewReader(r.sums()), nil) // Terraform complains of a broken one
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (r *registry) answerPackage(w http.ResponseWriter, base string) {
	var key bytes.Buffer
	a, err := armor.Encode(&key, openpgp.PublicKeyType, nil)
	if err == nil {
		err = r.signer.Serialize(a)
	}
	if err != nil || a.Close() != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(r.archive)
	answer(w, map[string]any{
		"protocols": []string{"5.0"}, "os": runtime.GOOS, "arch": runtime.GOARCH, "filename": archiveName,
		"download_url": base + "archive", "shasums_url": base + "sums", "shasums_signature_url": base + "signature",
		"shasum":       hex.EncodeToString(sum[:]),
		"signing_keys": map[string]any{"gpg_public_keys": []any{map[string]any{"key_id": r.signer.PrimaryKey.KeyIdString(), "ascii_armor": key.String()}}},
	})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client sees that it is short
}

// initialize goes as far as plans do before they start a provider.
func initialize(t *testing.T, w *world) {
	t.Helper()
	r, err := w.driver.open(t.Context(), w.attempt(t), w.bundle, nil, io.Discard)
	if err != nil {
		t.Error(err)
		return
	}
	r.close()
}

// uses is a module that needs the registry's provider.
func (r *registry) uses() string {
	return fmt.Sprintf(`terraform {
  required_providers {
    thing = { source = "%s/acme/thing" }
  }
}
resource "terraform_data" "x" { input = "x" }
`, r.host)
}

func TestProviderIsFetchedOnceForAllRuns(t *testing.T) {
	r := newRegistry(t)
	w := newWorld(t, map[string]string{"x/main.tf": r.uses()})
	w.job.Terraform.Lock = false
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			initialize(t, w)
		})
	}
	wg.Wait()
	if n := r.fetched.Load(); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	kept := filepath.Join(w.driver.store(), r.host, "acme/thing/1.0.0", runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-thing_v1.0.0")
	if b, err := os.ReadFile(kept); err != nil || string(b) != "the provider" {
		t.Errorf("store has %q, %v", b, err)
	}
}

// A lock file that was made on another system knows the package by the
// registry's checksums only, and nothing on disk fits them.
func TestLockFileOfAnotherSystemIsKept(t *testing.T) {
	r := newRegistry(t)
	sum := sha256.Sum256(r.archive)
	locks := fmt.Sprintf(`provider "%s/acme/thing" {
  version = "1.0.0"
  hashes = [
    "h1:oS1oYyC4jHVGnCJBuM6Fp2cDA0Zg8dmMkKOtzCNNLmg=",
    "zh:%s",
  ]
}
`, r.host, hex.EncodeToString(sum[:]))
	w := newWorld(t, map[string]string{"x/main.tf": r.uses(), "x/" + lockFile: locks})
	first := newWorld(t, map[string]string{"x/main.tf": r.uses()})
	first.driver = w.driver
	initialize(t, first) // now the store has it
	initialize(t, w)
	b, err := os.ReadFile(filepath.Join(w.bundle, "x", lockFile))
	if err != nil || string(b) != locks {
		t.Errorf("the user's lock file is %s, %v", b, err)
	}
	initialize(t, w)
	if n := r.fetched.Load(); n != 2 {
		t.Errorf("fetched %d times", n)
	}
}

func TestPackageThatIsNotTheLockedOneIsRefused(t *testing.T) {
	r := newRegistry(t)
	locks := fmt.Sprintf("provider \"%s/acme/thing\" {\n  version = \"1.0.0\"\n  hashes = [\"zh:%064d\"]\n}\n", r.host, 8)
	w := newWorld(t, map[string]string{"x/main.tf": r.uses(), "x/" + lockFile: locks})
	_, err := w.driver.Plan(t.Context(), w.job, w.bundle, io.Discard)
	if err == nil || !strings.HasPrefix(err.Error(), "terraform init: Error: ") || !mentions(err, "checksums") {
		t.Errorf("error = %v", err)
	}
}

func TestUnknownProviderIsToldInTerraformsWords(t *testing.T) {
	r := newRegistry(t)
	w := newWorld(t, map[string]string{"x/main.tf": strings.ReplaceAll(r.uses(), "thing", "thingy")})
	_, err := w.driver.Plan(t.Context(), w.job, w.bundle, io.Discard)
	if err == nil || !strings.HasPrefix(err.Error(), "terraform init: Error: ") || !mentions(err, "does not have a provider named", "provider registry") {
		t.Errorf("error = %v", err)
	}
}
