package blueprint

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

// testCompiler knows the modules in testdata/modules.
func testCompiler() *Compiler {
	return New(Options{
		Modules: func(name string) (fs.FS, error) {
			folder := os.DirFS(filepath.Join("testdata/modules", name))
			if _, err := fs.Stat(folder, "."); err != nil { // as the real ones say it, whatever is wrong with the name
				return nil, fs.ErrNotExist
			}
			return folder, nil
		},
		ModuleNames: []string{"aws/network", "local/greeting"},
		Playbooks: func(name string) (fs.FS, error) {
			if name != "baseline" && name != "web" {
				return nil, fs.ErrNotExist
			}
			return os.DirFS("testdata/bundle/playbooks"), nil
		},
		PlaybookNames: []string{"baseline", "web"},
		Git:           GitCLI{},
		Stack:         neighbours,
		Credentials:   vaulted,
	})
}

// vaulted are the credentials that are stored in tests.
func vaulted(_ context.Context, name string) (*engine.Credential, error) {
	kind, ok := map[string]engine.CredentialKind{
		"aws-payments": engine.CredentialEnvironment, "azure-ledger": engine.CredentialEnvironment, "gcp-keyless": engine.CredentialGCPWorkloadIdentity,
	}[name]
	if !ok {
		return nil, engine.NotFound("no credentials %s", name)
	}
	return &engine.Credential{Name: name, Kind: kind}, nil
}

// bundleWith packs the folder testdata/bundle with the text as its stack.hcl.
func bundleWith(t testing.TB, text string, more ...map[string]string) []byte {
	t.Helper()
	tree, err := ReadDir("testdata/bundle")
	if err != nil {
		t.Fatal(err)
	}
	tree["stack.hcl"] = File{Data: []byte(text)}
	for _, files := range more {
		for name, text := range files {
			tree[name] = File{Data: []byte(text)}
		}
	}
	packed, err := tree.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func TestMistakesAreToldWhereTheyAre(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := marks("stack.hcl", string(text))
			if filepath.Base(file) == "inputs.hcl" { // its modules have mistakes too
				for _, name := range []string{"backend/main.tf", "broken/main.tf", "lost/main.tf"} {
					b, err := os.ReadFile("testdata/bundle/" + name)
					if err != nil {
						t.Fatal(err)
					}
					want = append(want, marks(name, string(b))...)
				}
			}
			slices.Sort(want)

			_, _, err = testCompiler().Compile(context.Background(), bundleWith(t, string(text)), nil, engine.Pins{})

			var ds engine.Diagnostics
			if !errors.As(err, &ds) || !errors.Is(err, engine.ErrInvalid) {
				t.Fatalf("error = %v, want diagnostics", err)
			}
			var got []string
			for _, d := range ds {
				got = append(got, line(d.File, d.Start.Line, d.Summary))
				if d.Detail == "" || d.File != "" && d.Snippet == "" {
					t.Errorf("%s: no detail or no snippet", d)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s\n%v", diff, err)
			}
		})
	}
}

// marks collects the ERROR comments of a fixture.
func marks(file, text string) (want []string) {
	for i, l := range strings.Split(text, "\n") {
		if _, summary, ok := strings.Cut(l, "# ERROR: "); ok {
			want = append(want, line(file, i+1, strings.TrimSpace(summary)))
		}
	}
	return want
}

func line(file string, n int, summary string) string {
	return file + ":" + itoa(int64(n)) + ": " + summary
}
