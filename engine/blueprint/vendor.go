package blueprint

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/cloudops-manager/cloudops/engine"
)

// Git fetches repositories.
type Git interface {
	// Fetch puts the files at ref, or at the default branch where ref is
	// empty, into the empty folder and names their commit. It wraps
	// ErrInvalid where the address or the ref is wrong.
	Fetch(ctx context.Context, url, ref, into string) (commit string, err error)
}

// vendor makes sure that the files of a component's source are in the tree.
func (l *loader) vendor(ctx context.Context, c *component) (*hcl.Diagnostic, error) {
	key := c.source.key()
	err, done := l.fetched[key]
	if !done && !(l.pins.Keep && len(l.filesIn(key)) > 0) {
		err = l.fetchInto(ctx, c.source)
		l.fetched[key] = err
	}
	if errors.Is(err, engine.ErrInvalid) {
		return mistake(c.sourceAt, "Module cannot be fetched", "%v", err), nil
	}
	return nil, err
}

func (l *loader) fetchInto(ctx context.Context, src source) error {
	tmp, err := os.MkdirTemp("", "cloudops-module-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	g, top := src.remote(), "."
	var p pin
	if src.registry != nil {
		top, p, err = l.checkout(ctx, src.registry, tmp)
	} else {
		p.Commit, err = l.clone(ctx, src.git, tmp)
	}
	if err != nil {
		return err
	}
	l.Log.InfoContext(ctx, "module fetched", "from", g.place(), "version", p.Version, "commit", p.Commit)
	if err := l.adopt(path.Join(tmp, top), g); err != nil {
		return err
	}
	return l.notePin(g.dir(), p)
}

func (l *loader) clone(ctx context.Context, g *gitSource, tmp string) (commit string, err error) {
	if l.Git == nil {
		return "", engine.Invalid("Modules from Git cannot be fetched here.")
	}
	return l.Git.Fetch(ctx, g.url, g.ref, tmp)
}

// pinsFile notes in the tree what was taken of modules from elsewhere, by their
// folders.
const pinsFile = vendored + "/modules.json"

func readPins(tree Tree) map[string]pin {
	pins := map[string]pin{}
	_ = json.Unmarshal(tree[pinsFile].Data, &pins) // there is none yet
	return pins
}

func (l *loader) notePin(dir string, p pin) error {
	l.taken[dir] = p
	b, err := json.MarshalIndent(l.taken, "", "  ")
	l.tree[pinsFile] = File{Data: append(b, '\n')}
	return err
}

// adopt puts a folder of what was fetched into the tree, with the folders
// that its modules use.
func (l *loader) adopt(repo string, g remote) error {
	todo := []string{g.folder()}
	for done := map[string]bool{}; len(todo) > 0; todo = todo[1:] {
		dir := todo[0]
		if done[dir] {
			continue
		}
		done[dir] = true
		if err := l.adoptFolder(repo, dir, g); err != nil {
			return err
		}
		l.folders = l.tree.byFolder()
		todo = append(todo, l.usedBeside(dir, g)...)
	}
	return nil
}

func (l *loader) adoptFolder(repo, dir string, g remote) error {
	files, err := ReadDir(path.Join(repo, dir))
	if err != nil {
		return engine.Invalid("%s in %s: %v", dir, g.place(), err)
	}
	b := newBuilder()
	for name, f := range l.tree {
		if err := b.add(name, f); err != nil {
			return err
		}
	}
	for name, f := range files {
		target := path.Join(g.dir(), dir, name)
		if _, there := b.tree[target]; there {
			continue
		}
		if err := b.add(target, f); err != nil {
			return engine.Invalid("with %s: %v", g.place(), err)
		}
	}
	l.tree = b.tree
	return nil
}

// usedBeside lists folders of the repository that module blocks below dir name
// and that lie outside of it.
func (l *loader) usedBeside(dir string, g remote) []string {
	var dirs []string
	at := path.Join(g.dir(), dir)
	for _, folder := range sortedKeys(l.folders) {
		if folder != at && !within(folder, at) {
			continue
		}
		m, _ := l.readModule(l.filesIn(folder)) // mistakes in it are told when it is used
		for _, c := range m.children {
			target, ok := strings.CutPrefix(path.Join(folder, c.source), g.dir()+"/")
			if c.local() && ok && !within(target, dir) && target != dir {
				dirs = append(dirs, target)
			}
		}
	}
	return dirs
}
