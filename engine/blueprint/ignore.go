package blueprint

import (
	"path"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// ignoreFile names what stays out of a bundle: one pattern a line. A pattern
// without a slash is matched against names at any depth, one with a slash
// against paths from the stack's folder. Lines with # are comments.
const ignoreFile = ".cloudopsignore"

// vendored is the folder that the engine puts fetched modules into.
const vendored = ".cloudops"

// junk is never part of a stack: other tools' folders, and states, which may
// hold secrets.
func junk(name string) bool {
	for _, part := range strings.Split(name, "/") {
		switch {
		case part == ".git", part == ".terraform", part == "node_modules", part == ".DS_Store", strings.HasPrefix(part, "._"),
			strings.HasSuffix(part, ".tfstate"), strings.Contains(part, ".tfstate."):
			return true
		}
	}
	return name == vendored || within(name, vendored)
}

// ignores is the patterns of an ignore file.
type ignores []string

func parseIgnores(text string) (ignores, error) {
	var list ignores
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		pattern := strings.TrimSuffix(line, "/")
		if _, err := path.Match(pattern, ""); err != nil || line[0] == '!' || strings.Contains(line, "**") {
			return nil, engine.Invalid("%s:%d: %q is no pattern; write names with *, ? and [a-z], one a line, without ! and **", ignoreFile, i+1, line)
		}
		list = append(list, pattern)
	}
	return list, nil
}

// match reports whether the file or folder stays out.
func (list ignores) match(name string) bool {
	for _, pattern := range list {
		subject := name
		if !strings.Contains(pattern, "/") {
			subject = path.Base(name)
		}
		if ok, err := path.Match(strings.TrimPrefix(pattern, "/"), subject); ok && err == nil {
			return true
		}
	}
	return false
}
