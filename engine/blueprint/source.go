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

// source is where a module or playbook comes from: one of shipped, folder, git
// and registry is set.
type source struct {
	text    string // as written, in its shortest form
	shipped string // "aws/network"
	folder  string // of the tree; a file for a playbook
	git     *gitSource

	registry *registrySource
}

// remote is a source that is fetched and put into the tree.
type remote interface {
	// dir is where the files are put in the tree. The same source always gives
	// the same folder.
	dir() string
	// folder is that of the module in them; "." for the top.
	folder() string
	// place says for people where it is.
	place() string
}

// remote returns the source that is to be fetched, or nil.
func (s source) remote() remote {
	switch {
	case s.git != nil:
		return s.git
	case s.registry != nil:
		return s.registry
	}
	return nil
}

// registrySource is a module of a registry.
type registrySource struct {
	text       string // as written
	host       string
	module     string // namespace/name/provider
	sub        string // "." for the top
	constraint string
}

// publicRegistry is where modules are looked for whose source names no host.
const publicRegistry = "registry.terraform.io"

func (r *registrySource) dir() string {
	sum := sha256.Sum256([]byte(r.host + "\x00" + r.module + "\x00" + r.constraint))
	return vendored + "/registry/" + hex.EncodeToString(sum[:8])
}

func (r *registrySource) folder() string { return r.sub }

func (r *registrySource) place() string { return r.module + " of " + r.host }

// lock is engine.Component.Lock of components with this source.
func (r *registrySource) lock() string { return r.text + " " + r.constraint }

// gitSource is a folder of a Git repository.
type gitSource struct {
	url string
	ref string // tag, branch or commit; empty for the default branch
	sub string // "." for the top
}

func (g *gitSource) folder() string { return g.sub }

func (g *gitSource) place() string { return g.url }

func (g *gitSource) dir() string {
	sum := sha256.Sum256([]byte(g.url + "\x00" + g.ref))
	return vendored + "/git/" + hex.EncodeToString(sum[:8])
}

// key tells modules apart.
func (s source) key() string {
	if r := s.remote(); r != nil {
		return path.Join(r.dir(), r.folder())
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

const supported = `Supported are "modules/<cloud>/<name>" (shipped), "./folder" (of this stack), "namespace/name/provider" (of a registry) and "git::https://host/repo.git//folder?ref=v1".`

var registryRule = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:([a-z0-9.-]+(?:\.[a-z0-9]+)(?::\d+)?)/)?([A-Za-z0-9_-]+/[A-Za-z0-9_-]+/[a-z0-9]+)(?://(.*))?$`)
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
		return parseRegistry(text)
	default:
		return src, fmt.Sprintf("%q is no module source. %s", text, supported)
	}
}

func parseRegistry(text string) (src source, problem string) {
	m := registryRule().FindStringSubmatch(text)
	r := &registrySource{text: text, host: m[1], module: m[2], sub: path.Clean(m[3])}
	if r.host == "" {
		r.host = publicRegistry
	}
	if leadsOut(m[3]) {
		return src, "The folder after // leads out of the module."
	}
	return source{text: text, registry: r}, ""
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
