package blueprint

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/egress"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// guardFor lets only what the rules name be reached beside public hosts.
func guardFor(t *testing.T, rules ...string) *egress.Guard {
	t.Helper()
	r, err := egress.ParseRules(rules)
	if err != nil {
		t.Fatal(err)
	}
	return &egress.Guard{Allow: r}
}

func TestGitGoesWhereTheGuardLetsIt(t *testing.T) {
	file, commit := repository(t, map[string]string{"net/main.tf": ""})
	repo := strings.TrimPrefix(file, "file://")
	url, ca := enginetest.GitHTTPS(t, filepath.Dir(repo))
	url += "/" + filepath.Base(repo)
	host := strings.Split(strings.TrimPrefix(url, "https://"), "/")[0]
	away := httptest.NewTLSServer(http.RedirectHandler("https://127.0.0.1:1/x", http.StatusFound))
	defer away.Close()
	elsewhere := strings.TrimPrefix(away.URL, "https://")
	trust := []string{"GIT_SSL_NO_VERIFY=1", "NO_PROXY=*", "HTTPS_PROXY=http://127.0.0.1:1", "GIT_SSL_CAINFO=" + ca}

	got, err := GitCLI{Env: trust, Guard: guardFor(t, host)}.Fetch(t.Context(), url, "v1", t.TempDir())
	if err != nil || got != commit {
		t.Errorf("commit %s, error %v", got, err)
	}
	_, err = GitCLI{Env: trust, Guard: guardFor(t)}.Fetch(t.Context(), url, "v1", t.TempDir())
	wantInvalid(t, err, "--allow-private-network "+host)
	_, err = GitCLI{Env: trust, Guard: guardFor(t, elsewhere)}.Fetch(t.Context(), away.URL+"/repo", "", t.TempDir())
	wantInvalid(t, err, "127.0.0.1:1 leads to a loopback address")
}

func TestRegistriesAreAskedAsTheGuardLets(t *testing.T) {
	r, c := newRegistry(t)
	c.Registry.(*RegistryHTTP).Client = guardFor(t).Client(egress.Limits{})
	_, _, err := c.Compile(t.Context(), bundleWith(t, registryStack(r.host+"/team/net/aws", "1.0.0")), nil, engine.Pins{})
	wantInvalid(t, err, "--allow-private-network "+r.host)
}
