package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// tool is something that measurements need, and the command that provides it.
type tool struct{ name, how string }

var (
	terraform = tool{"terraform", "https://developer.hashicorp.com/terraform/install"}
	wrk       = tool{"wrk", "apt-get install wrk"}
	moto      = tool{"moto_server", `pipx install "moto[server]"`}
	initdb    = tool{"initdb", "apt-get install postgresql"}
	awsMirror = tool{"a mirror of the AWS provider", "terraform -chdir=modules/aws/network providers mirror /usr/local/share/terraform/plugins"}
)

// there reports whether this machine has the tool.
func (t tool) there() bool {
	if t == awsMirror {
		return providerMirror() != ""
	}
	if _, err := exec.LookPath(t.name); err == nil {
		return true
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + t.name) // which Debian keeps off PATH
	return len(found) > 0
}

// missing names all that the measurements need and this machine does not have,
// before any of them has taken its time.
func missing(chosen []measurement) error {
	var errs []error
	var seen []tool
	for _, m := range chosen {
		for _, t := range m.needs {
			if slices.Contains(seen, t) {
				continue
			}
			if seen = append(seen, t); !t.there() {
				errs = append(errs, fmt.Errorf("%s is missing, for %q; to get it: %s", t.name, m.name, t.how))
			}
		}
	}
	return errors.Join(errs...)
}

// providerMirror finds a filesystem mirror with the AWS provider: the one that
// CLOUDOPS_PROVIDER_MIRROR names, or one in the usual places; empty for none.
func providerMirror() string {
	if dir := os.Getenv("CLOUDOPS_PROVIDER_MIRROR"); dir != "" {
		return dir
	}
	home, _ := os.UserHomeDir() // without one there is none in it
	for _, place := range []string{"/usr/local/share/terraform/*", "/usr/share/terraform/*", "/opt/*", "/opt/*/*", filepath.Join(home, ".terraform.d", "*")} {
		if found, _ := filepath.Glob(filepath.Join(place, "registry.terraform.io", "hashicorp", "aws")); len(found) > 0 {
			return filepath.Dir(filepath.Dir(filepath.Dir(found[0])))
		}
	}
	return ""
}
