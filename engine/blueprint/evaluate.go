package blueprint

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloudops-manager/cloudops/engine"
)

// evaluation is one component, or the outputs of a stack, being turned into
// values.
type evaluation struct {
	*scope
	part    *component
	destroy bool
	mask    []string
	hidden  []string // names of arguments that are sensitive
	kept    map[string]string
}

// Evaluate implements engine.Compiler. When a component is destroyed, what is
// not known any more is null.
func (c *Compiler) Evaluate(ctx context.Context, rev *engine.Revision, address string, destroy bool, upstream map[string]engine.Outputs) (engine.Evaluated, error) {
	s, err := c.stored(ctx, rev)
	if err != nil {
		return engine.Evaluated{}, err
	}
	e := &evaluation{part: s.component(address), destroy: destroy}
	if e.part == nil {
		return engine.Evaluated{}, engine.NotFound("revision %d of stack %s has no component %s", rev.Number, rev.Stack, address)
	}
	e.scope = s.with(upstream).in(e.part)
	return e.run()
}

// with is a scope over outputs as they are. It shares the stack with others
// and therefore works on a copy of what it changes.
func (s *stack) with(upstream map[string]engine.Outputs) *scope {
	own := *s
	own.secrets = slices.Clone(s.secrets)
	memo := map[use]cty.Value{}
	return own.scope(func(address, output string) cty.Value {
		key := use{address: address, output: output}
		v, ok := memo[key]
		if !ok {
			v = own.upstreamValue(upstream[address], address, output)
			own.secrets = append(own.secrets, secretTexts(v)...)
			memo[key] = v
		}
		return v
	})
}

// upstreamValue is one output, or all of them for "". One that is not there or
// cannot be read counts as not known.
func (s *stack) upstreamValue(outputs engine.Outputs, address, name string) cty.Value {
	if name != "" {
		o := outputs[name]
		hidden := o.Sensitive || s.modules[address] != nil && s.modules[address].outputs[name]
		v, err := decodeOutput(o.Value, o.Type)
		if o.Unknown || err != nil {
			v = cty.DynamicVal
		}
		if hidden {
			v = v.Mark(sensitive)
		}
		return v
	}
	if outputs == nil {
		return cty.DynamicVal
	}
	all := map[string]cty.Value{}
	for name := range outputs {
		all[name] = s.upstreamValue(outputs, address, name)
	}
	return cty.ObjectVal(all)
}

func (e *evaluation) run() (engine.Evaluated, error) {
	var out engine.Evaluated
	var err error
	if e.part.kind == engine.KindTerraform {
		out.Terraform, err = e.terraform()
	} else {
		out.Ansible, err = e.ansible()
	}
	slices.Sort(e.mask)
	out.Mask, out.Secrets = slices.Compact(e.mask), e.kept
	return out, err
}

func (e *evaluation) terraform() (*engine.TerraformJob, error) {
	inputs, err := e.values(e.part.args, "input")
	if err != nil {
		return nil, err
	}
	job := &engine.TerraformJob{Source: e.part.source.runAs(), Inputs: inputs, Sensitive: e.hidden, Imports: e.part.imports, Providers: []engine.ProviderSettings{}}
	if c := e.part.cloud; c != nil {
		job.Providers = append(job.Providers, c.provider(e.name, e.part.tag()))
	}
	return job, nil
}

// values evaluates arguments to JSON. what is what one of them is called in
// messages.
func (e *evaluation) values(a arguments, what string) (map[string]json.RawMessage, error) {
	args, known, diags := e.arguments(a)
	if err := e.report(diags).Err(); err != nil {
		return nil, err
	}
	if !known && !e.destroy {
		return nil, e.waits(what+"s", a.whole)
	}
	values := map[string]json.RawMessage{}
	if !known {
		values = e.nulls()
	}
	for _, arg := range args {
		text, err := e.argument(arg, what)
		if err != nil {
			return nil, err
		}
		values[arg.name] = text
	}
	return values, nil
}

