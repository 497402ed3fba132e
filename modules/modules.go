// Package modules is the catalog of Terraform modules that come with the
// binary. They are named by cloud and purpose, as in "aws/network", and a
// purpose has the same inputs and outputs on each cloud.
package modules

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
)

// Tests stay outside: they are not part of what a stack runs.
//
//go:embed aws/*/*.tf aws/*/README.md azure/*/*.tf azure/*/README.md gcp/*/*.tf gcp/*/README.md local/*/*.tf local/*/README.md
var catalog embed.FS

// FS returns all modules, each in the folder of its name.
func FS() fs.FS { return catalog }

// Names lists the modules in order.
func Names() []string {
	// The pattern is well formed, which is all that could go wrong.
	found, _ := fs.Glob(catalog, "*/*/main.tf")
	for i, main := range found {
		found[i] = path.Dir(main)
	}
	return found
}

// Open returns the files of the module called name. The error of a name that
// is not in Names wraps fs.ErrNotExist.
func Open(name string) (fs.FS, error) {
	if _, err := fs.Stat(catalog, path.Join(name, "main.tf")); err != nil || !fs.ValidPath(name) {
		return nil, fmt.Errorf("module %q: %w", name, fs.ErrNotExist)
	}
	return fs.Sub(catalog, name)
}
