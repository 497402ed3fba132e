// Package playbooks is the catalog of Ansible playbooks that come with the
// binary. They need ansible-core only. A stack names one as "playbooks/web";
// what runs is the site.yml in its folder.
package playbooks

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
)

//go:embed backup baseline decommission docker node-exporter postgres web
var catalog embed.FS

// FS returns all playbooks, each in the folder of its name.
func FS() fs.FS { return catalog }

// Names lists the playbooks in order.
func Names() []string {
	// The pattern is well formed, which is all that could go wrong.
	found, _ := fs.Glob(catalog, "*/site.yml")
	for i, site := range found {
		found[i] = path.Dir(site)
	}
	return found
}

// Open returns the files of the playbook called name. The error of a name
// that is not in Names wraps fs.ErrNotExist.
func Open(name string) (fs.FS, error) {
	if _, err := fs.Stat(catalog, path.Join(name, "site.yml")); err != nil || !fs.ValidPath(name) {
		return nil, fmt.Errorf("playbook %q: %w", name, fs.ErrNotExist)
	}
	return fs.Sub(catalog, name)
}
