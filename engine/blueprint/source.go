package blueprint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"
)

// source is where a module or playbook comes from: one of shipped, folder and
// git is set.
type source struct {
	text    string // as written, in its shortest form
	shipped string // "aws/network"
	folder  string // of the tree; a file for a playbook
	git     *gitSource
}

// gitSource is a folder of a Git repository.
type gitSource struct {
	url string
	ref string // tag, branch or commit; empty for the default branch
	sub string // "." for the top
}

// dir is where the files of the repository are put in the tree. The same
// address always gives the same folder.
func (g *gitSource) dir() string {
	sum := sha256.Sum256([]byte(g.url + "\x00" + g.ref))
	return vendored + "/git/" + hex.EncodeToString(sum[:8])
}

// key tells modules apart.
func (s source) key() string {
	if s.git != nil {
		return path.Join(s.git.dir(), s.git.sub)
	}
	if s.shipped != "" {
		return "modules/" + s.shipped
	}
	return s.folder
}

// runAs is how the runner finds the source.
func (s source) runAs() string {
	if s.shipped != "" {
		return s.text
	}
	if key := s.key(); key != "." {
		return "./" + key
	}
	return "./"
}

const supported = `Supported are "modules/<cloud>/<name>" (shipped), "./folder" (of this stack) and "git::https://host/repo.git//folder?ref=v1".`

var registryRule = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-z0-9.-]+\.[a-z]+/)?[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/[a-z0-9]+(//.*)?$`)
})

// parseSource reads the source of a Terraform component. problem says what is
// wrong with it and what to write instead.
func parseSource(text string) (src source, problem string) {
	switch {
	case strings.HasPrefix(text, "modules/"):
		return source{text: text, shipped: strings.TrimPrefix(text, "modules/")}, ""
	case text == "." || strings.HasPrefix(text, "./"):
		if leadsOut(text) {
			return src, fmt.Sprintf("%q leads out of the stack's folder; put the module below it.", text)
		}
		return source{text: text, folder: path.Clean(text)}, ""
	case strings.HasPrefix(text, "../"), strings.HasPrefix(text, "/"):
		return src, fmt.Sprintf("%q is outside of the stack's folder; put the module below it, or take it from Git. %s", text, supported)
	case strings.HasPrefix(text, "git::"):
		return parseGit(text)
	case strings.HasPrefix(text, "github.com/"), strings.HasPrefix(text, "gitlab.com/"), strings.HasPrefix(text, "bitbucket.org/"):
		return src, fmt.Sprintf("Say that %q is fetched with Git. Did you mean %q?", text, "git::https://"+text)
	case registryRule().MatchString(text):
		return src, fmt.Sprintf("%q looks like a module of a registry, which cannot be used yet. %s", text, supported)
	default:
		return src, fmt.Sprintf("%q is no module source. %s", text, supported)
	}
}

// leadsOut reports whether a relative path leaves the folder it starts in.
func leadsOut(name string) bool {
	clean := path.Clean(name)
	return clean == ".." || strings.HasPrefix(clean, "../") || path.IsAbs(clean) || strings.Contains(name, `\`)
}

func parseGit(text string) (src source, problem string) {
	u, err := url.Parse(strings.TrimPrefix(text, "git::"))
	switch {
	case err != nil:
		return src, "The address after git:: cannot be read as a URL. " + supported
	case u.Scheme != "https" && u.Scheme != "file":
		return src, "Modules are fetched with git::https:// or git::file://, and with nothing else. " + supported
	case u.User != nil:
		return src, "An address with a user or a token in it would be shown to everybody who sees the stack. Take it out."
	case u.Scheme == "https" && u.Host == "" || u.Scheme == "file" && u.Host != "" || u.Fragment != "":
		return src, "The address after git:: has no host, or more than a path. " + supported
	}
	ref, problem := gitRef(u.Query())
	if problem != "" {
		return src, problem
	}
	u.RawQuery = ""
	repo, sub, _ := strings.Cut(u.Path, "//")
	if sub == "" {
		sub = "."
	}
	if leadsOut(sub) || strings.Contains(repo, "..") {
		return src, "The address after git:: leads out of the repository."
	}
	u.Path, u.RawPath = repo, ""
	return source{text: text, git: &gitSource{url: u.String(), ref: ref, sub: path.Clean(sub)}}, ""
}

func gitRef(query url.Values) (ref, problem string) {
	for name := range query {
		if name != "ref" {
			return "", fmt.Sprintf("%q after the ? is not known; a Git source takes ?ref=<tag, branch or commit> only.", name)
		}
	}
	ref = query.Get("ref")
	if strings.HasPrefix(ref, "-") || strings.ContainsFunc(ref, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`:^~?*[\`, r) }) || strings.Contains(ref, "..") {
		return "", fmt.Sprintf("%q is no tag, branch or commit.", ref)
	}
	return ref, ""
}
