package blueprint

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/hashicorp/hcl/v2"

	"github.com/cloudops-manager/cloudops/engine"
)

// loader finds and reads the modules of a stack, each once.
type loader struct {
	*Compiler
	*stack
	pins    engine.Pins
	folders map[string][]string
	read    map[string]*module // by source.key; nil for one that cannot be used
	fetched map[string]error   // by folder in the tree
	taken   map[string]pin     // by folder in the tree
}

// pin is what was taken of a module from elsewhere.
type pin struct{ Version, Commit string }

func (c *Compiler) loader(s *stack, pins engine.Pins) *loader {
	return &loader{Compiler: c, stack: s, pins: pins, folders: s.tree.byFolder(), read: map[string]*module{}, fetched: map[string]error{}, taken: readPins(s.tree)}
}

// modulesOf reads the modules of all components. The error is one that is not the
// author's to mend.
func (l *loader) modulesOf(ctx context.Context, components []*component) (hcl.Diagnostics, error) {
	l.modules = map[string]*module{}
	var diags hcl.Diagnostics
	for _, c := range components {
		if c.kind != engine.KindTerraform || c.source.text == "" {
			continue
		}
		m, more, err := l.module(ctx, c)
		if err != nil {
			return diags, err
		}
		diags = append(append(diags, more...), m.contests(c.cloud)...)
		l.modules[c.address()] = m
		if r := c.source.remote(); r != nil {
			c.pin = l.taken[r.dir()]
		}
	}
	return diags, nil
}

func (l *loader) module(ctx context.Context, c *component) (*module, hcl.Diagnostics, error) {
	key := c.source.key()
	if m, ok := l.read[key]; ok && m != nil {
		return m, nil, nil
	}
	files, d, err := l.files(ctx, c)
	if d != nil || err != nil {
		return nil, asDiagnostics(d), err
	}
	m, diags := l.readModule(files)
	diags = append(diags, m.foreign()...)
	if c.source.shipped == "" {
		diags = append(diags, l.children(key, m, map[string]bool{key: true})...)
	}
	if diags.HasErrors() {
		m = nil
	}
	l.read[key] = m
	return m, diags, nil
}

func asDiagnostics(d *hcl.Diagnostic) hcl.Diagnostics {
	if d == nil {
		return nil
	}
	return hcl.Diagnostics{d}
}

// foreign finds the blocks that would keep the state elsewhere.
func (m *module) foreign() (diags hcl.Diagnostics) {
	for _, at := range m.backends {
		diags = append(diags, mistake(at, "Module with a backend of its own", "The state of every component is kept by CloudOps Manager. Take this block out; by hand, terraform init -backend-config can bring it back."))
	}
	return diags
}

// contests finds the override files that set the provider which the cloud block
// sets: Terraform would take the word of one of the two, and tell nobody.
func (m *module) contests(c *cloud) (diags hcl.Diagnostics) {
	if m == nil || c == nil {
		return nil
	}
	for _, at := range m.overrides[c.providerName()] {
		diags = append(diags, mistake(at, "Provider set by an override file", "The settings of this provider come from cloud.%s.%s. Write what else it needs into a provider block of a file that overrides nothing.", c.kind, c.label))
	}
	return diags
}

// files gives the files of a component's module by their names.
func (l *loader) files(ctx context.Context, c *component) (map[string][]byte, *hcl.Diagnostic, error) {
	switch {
	case c.source.shipped != "":
		return l.shipped(c)
	case c.source.remote() != nil:
		if d, err := l.vendor(ctx, c); d != nil || err != nil {
			return nil, d, err
		}
	}
	key := c.source.key()
	files := l.filesIn(key)
	if len(files) > 0 {
		return files, nil, nil
	}
	if r := c.source.remote(); r != nil {
		return nil, mistake(c.sourceAt, "Unknown module", "What was fetched has no Terraform files in %s. Name the folder after //.", r.folder()), nil
	}
	return nil, mistake(c.sourceAt, "Unknown module", "The stack has no Terraform files in %s; a module is a folder with .tf files.%s", c.source.text, didYouMean(c.source.text, l.moduleFolders())), nil
}

func (l *loader) filesIn(dir string) map[string][]byte {
	files := map[string][]byte{}
	for _, name := range l.folders[dir] {
		if moduleFile(name) {
			files[name] = l.tree[name].Data
		}
	}
	return files
}

func (l *loader) moduleFolders() []string {
	var dirs []string
	for _, dir := range sortedKeys(l.folders) {
		if len(l.filesIn(dir)) > 0 {
			dirs = append(dirs, "./"+dir)
		}
	}
	return dirs
}

// shipped reads a module that comes with the program.
func (l *loader) shipped(c *component) (map[string][]byte, *hcl.Diagnostic, error) {
	name := c.source.shipped
	folder, err := l.Modules(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, engine.ErrNotFound) {
		return nil, l.unknownModule(c), nil
	}
	if err != nil {
		return nil, nil, err
	}
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, nil, err
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if e.IsDir() || !moduleFile(e.Name()) {
			continue
		}
		if files["modules/"+name+"/"+e.Name()], err = fs.ReadFile(folder, e.Name()); err != nil {
			return nil, nil, err
		}
	}
	return files, nil, nil
}

func (l *loader) unknownModule(c *component) *hcl.Diagnostic {
	if dir := "modules/" + c.source.shipped; len(l.filesIn(path.Clean(dir))) > 0 {
		return mistake(c.sourceAt, "Unknown module", "%q would be a shipped module, and there is none of that name. Did you mean the folder of this stack, %q?", c.source.text, "./"+dir)
	}
	return mistake(c.sourceAt, "Unknown module", "There is no shipped module %q; there is %s.%s", c.source.shipped, oneOf(l.ModuleNames), didYouMean(c.source.shipped, l.ModuleNames))
}

// children checks that the folders which module blocks name are there, and
// what they name in turn.
func (l *loader) children(dir string, m *module, seen map[string]bool) (diags hcl.Diagnostics) {
	for _, c := range m.children {
		if !c.local() {
			continue
		}
		target := path.Join(dir, c.source)
		if seen[target] {
			continue
		}
		seen[target] = true
		files := l.filesIn(target)
		if leadsOut(target) || len(files) == 0 {
			diags = append(diags, mistake(c.at, "Unknown module", "There are no Terraform files in %s, seen from %s. What a module uses must lie in the stack's folder.", c.source, dir))
			continue
		}
		inner, more := l.readModule(files)
		diags = append(diags, more...)
		diags = append(diags, l.children(target, inner, seen)...)
	}
	return diags
}