// nulls stands in for inputs that a destroy cannot know any more: Terraform
// asks for those that its module needs all the same.
func (e *evaluation) nulls() map[string]json.RawMessage {
	values := map[string]json.RawMessage{}
	if m := e.modules[e.part.address()]; m != nil {
		for name, v := range m.variables {
			if v.required() {
				values[name] = json.RawMessage("null")
			}
		}
	}
	return values
}

func (e *evaluation) argument(arg argument, what string) (json.RawMessage, error) {
	if !arg.value.IsWhollyKnown() && !e.destroy {
		return nil, e.waits(what+" "+arg.name, arg.expr)
	}
	if err := e.fits(arg); err != nil {
		return nil, err
	}
	if e.secret(arg) {
		arg.value = arg.value.Mark(sensitive)
		e.hidden = append(e.hidden, arg.name)
	}
	e.hide(arg.expr, arg.value)
	return toJSON(arg.value)
}

// fits holds a value against what takes it. Terraform would find the same
// mistake later, and without the place in the stack.
func (e *evaluation) fits(arg argument) error {
	if d := e.misfit(arg); d != nil {
		return e.report(hcl.Diagnostics{d}).Err()
	}
	return nil
}

// secret reports whether an argument is sensitive, by its value or by the
// module's word.
func (e *evaluation) secret(arg argument) bool {
	if arg.value.ContainsMarked() {
		return true
	}
	m := e.modules[e.part.address()]
	return m != nil && m.variables[arg.name] != nil && m.variables[arg.name].sensitive
}

// hide notes what of a value must not be shown, and the secrets that it was
// made from.
func (e *evaluation) hide(expr hcl.Expression, v cty.Value) {
	all, _ := keptIn(v)
	for _, k := range all {
		if e.kept == nil {
			e.kept = map[string]string{}
		}
		e.kept[k.standIn] = k.reference
	}
	e.mask = append(e.mask, secretTexts(v)...)
	for _, u := range e.uses(expr) {
		if u.variable != "" {
			e.mask = append(e.mask, secretTexts(e.scope.values[u.variable])...)
			continue
		}
		e.mask = append(e.mask, secretTexts(e.upstream(u.address, u.output))...)
	}
}

// waits says which outputs keep something from being known.
func (e *evaluation) waits(what string, expr hcl.Expression) error {
	var missing []string
	for _, u := range e.uses(expr) {
		if u.address == "" || e.upstream(u.address, u.output).IsWhollyKnown() {
			continue
		}
		if name := fmt.Sprintf("%s.outputs.%s", u.address, u.output); !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	switch len(missing) {
	case 0:
		return engine.Invalid("%s: %s cannot be known yet", e.part.address(), what)
	case 1:
		return engine.Invalid("%s: %s waits for %s, which is not known yet", e.part.address(), what, missing[0])
	default:
		return engine.Invalid("%s: %s waits for %s, which are not known yet", e.part.address(), what, strings.Join(missing, ", "))
	}
}

// Outputs implements engine.Compiler.
func (c *Compiler) Outputs(ctx context.Context, rev *engine.Revision, upstream map[string]engine.Outputs) (engine.Outputs, error) {
	s, err := c.stored(ctx, rev)
	if err != nil {
		return nil, err
	}
	sc := s.with(upstream)
	all := engine.Outputs{}
	for _, o := range s.outputs {
		v, diags := sc.eval(o.value)
		if err := sc.report(diags).Err(); err != nil {
			return nil, err
		}
		if all[o.name], err = o.render(v); err != nil {
			return nil, fmt.Errorf("output %s: %w", o.name, err)
		}
	}
	return all, nil
}

func (o *output) render(v cty.Value) (engine.Output, error) {
	out := engine.Output{Sensitive: o.sensitive || v.ContainsMarked(), Unknown: !v.IsWhollyKnown()}
	if out.Unknown {
		return out, nil
	}
	v, _ = v.UnmarkDeep()
	var err error
	if out.Type, err = json.Marshal(v.Type()); err != nil {
		return out, err
	}
	out.Value, err = toJSON(v)
	return out, err
}
