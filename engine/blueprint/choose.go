package blueprint

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"

	"github.com/cloudops-manager/cloudops/engine"
)

// choose gives the newest version that the constraint allows: that which was
// chosen before, where it still does. Pre-releases are taken only where the
// constraint names one.
func choose(constraint, before string, offered []string) (string, error) {
	rule, err := version.NewConstraint(constraintText(constraint))
	if err != nil {
		return "", engine.Invalid("%q is no version constraint; write one such as \"~> 5.1\" or \">= 1.2, < 2.0\"", constraint)
	}
	var fits, all []*version.Version
	for _, text := range offered {
		v, err := version.NewVersion(text)
		if err != nil {
			continue // no version that could be compared
		}
		all = append(all, v)
		if rule.Check(v) && (v.Prerelease() == "" || strings.Contains(constraint, "-")) {
			fits = append(fits, v)
		}
	}
	for _, v := range fits {
		if v.Original() == before {
			return before, nil
		}
	}
	if len(fits) == 0 {
		return "", engine.Invalid("no version fits %q; there is %s", constraint, newest(all))
	}
	return slices.MaxFunc(fits, (*version.Version).Compare).Original(), nil
}

// constraintText is any released version where nothing is said.
func constraintText(constraint string) string {
	if constraint == "" {
		return ">= 0"
	}
	return constraint
}

// newest lists the newest five versions.
func newest(all []*version.Version) string {
	if len(all) == 0 {
		return "none at all"
	}
	slices.SortFunc(all, func(a, b *version.Version) int { return b.Compare(a) })
	var names []string
	for _, v := range all[:min(5, len(all))] {
		names = append(names, v.Original())
	}
	if len(all) > 5 {
		names = append(names, fmt.Sprintf("and %d older ones", len(all)-5))
	}
	return strings.Join(names, ", ")
}

// checkout puts a module of a registry into the empty folder tmp. It gives the
// folder in it where the module begins, and what was taken.
func (l *loader) checkout(ctx context.Context, r *registrySource, tmp string) (top string, p pin, err error) {
	if l.Registry == nil {
		return "", p, engine.Invalid("Modules from registries cannot be fetched here.")
	}
	offered, err := l.Registry.Versions(ctx, r.host, r.module)
	if err != nil {
		return "", p, err
	}
	if p.Version, err = choose(r.constraint, l.pins.Versions[r.lock()], offered); err != nil {
		return "", p, fmt.Errorf("module %s: %w", r.module, err)
	}
	address, err := l.Registry.Locate(ctx, r.host, r.module, p.Version)
	if err != nil {
		return "", p, err
	}
	if top, p.Commit, err = l.download(ctx, address, tmp); err != nil {
		err = fmt.Errorf("module %s %s: %w", r.module, p.Version, err)
	}
	return top, p, err
}

// download fetches what a registry points at, and gives the folder of the module
// in it, with the commit where it comes from Git.
func (l *loader) download(ctx context.Context, address, tmp string) (sub, commit string, err error) {
	if strings.HasPrefix(address, "github.com/") || strings.HasPrefix(address, "gitlab.com/") || strings.HasPrefix(address, "bitbucket.org/") {
		address = "git::https://" + address
	}
	if strings.HasPrefix(address, "git::") {
		src, problem := parseGit(address)
		switch {
		case problem != "":
			return "", "", engine.Invalid("the registry points at %q: %s", address, problem)
		case l.Git == nil:
			return "", "", engine.Invalid("Modules from Git cannot be fetched here.")
		case !strings.HasPrefix(src.git.url, "https://"):
			return "", "", engine.Invalid("the registry points at %q, which is not fetched", address)
		}
		commit, err = l.Git.Fetch(ctx, src.git.url, src.git.ref, tmp)
		return src.git.sub, commit, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", "", engine.Invalid("the registry points at %q, which is no address", address)
	}
	at, sub, _ := strings.Cut(u.Path, "//")
	u.Path, u.RawPath = at, ""
	if err := l.Registry.Archive(ctx, u.String(), tmp); err != nil {
		return "", "", err
	}
	sub, err = oneFolder(tmp, sub)
	return sub, "", err
}

// oneFolder finds the folder that a path with wild cards, such as "*", names.
func oneFolder(dir, sub string) (string, error) {
	if sub == "" {
		return ".", nil
	}
	if leadsOut(sub) {
		return "", engine.Invalid("the registry points at %q, which leads out of the archive", sub)
	}
	names, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(sub)))
	if err != nil || len(names) != 1 {
		return "", engine.Invalid("the registry points at the folder %q of an archive, which has %d of that name", sub, len(names))
	}
	rel, err := filepath.Rel(dir, names[0])
	return filepath.ToSlash(rel), err
}
