package terraform

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/hashicorp/hc-install/releases"
)

// releaseSite stands in for releases.hashicorp.com: its files by their paths.
type releaseSite map[string][]byte

func (s releaseSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, found := s[r.URL.Path]
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", map[string]string{".json": "application/json", ".zip": "application/zip"}[path.Ext(r.URL.Path)])
	w.Write(b)
}

// publish makes a site with these versions of a program that tells its version,
// with checksums that the key signs.
func publish(t *testing.T, key *openpgp.Entity, versions ...string) releaseSite {
	t.Helper()
	site, index := releaseSite{}, map[string]any{}
	for _, v := range versions {
		file := fmt.Sprintf("terraform_%s_%s_%s.zip", v, runtime.GOOS, runtime.GOARCH)
		sums := "terraform_" + v + "_SHA256SUMS"
		dir := "/terraform/" + v + "/"
		site[dir+file] = zipped(t, "terraform", "#!/bin/sh\necho '{\"terraform_version\": \""+v+"\"}'\n")
		site.sign(t, key, dir+sums, fmt.Sprintf("%x  %s\n", sha256.Sum256(site[dir+file]), file))
		index[v] = map[string]any{
			"name": "terraform", "version": v, "shasums": sums, "shasums_signature": sums + ".sig",
			"builds": []map[string]string{{"os": runtime.GOOS, "arch": runtime.GOARCH, "filename": file, "url": "https://releases.hashicorp.com" + dir + file}},
		}
	}
	site["/terraform/index.json"], _ = json.Marshal(map[string]any{"name": "terraform", "versions": index})
	return site
}

func (s releaseSite) sign(t *testing.T, key *openpgp.Entity, path, text string) {
	t.Helper()
	var signature bytes.Buffer
	if err := openpgp.DetachSign(&signature, key, strings.NewReader(text), nil); err != nil {
		t.Fatal(err)
	}
	s[path], s[path+".sig"] = []byte(text), signature.Bytes()
}

func zipped(t *testing.T, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err == nil {
		_, err = io.WriteString(w, content)
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func newKey(t *testing.T) (key *openpgp.Entity, public string) {
	t.Helper()
	key, err := openpgp.NewEntity("releases", "", "releases@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
	if err == nil {
		err = key.Serialize(w)
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return key, b.String()
}

// installer is a driver on a machine without Terraform, which trusts the key.
func installer(t *testing.T, site http.Handler, key string) (*Driver, *httptest.Server) {
	t.Helper()
	t.Setenv("PATH", t.TempDir())
	web := httptest.NewServer(site)
	t.Cleanup(web.Close)
	d := New(Options{DataDir: t.TempDir()})
	d.releases = releases.LatestVersion{ApiBaseURL: web.URL, ArmoredPublicKey: key}
	return d, web
}

func TestTerraformIsInstalledOnceWhereThereIsNone(t *testing.T) {
	key, public := newKey(t)
	d, web := installer(t, publish(t, key, "1.5.7", "1.9.0", "1.11.4", "2.0.0"), public)
	var log bytes.Buffer
	binary, err := d.find(t.Context(), &log)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := d.versionOf(t.Context(), binary)
	if err != nil || !strings.Contains(answer, "1.11.4") || !strings.Contains(log.String(), "Installing Terraform") {
		t.Errorf("installed %q, %v, and said %q", answer, err, log.String())
	}

	web.Close()
	again, err := d.find(t.Context(), io.Discard)
	if again != binary || err != nil {
		t.Errorf("the second time it is %q, %v", again, err)
	}
	if left, _ := filepath.Glob(filepath.Join(d.DataDir, "terraform", "new-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestTerraformThatIsNotAsReleasedIsNotInstalled(t *testing.T) {
	key, public := newKey(t)
	stranger, _ := newKey(t)
	archive := fmt.Sprintf("/terraform/1.11.4/terraform_1.11.4_%s_%s.zip", runtime.GOOS, runtime.GOARCH)
	const sums = "/terraform/1.11.4/terraform_1.11.4_SHA256SUMS"
	tests := map[string]struct {
		spoil func(s releaseSite)
		says  string
	}{
		"another archive": {func(s releaseSite) { s[archive] = zipped(t, "terraform", "#!/bin/sh\necho evil\n") }, "not what its checksum says"},
		"half an archive": {func(s releaseSite) { s[archive] = s[archive][:100] }, "not whole"},
		"a program that does not run": {func(s releaseSite) {
			s[archive] = zipped(t, "terraform", "#!/bin/sh\nexit 1\n")
			s.sign(t, key, sums, fmt.Sprintf("%x  %s\n", sha256.Sum256(s[archive]), path.Base(archive)))
		}, "terraform version: exit status 1"},
		"checksums of another":  {func(s releaseSite) { s[sums] = bytes.ToUpper(s[sums]) }, "signature"},
		"a stranger's checksum": {func(s releaseSite) { s.sign(t, stranger, sums, string(s[sums])) }, "signature"},
		"no checksums":          {func(s releaseSite) { delete(s, sums) }, "404"},
		"no version in range":   {func(s releaseSite) { s["/terraform/index.json"] = publish(t, key, "1.5.7")["/terraform/index.json"] }, "no matching version"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			site := publish(t, key, "1.11.4")
			tt.spoil(site)
			d, _ := installer(t, site, public)
			_, err := d.find(t.Context(), io.Discard)
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "install it, or name it with --terraform") {
				t.Errorf("error = %v", err)
			}
			if left, err := os.ReadDir(filepath.Join(d.DataDir, "terraform")); err != nil || len(left) != 1 { // the lock
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
