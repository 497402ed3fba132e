package blueprint

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

const netModule = `variable "name" { type = string }
output "id" { value = "%s" }
module "base" { source = "../base" }
`

// aRegistry offers a few modules, some only to who has its token.
type aRegistry struct {
	host     string
	versions []string
	git      string // address of a repository
	asked    []string
}

func newRegistry(t *testing.T) (*aRegistry, *Compiler) {
	t.Helper()
	r := &aRegistry{versions: []string{"1.0.0", "1.2.0", "1.2.1", "2.0.0", "2.1.0-beta1", "what"}}
	server := httptest.NewTLSServer(r)
	t.Cleanup(server.Close)
	r.host = strings.TrimPrefix(server.URL, "https://")
	c := testCompiler()
	c.Registry = &RegistryHTTP{Client: server.Client(), Token: func(context.Context, string) (engine.Secret, error) { return "hush", nil }}
	return r, c
}

func (r *aRegistry) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.asked = append(r.asked, q.URL.Path)
	version := strings.TrimSuffix(filepath.Base(filepath.Dir(q.URL.Path)), "/")
	switch {
	case q.URL.Path == "/.well-known/terraform.json":
		io.WriteString(w, `{"modules.v1": "/api/modules/", "other.v1": {}}`)
	case q.Header.Get("Authorization") != "Bearer hush":
		w.WriteHeader(http.StatusForbidden)
	case strings.HasPrefix(q.URL.Path, "/api/modules/team/none/"):
		w.WriteHeader(http.StatusNotFound)
	case strings.HasSuffix(q.URL.Path, "/versions"):
		var list []string
		for _, v := range r.versions {
			list = append(list, fmt.Sprintf(`{"version": %q}`, v))
		}
		fmt.Fprintf(w, `{"modules": [{"versions": [%s]}]}`, strings.Join(list, ","))
	case strings.HasPrefix(q.URL.Path, "/api/modules/team/zip/"):
		w.Header().Set("X-Terraform-Get", "/files/"+version+".zip//net-*")
	case strings.HasPrefix(q.URL.Path, "/api/modules/team/repo/"):
		w.Header().Set("X-Terraform-Get", r.git)
	case strings.HasPrefix(q.URL.Path, "/api/modules/team/body/"):
		fmt.Fprintf(w, `{"location": "/files/%s?archive=tar.gz"}`, version)
	case strings.HasPrefix(q.URL.Path, "/api/modules/team/silent/"):
		w.WriteHeader(http.StatusNoContent)
	case strings.HasSuffix(q.URL.Path, "/download"):
		w.Header().Set("X-Terraform-Get", "./../../../../../../files/"+version+".tar.gz")
	case strings.HasSuffix(q.URL.Path, ".zip"):
		w.Write(zipOf(strings.TrimSuffix(filepath.Base(q.URL.Path), ".zip")))
	default:
		w.Write(tarOf(strings.TrimSuffix(filepath.Base(q.URL.Path), ".tar.gz")))
	}
}

func moduleFiles(version string) map[string]string {
	return map[string]string{
		"net/main.tf": fmt.Sprintf(netModule, version), "base/main.tf": "", "main.tf": fmt.Sprintf(`output "id" { value = %q }`, version), "README.md": "x",
	}
}

func tarOf(version string) []byte {
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	tw := tar.NewWriter(gz)
	for name, text := range moduleFiles(version) {
		tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(text)), Mode: 0o644})
		io.WriteString(tw, text)
	}
	tw.WriteHeader(&tar.Header{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})
	tw.Close()
	gz.Close()
	return b.Bytes()
}

func zipOf(version string) []byte {
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for name, text := range moduleFiles(version) {
		w, _ := zw.Create("net-" + version + "/" + name)
		io.WriteString(w, text)
	}
	zw.Close()
	return b.Bytes()
}

func registryStack(source, version string) string {
	return fmt.Sprintf("stack \"s\" {}\nterraform \"a\" {\n  source = %q\n  version = %q\n}\noutput \"o\" { value = terraform.a.outputs.id }\n", source, version)
}

func TestModulesOfARegistryAreTakenInTheNewestVersionThatFits(t *testing.T) {
	tests := map[string]struct{ source, constraint, want string }{
		"an archive":                      {"team/net/aws", "~> 1.0", "1.2.1"},
		"another one":                     {"team/net/aws", ">= 1.0, < 1.2.1", "1.2.0"},
		"no constraint":                   {"team/net/aws", "", "2.0.0"},
		"a pre-release by its name":       {"team/net/aws", "2.1.0-beta1", "2.1.0-beta1"},
		"a zip with a folder around":      {"team/zip/aws", "1.0.0", "1.0.0"},
		"an address in the answer's body": {"team/body/aws", "1.0.0", "1.0.0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, c := newRegistry(t)
			rev := compileText(t, c, registryStack(r.host+"/"+tt.source, tt.constraint), nil)

			part := rev.Blueprint.Components[0]
			if part.Version != tt.want || part.Constraint != tt.constraint {
				t.Errorf("version %s for %q, want %s", part.Version, part.Constraint, tt.want)
			}
			tree, err := Unpack(rev.Sources)
			job, jerr := c.Evaluate(t.Context(), rev, "terraform.a", false, nil)
			if err != nil || jerr != nil || !strings.Contains(string(tree[strings.TrimPrefix(job.Terraform.Source, "./")+"/main.tf"].Data), tt.want) {
				t.Errorf("the module is not in %s: %v, %v", job.Terraform.Source, err, jerr)
			}
		})
	}
}

