package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// system is what any program needs to read: programs, libraries, certificates,
// and of /etc what says how the system works. Other files there have secrets.
var system = slices.Concat(strings.Fields("/bin /sbin /usr /lib /lib32 /lib64 /opt /nix/store /proc /sys/devices/system /sys/fs/cgroup /sys/kernel/mm"),
	[]string{"/var/lib/ca-certificates"},
	under("/etc", "ssl/certs ssl/cert.pem ssl/ca-bundle.pem ssl/openssl.cnf ssl/openssl.d pki/ca-trust pki/java pki/tls/certs pki/tls/cert.pem pki/tls/openssl.cnf pki/tls/openssl.d"+ // beside them lie the machine's private keys
		" ca-certificates ca-certificates.conf crypto-policies passwd group nsswitch.conf hosts host.conf hostname resolv.conf gai.conf services protocols"+
		" ld.so.cache ld.so.conf ld.so.conf.d ld.so.preload alternatives localtime timezone os-release debian_version lsb-release redhat-release"+
		" ssh/ssh_config ssh/ssh_config.d gitconfig mime.types python3 ansible/ansible.cfg ansible/roles ansible/collections krb5.conf profile profile.d bash.bashrc shells login.defs"),
	under("/run", "systemd/resolve resolvconf nscd"))

func under(dir, names string) (paths []string) {
	for name := range strings.FieldsSeq(names) {
		paths = append(paths, filepath.Join(dir, name))
	}
	return paths
}

// Programs lists what a child needs to read to start what PATH finds. Behind a
// folder of shims, as pyenv and asdf have it, stands what they start.
func Programs() (paths []string) {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.Base(dir) == "shims" {
			dir = filepath.Dir(dir)
		}
		if filepath.IsAbs(dir) && dir != "/" {
			paths = append(paths, dir)
		}
	}
	return paths
}

// opened lists what the policy lets steps write to that is closed, or has it within.
func (p Policy) opened() []string {
	return slices.DeleteFunc(slices.Clone(p.Write), func(path string) bool {
		return !slices.ContainsFunc(p.Closed, func(c string) bool { return within([]string{real(path)}, real(c)) })
	})
}

// except leaves the closed paths, and all in them, out of what is opened: a
// folder that has one is replaced by what else is in it. What is opened within a
// closed folder by its own name stays.
func except(open, closed []string) (left []string) {
	closed = slices.Clone(closed)
	for i := range closed {
		closed[i] = real(closed[i])
	}
	for _, path := range open {
		left = append(left, around(path, closed)...)
	}
	return left
}

func around(path string, closed []string) (left []string) {
	at := real(path)
	if !slices.ContainsFunc(closed, func(c string) bool { return within([]string{at}, c) }) {
		return []string{path}
	}
	entries, err := os.ReadDir(at)
	if err != nil || slices.Contains(closed, at) {
		return nil
	}
	for _, e := range entries {
		left = append(left, around(filepath.Join(at, e.Name()), closed)...)
	}
	return left
}

// real is the path without links; as it is where it is missing.
func real(path string) string {
	if at, err := filepath.EvalSymlinks(path); err == nil {
		return at
	}
	return filepath.Clean(path)
}
