package modules_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/modules"
)

func TestNamesListsEveryFolderWithAModule(t *testing.T) {
	var want []string
	for _, pattern := range []string{"aws/*", "azure/*", "gcp/*", "local/*"} {
		found, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, found...)
	}

	if diff := cmp.Diff(want, modules.Names()); diff != "" {
		t.Errorf("catalog differs from the folders (-want +got):\n%s", diff)
	}
}

func TestOpen(t *testing.T) {
	tests := map[string]struct {
		name    string
		wantErr error
	}{
		"a module's files are at the root":     {name: "aws/network"},
		"a name that is in no catalog":         {name: "aws/netwrok", wantErr: fs.ErrNotExist},
		"a cloud alone is no module":           {name: "aws", wantErr: fs.ErrNotExist},
		"a way out of the catalog is no name":  {name: "../engine", wantErr: fs.ErrNotExist},
		"a detour inside it is no name either": {name: "aws/x/../network", wantErr: fs.ErrNotExist},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			fsys, err := modules.Open(tt.name)

			if !errors.Is(err, tt.wantErr) {
				t.Fatalf("error = %v, want %v", err, tt.wantErr)
			}
			if err == nil {
				mustHave(t, fsys, "main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md")
			}
		})
	}
}

func mustHave(t *testing.T, fsys fs.FS, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := fs.Stat(fsys, name); err != nil {
			t.Error(err)
		}
	}
}

func TestModulesLeaveBackendAndProviderToTheStack(t *testing.T) {
	for _, name := range modules.Names() {
		m := readModule(t, name)
		for _, forbidden := range []string{"backend", "provider", "cloud"} {
			if slices.Contains(m.blocks, forbidden) {
				t.Errorf("%s has a %s block", name, forbidden)
			}
		}
		if _, err := os.Stat(filepath.Join(name, ".terraform.lock.hcl")); err == nil {
			t.Errorf("%s ships a lock file, which pins one platform's provider", name)
		}
	}
}
