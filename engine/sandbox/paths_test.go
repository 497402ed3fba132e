package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWhatIsClosedIsNotOpenedWithAFolderAboveIt(t *testing.T) {
	base := real(t.TempDir())
	at := func(names string) (paths []string) { return under(base, names) }
	must(t, os.MkdirAll(filepath.Join(base, "opt/cloudops/data/mirror"), 0o755), os.MkdirAll(filepath.Join(base, "opt/other"), 0o755),
		os.WriteFile(filepath.Join(base, "opt/cloudops/tls.key"), nil, 0o600), os.WriteFile(filepath.Join(base, "opt/cloudops/cloudops"), nil, 0o755),
		os.Symlink(filepath.Join(base, "opt"), filepath.Join(base, "link")))
	closed := at("opt/cloudops/data opt/cloudops/tls.key missing")
	tests := map[string]struct{ open, want string }{
		"a folder above it":             {"opt", "opt/cloudops/cloudops opt/other"},
		"a link to a folder above it":   {"link", "opt/cloudops/cloudops opt/other"},
		"it":                            {"opt/cloudops/data", ""},
		"a file that is closed":         {"opt/cloudops/tls.key", ""},
		"a folder in it by its name":    {"opt/cloudops/data/mirror", "opt/cloudops/data/mirror"},
		"a folder beside it":            {"opt/other", "opt/other"},
		"a name that it begins with":    {"opt/cloudops/cloudops", "opt/cloudops/cloudops"},
		"a folder that is not there":    {"nowhere", "nowhere"},
		"nothing but what it shall not": {"link/cloudops/data", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := (Policy{Mode: Auto, Read: at(tt.open), Closed: closed}).Walls(nil, nil, nil).Read
			got = slices.DeleteFunc(got, func(path string) bool { return !strings.HasPrefix(path, base) })
			if want := at(tt.want); !slices.Equal(got, want) {
				t.Errorf("open are %q, want %q", got, want)
			}
		})
	}
}

// /etc/ssl/private is where a server's key often is.
func TestPrivateKeysOfTheMachineAreNoneOfASteps(t *testing.T) {
	w := Policy{Mode: Auto}.Walls(nil, nil, nil)
	for _, path := range []string{"/etc/ssl/private/server.key", "/etc/pki/tls/private/server.key", "/etc/ansible/vault-password", "/etc/shadow", "/etc/cloudops/cloudops.env"} {
		if within(w.Read, path) {
			t.Errorf("a step reads %s", path)
		}
	}
	for _, path := range []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/var/lib/ca-certificates/ca-bundle.pem", "/etc/ansible/ansible.cfg"} {
		if !within(w.Read, path) {
			t.Errorf("a step does not read %s", path)
		}
	}
}
