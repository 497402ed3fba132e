package blueprint

import (
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloudops-manager/cloudops/engine"
)

// Options are what a Compiler needs.
type Options struct {
	// Modules opens a shipped Terraform module by its name, such as
	// "aws/network". It wraps fs.ErrNotExist or engine.ErrNotFound for any
	// that is not there.
	Modules     func(name string) (fs.FS, error)
	ModuleNames []string
	// Playbooks does the same for shipped playbooks, such as "web".
	Playbooks     func(name string) (fs.FS, error)
	PlaybookNames []string
	Git           Git      // nil where modules cannot be fetched
	Registry      Registry // nil where they cannot be
	// Stack gives the newest revision of another stack, for those that read its
	// outputs. It wraps ErrNotFound where there is none. Nil checks nothing.
	Stack func(ctx context.Context, name string) (*engine.Blueprint, error)
	// Credentials gives stored credentials to those who name them in a cloud
	// block. It wraps ErrNotFound where there are none. Nil checks nothing.
	Credentials func(ctx context.Context, name string) (*engine.Credential, error)
	Log         *slog.Logger
}

// Compiler implements engine.Compiler. It keeps the stacks it evaluated last,
// and may be used by many goroutines.
type Compiler struct {
	Options
	recent *recent
}

var _ engine.Compiler = (*Compiler)(nil)

// New makes a Compiler. The zero Options know no shipped modules and playbooks.
func New(o Options) *Compiler {
	nothing := func(string) (fs.FS, error) { return nil, fs.ErrNotExist }
	if o.Modules == nil {
		o.Modules = nothing
	}
	if o.Playbooks == nil {
		o.Playbooks = nothing
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Compiler{Options: o, recent: newRecent()}
}

// Compile implements engine.Compiler.
func (c *Compiler) Compile(ctx context.Context, sources []byte, vars map[string]json.RawMessage, pins engine.Pins) (engine.Blueprint, []byte, error) {
	tree, err := Unpack(sources)
	if err != nil {
		return engine.Blueprint{}, nil, err
	}
	s, err := c.compile(ctx, tree, vars, pins, false)
	if err != nil {
		return engine.Blueprint{}, nil, err
	}
	packed, err := s.tree.Pack()
	return s.blueprint(), packed, err
}

// CompileDir checks the stack in a folder without a server. Variables without
// a value are taken to be right.
func (c *Compiler) CompileDir(ctx context.Context, dir string, vars map[string]json.RawMessage) (engine.Blueprint, error) {
	tree, err := ReadDir(dir)
	if err != nil {
		return engine.Blueprint{}, err
	}
	s, err := c.compile(ctx, tree, vars, engine.Pins{}, true)
	if err != nil {
		return engine.Blueprint{}, err
	}
	return s.blueprint(), nil
}

// Outline implements engine.Compiler. Mistakes are left for Compile to tell, but
// for those that keep the stack's name from being known.
func (c *Compiler) Outline(sources []byte) (engine.Outline, error) { return Outline(sources) }

// Outline reads out of a bundle what its stack is called and what variables it has.
func Outline(bundle []byte) (engine.Outline, error) {
	tree, err := Unpack(bundle)
	if err != nil {
		return engine.Outline{}, err
	}
	s, diags := parse(withoutJunk(tree))
	if s.head == nil {
		return engine.Outline{}, s.report(diags).Err()
	}
	o := engine.Outline{Stack: s.name, Variables: map[string]bool{}, Blocks: map[string]engine.Diagnostic{}}
	for name, v := range s.variables {
		o.Variables[name] = v.sensitive
		o.Blocks[name] = s.report(hcl.Diagnostics{mistake(v.at, "", "")})[0]
	}
	return o, nil
}

// compile reads a stack and checks all of it. Its error holds every mistake.
func (c *Compiler) compile(ctx context.Context, tree Tree, vars map[string]json.RawMessage, pins engine.Pins, lenient bool) (*stack, error) {
	if !pins.Keep {
		tree = withoutJunk(tree)
	}
	s, diags := parse(tree)
	if len(s.components) > MaxComponents { // the rest would take its time
		return nil, s.report(diags)
	}
	s.lenient = lenient
	diags = append(diags, s.assign(vars)...)
	diags = append(diags, s.resolveAll()...)
	modules, err := c.loader(s, pins).modulesOf(ctx, s.components)
	if err != nil {
		return nil, err
	}
	diags = append(append(diags, modules...), c.check(s)...)
	upstreams, err := c.checkUpstreams(ctx, s)
	if err != nil {
		return nil, err
	}
	credentials, err := c.checkCredentials(ctx, s)
	if err != nil {
		return nil, err
	}
	diags = append(append(diags, upstreams...), credentials...)
	if err := s.report(diags).Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// withoutJunk drops what does not belong into a bundle, whoever packed it.
func withoutJunk(tree Tree) Tree {
	clean := make(Tree, len(tree))
	for name, f := range tree {
		if !junk(name) {
			clean[name] = f
		}
	}
	return clean
}

// resolveAll works out what must be known without outputs.
func (s *stack) resolveAll() hcl.Diagnostics {
	d := &decoder{sc: s.scope(func(string, string) cty.Value { return cty.DynamicVal })}
	d.resolveHead(s)
	for _, c := range s.clouds {
		d.resolveCloud(c)
	}
	for _, name := range sortedKeys(s.neighbours) {
		d.resolveUpstream(s, s.neighbours[name])
	}
	d.expand(s)
	for _, c := range s.components {
		own := &decoder{sc: d.sc.in(c)}
		own.resolveComponent(s, c)
		d.add(own.diags)
	}
	return d.diags
}

// check goes through everything that rests on outputs, with outputs that are
// not known yet.
func (c *Compiler) check(s *stack) hcl.Diagnostics {
	sc := s.scope(s.unknownOutputs)
	diags := sc.connect()
	for _, name := range sortedKeys(s.locals) {
		diags = append(diags, sc.local(name, s.locals[name].NameRange).diags...)
	}
	for _, part := range s.components {
		diags = append(diags, c.checkComponent(sc.in(part), part)...)
	}
	for _, o := range s.outputs {
		v, more := sc.eval(o.value)
		diags = append(diags, more...)
		if refersToKept(v) {
			diags = append(diags, mistake(o.value.Range(), "Secret is not known here", "The outputs of a stack are read by others, who have to name secret(...) themselves."))
		}
	}
	sc.reading()
	if !diags.HasErrors() {
		diags = append(diags, s.arrange()...)
	}
	return diags
}

// unknownOutputs stands for the outputs of components that do not exist yet.
func (s *stack) unknownOutputs(address, output string) cty.Value {
	m := s.modules[address]
	switch {
	case m == nil:
		return cty.DynamicVal
	case output != "":
		return unknownOutput(m.outputs[output])
	}
	all := map[string]cty.Value{}
	for name, secret := range m.outputs {
		all[name] = unknownOutput(secret)
	}
	return cty.ObjectVal(all)
}

func unknownOutput(secret bool) cty.Value {
	if secret {
		return cty.DynamicVal.Mark(sensitive)
	}
	return cty.DynamicVal
}
