package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What documents name: a target of make where a command stands, a file or folder
// of the repository by its path, and whatever a link leads to.
var (
	namedTarget = regexp.MustCompile("(?m)(?:^\\$ |`|=1 )make ([a-z-]+)")
	namedPath   = regexp.MustCompile(`(?m)(?:^|[\s(` + "`" + `"\[])((?:api|bench|chaos|cmd|deploy|docs|engine|examples|modules|playbooks|workers)/[\w./-]*\w)`)
	linkedPath  = regexp.MustCompile(`\]\(([^):#]+)(?:#[^)]*)?\)`)
)

func TestDocumentsNameWhatIsThere(t *testing.T) {
	root := filepath.Join("..", "..")
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(read(t, filepath.Join(root, "Makefile")), -1) {
		targets[m[1]] = true
	}
	for _, name := range []string{"README.md", "CONTRIBUTING.md"} {
		text := read(t, filepath.Join(root, name))
		made := namedTarget.FindAllStringSubmatch(text, -1)
		for _, m := range made {
			if !targets[m[1]] {
				t.Errorf("%s: there is no make %s", name, m[1])
			}
		}
		named := append(namedPath.FindAllStringSubmatch(text, -1), linkedPath.FindAllStringSubmatch(text, -1)...)
		for _, m := range named {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s: %s is not there", name, m[1])
			}
		}
		if len(made) < 2 || len(named) < 10 {
			t.Errorf("%s names %d targets and %d paths: this test does not see them", name, len(made), len(named))
		}
	}
}

func TestLinksBetweenDocumentsLeadSomewhere(t *testing.T) {
	for _, pattern := range []string{"docs/*.md", "docs/adr/*.md", "deploy/*.md", "examples/*/*.md", "modules/*.md", "playbooks/*.md"} {
		files, err := filepath.Glob(filepath.Join("..", "..", pattern))
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			for _, m := range linkedPath.FindAllStringSubmatch(read(t, file), -1) {
				if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
					t.Errorf("%s: %s is not there", strings.TrimPrefix(file, "../../"), m[1])
				}
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