func TestAModuleOfARegistryBringsTheFoldersBesideIt(t *testing.T) {
	r, c := newRegistry(t)
	text := strings.Replace(registryStack(r.host+"/team/net/aws//net", "1.0.0"), "version =", "inputs = { name = \"x\" }\n version =", 1)
	rev := compileText(t, c, text, nil)
	tree, err := Unpack(rev.Sources)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, name := range tree.names() {
		if rest, ok := strings.CutPrefix(name, ".cloudops/registry/"); ok {
			files = append(files, rest[strings.Index(rest, "/")+1:])
		}
	}
	if got := strings.Join(files, " "); got != "base/main.tf net/main.tf" {
		t.Errorf("taken: %s", got)
	}
}

func TestAVersionStaysChosenUntilAnUpgrade(t *testing.T) {
	r, c := newRegistry(t)
	r.versions = []string{"1.0.0"}
	text := registryStack(r.host+"/team/net/aws", "~> 1.0")
	rev := compileText(t, c, text, nil)
	r.versions = append(r.versions, "1.3.0")
	chosen := func(sources []byte, pins engine.Pins) string {
		t.Helper()
		bp, _, err := c.Compile(t.Context(), sources, nil, pins)
		if err != nil {
			t.Fatal(err)
		}
		return bp.Components[0].Version
	}
	lock := map[string]string{rev.Blueprint.Components[0].Lock(): "1.0.0"}
	if v := chosen(bundleWith(t, text), engine.Pins{Versions: lock}); v != "1.0.0" {
		t.Errorf("the version that was chosen before became %s", v)
	}
	if v := chosen(bundleWith(t, text), engine.Pins{}); v != "1.3.0" {
		t.Errorf("chosen anew: %s", v)
	}
	asked := len(r.asked)
	if v := chosen(rev.Sources, engine.Pins{Keep: true}); v != "1.0.0" || len(r.asked) != asked {
		t.Errorf("kept: %s, and the registry was asked %d times more", v, len(r.asked)-asked)
	}
	r.versions = []string{"1.3.0"}
	if v := chosen(bundleWith(t, text), engine.Pins{Versions: lock}); v != "1.3.0" {
		t.Errorf("in place of a version that is gone: %s", v)
	}
}

func TestModulesOfARegistryThatCannotBeUsed(t *testing.T) {
	tests := map[string]struct{ source, constraint, git, wantErr string }{
		"no version fits":              {"%s/team/net/aws", "~> 3.0", "", `no version fits "~> 3.0"; there is 2.1.0-beta1, 2.0.0, 1.2.1, 1.2.0, 1.0.0`},
		"a constraint that is none":    {"%s/team/net/aws", "newest", "", "is no version constraint"},
		"a module that is not there":   {"%s/team/none/aws", "1.0.0", "", "there is nothing at"},
		"a folder outside":             {"%s/team/net/aws//../../x", "1.0.0", "", "leads out of the module"},
		"a folder that is not there":   {"%s/team/net/aws//nat", "1.0.0", "", "cannot be read as a folder"},
		"a registry that is not there": {"127.0.0.1:1/team/net/aws", "1.0.0", "", "cannot be reached"},
		"a repository on a disk":       {"%s/team/repo/aws", "1.0.0", "git::file:///srv/repo", "which is not fetched"},
		"a repository by SSH":          {"%s/team/repo/aws", "1.0.0", "git::ssh://git@example.com/repo", "with nothing else"},
		"plain HTTP":                   {"%s/team/repo/aws", "1.0.0", "http://example.com/x.tar.gz", "is no https address"},
		"no address at all":            {"%s/team/silent/aws", "1.0.0", "", "does not say where"},
		"a version of a shipped one":   {"modules/local/greeting", "1.0.0", "", "Only modules of registries have versions"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, c := newRegistry(t)
			r.git = tt.git
			_, _, err := c.Compile(t.Context(), bundleWith(t, registryStack(strings.Replace(tt.source, "%s", r.host, 1), tt.constraint)), nil, engine.Pins{})
			wantInvalid(t, err, tt.wantErr)
		})
	}
	r, c := newRegistry(t)
	c.Registry.(*RegistryHTTP).Token = nil
	_, _, err := c.Compile(t.Context(), bundleWith(t, registryStack(r.host+"/team/net/aws", "1.0.0")), nil, engine.Pins{})
	wantInvalid(t, err, "refuses (403): store a token for it, as credentials named "+RegistryCredential(r.host))
}

func TestTheTokenOfARegistryGoesNowhereElse(t *testing.T) {
	var got string
	other := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		got = q.Header.Get("Authorization")
		w.Write(tarOf("1.0.0"))
	}))
	defer other.Close()
	r := &RegistryHTTP{Client: other.Client(), Token: func(_ context.Context, host string) (engine.Secret, error) {
		if host == "registry.example.com" {
			return "hush", nil
		}
		return "", nil
	}}
	if err := r.Archive(t.Context(), other.URL+"/x.tar.gz", t.TempDir()); err != nil || got != "" {
		t.Errorf("sent %q, %v", got, err)
	}
}
