package playbooks_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// packages are what plays install. The hosts have no way to the internet, so
// the files are fetched once for a folder that they install from. Chrony and
// systemd-timesyncd exclude each other.
var packages = [][]string{
	{"sudo", "python3-apt", "unattended-upgrades", "auditd", "systemd-timesyncd", "nginx", "postgresql", "restic", "docker.io"},
	{"chrony", "prometheus-node-exporter"},
}

var imaged struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(imaged.dir) // "" removes nothing
	os.Exit(code)
}

// image returns a folder of files that hosts have beside this machine's.
func image(t *testing.T) string {
	t.Helper()
	imaged.once.Do(func() {
		if imaged.dir, imaged.err = os.MkdirTemp("", "image"); imaged.err == nil {
			imaged.err = fetch(imaged.dir)
		}
	})
	if imaged.err != nil {
		enginetest.Missing(t, fmt.Sprintf("a mirror of Debian (%v)", imaged.err), "apt-get update")
	}
	return imaged.dir
}

// fetch makes a source of packages, as sources.list(5) has it, of those that
// this machine lacks. It leaves the machine's own lists as they are.
func fetch(dir string) error {
	lists, source := filepath.Join(dir, "lists"), filepath.Join(dir, "debs")
	for _, d := range []string{lists + "/partial", source + "/partial"} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	commands := [][]string{{"update"}}
	for _, names := range packages {
		commands = append(commands, append([]string{"install", "--download-only", "--yes"}, names...))
	}
	for _, args := range commands {
		if err := aptGet(lists, source, args...); err != nil {
			return err
		}
	}
	return index(source)
}

// aptGet runs apt-get with folders that are not this machine's.
func aptGet(lists, archives string, args ...string) error {
	settings := []string{"Dir::State::lists=" + lists, "Dir::Cache::archives=" + archives, "Dir::Cache::pkgcache=",
		"Dir::Cache::srcpkgcache=", "APT::Sandbox::User=root", "Debug::NoLocking=true"}
	for _, s := range settings {
		args = append(args, "--option", s)
	}
	out, err := exec.Command("apt-get", append(args, "-qq")...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("apt-get %s: %w: %s", args[0], err, out)
	}
	return err
}

// index writes the file Packages of a source, which lists its packages.
func index(source string) error {
	debs, err := filepath.Glob(filepath.Join(source, "*.deb"))
	if err != nil {
		return err
	}
	var list bytes.Buffer
	for _, deb := range debs {
		fields, err := exec.Command("dpkg-deb", "--field", deb).Output()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(deb)
		if err != nil {
			return err
		}
		fmt.Fprintf(&list, "%sFilename: ./%s\nSize: %d\nSHA256: %x\n\n", fields, filepath.Base(deb), len(content), sha256.Sum256(content))
	}
	return os.WriteFile(filepath.Join(source, "Packages"), list.Bytes(), 0o644)
}
