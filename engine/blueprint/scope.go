package blueprint

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// scope evaluates expressions of a stack with one set of upstream outputs. It
// keeps what it has worked out and is for one goroutine.
type scope struct {
	*stack
	upstream upstream
	part     *component // whose own expressions are worked out; nil for those of the stack

	memo  map[string]result
	path  []string         // of what is being worked out, to find cycles
	used  map[string][]use // of locals and cloud settings
	work  *budget
	refs  *budget // for what the expression that is worked out refers to
	calls map[string]function.Function
}

// upstream gives the value of an output of a component, or of all of them as
// an object where no output is named; unknown where it is not there yet.
type upstream func(address, output string) cty.Value

type result struct {
	value cty.Value
	diags hcl.Diagnostics
}

func (s *stack) scope(up upstream) *scope {
	return &scope{stack: s, upstream: up, memo: map[string]result{}, used: map[string][]use{}, work: &budget{left: maxWork}, calls: metered(s.functions())}
}

// eval gives the expression's value; unknown where it has a mistake.
func (sc *scope) eval(expr hcl.Expression) (cty.Value, hcl.Diagnostics) {
	ctx, diags := sc.context(expr.Variables())
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	if sc.work.left < 0 || sc.refs.left < 0 {
		return cty.DynamicVal, append(diags, sc.work.usedUp(expr.Range())...)
	}
	v, more := expr.Value(ctx)
	sc.work.spend(v)
	diags = append(diags, more...)
	if more.HasErrors() {
		return cty.DynamicVal, diags
	}
	if _, misused := keptIn(v); misused {
		return cty.DynamicVal, append(diags, unknownHere(expr.Range()))
	}
	return v, diags
}

// context holds just what the traversals refer to.
func (sc *scope) context(traversals []hcl.Traversal) (*hcl.EvalContext, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	used := usedNames{}
	sc.refs = &budget{left: maxWork}
	for _, t := range traversals {
		ref, d := sc.resolve(t)
		if d != nil {
			diags = append(diags, d)
			continue
		}
		diags = append(diags, sc.supply(ref, used)...)
	}
	ctx := sc.work.context().NewChild()
	ctx.Variables, ctx.Functions = used.values(), sc.calls
	return ctx, diags
}

// supply works out what a reference refers to and notes its value.
func (sc *scope) supply(ref reference, used usedNames) hcl.Diagnostics {
	switch ref.root {
	case "var":
		sc.use(used, sc.values[ref.name], "var", ref.name)
	case "local":
		r := sc.local(ref.name, ref.at)
		sc.use(used, r.value, "local", ref.name)
		return r.diags
	case "cloud":
		r := sc.cloudValue(ref.cloud, ref.at)
		sc.use(used, r.value, "cloud", ref.cloud.kind, ref.cloud.label)
		return r.diags
	case "terraform":
		sc.supplyOutputs(ref, used)
	case "upstream":
		sc.use(used, sc.upstream(sc.neighbours[ref.name].address(), ref.output), "upstream", ref.name, "outputs", ref.output)
	case "each":
		sc.use(used, map[string]cty.Value{"key": sc.part.each.key, "value": sc.part.each.value}[ref.name], "each", ref.name)
	case "path":
		sc.use(used, cty.StringVal("."), "path", ref.name)
	}
	return nil
}

func (sc *scope) supplyOutputs(ref reference, used usedNames) {
	if f := sc.families["terraform."+ref.name]; f != nil && f.open {
		sc.use(used, cty.DynamicVal, "terraform", ref.name)
		return
	}
	if ref.family != nil {
		all := map[string]cty.Value{}
		for _, c := range ref.family.instances {
			all[c.key] = cty.ObjectVal(map[string]cty.Value{"outputs": sc.upstream(c.address(), "")})
		}
		sc.use(used, cty.ObjectVal(all), "terraform", ref.name)
		return
	}
	path := []string{"terraform", ref.name}
	if ref.part.key != "" {
		path = append(path, ref.part.key)
	}
	path = append(path, "outputs")
	if ref.output != "" {
		path = append(path, ref.output)
	}
	sc.use(used, sc.upstream(ref.part.address(), ref.output), path...)
}

// use notes a value that an expression refers to, at what it costs.
func (sc *scope) use(used usedNames, v cty.Value, path ...string) {
	sc.refs.spend(v)
	used.set(v, path...)
}

// local gives the value of a local.
func (sc *scope) local(name string, at hcl.Range) result {
	return sc.once("local."+name, at, func() result {
		v, diags := sc.in(nil).eval(sc.locals[name].Expr)
		return result{v, diags}
	})
}

// cloudValue gives a cloud block as an object of its settings.
func (sc *scope) cloudValue(c *cloud, at hcl.Range) result {
	return sc.once(c.address(), at, func() result {
		var r result
		values := map[string]cty.Value{}
		for name, a := range c.attributes {
			v, diags := sc.in(nil).eval(a.Expr)
			values[name] = v
			r.diags = append(r.diags, diags...)
		}
		r.value = cty.ObjectVal(values)
		return r
	})
}

// once remembers results and stops at cycles.
func (sc *scope) once(name string, at hcl.Range, work func() result) result {
	if r, ok := sc.memo[name]; ok {
		return r
	}
	if i := slices.Index(sc.path, name); i >= 0 {
		return result{cty.DynamicVal, hcl.Diagnostics{sc.cycle(sc.path[i:], at)}}
	}
	sc.path = append(sc.path, name)
	r := work()
	sc.path = sc.path[:len(sc.path)-1]
	sc.memo[name] = r
	return r
}

func (sc *scope) cycle(members []string, at hcl.Range) *hcl.Diagnostic {
	return mistake(at, "Cycle", "%s needs its own value: %s. Take one of the references out.", members[0], strings.Join(append(slices.Clone(members), members[0]), " -> "))
}

// usedNames is a tree of objects that grows by the names an expression uses.
type usedNames map[string]any

// set notes the value at the path. A whole object that is there already wins
// over a part of it.
func (u usedNames) set(v cty.Value, path ...string) {
	for _, name := range path[:len(path)-1] {
		if u[name] == nil {
			u[name] = usedNames{}
		}
		next, ok := u[name].(usedNames)
		if !ok {
			return
		}
		u = next
	}
	u[path[len(path)-1]] = v
}

func (u usedNames) values() map[string]cty.Value {
	values := make(map[string]cty.Value, len(u))
	for name, v := range u {
		switch v := v.(type) {
		case usedNames:
			values[name] = cty.ObjectVal(v.values())
		case cty.Value:
			values[name] = v
		}
	}
	return values
}
