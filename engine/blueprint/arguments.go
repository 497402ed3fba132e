package blueprint

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// arguments is a map of expressions: the inputs of a module, or variables.
type arguments struct {
	name  string // "inputs", "vars", "inventory.web.vars"
	at    hcl.Range
	items []item         // where the map is written out
	whole hcl.Expression // where it is one expression
}

// item is one entry of arguments.
type item struct {
	name string
	at   hcl.Range
	expr hcl.Expression
}

// place is an expression with the name of the attribute it stands in.
type place struct {
	input string // "inputs.subnet_ids"
	expr  hcl.Expression
}

func (a arguments) places() []place {
	if a.whole != nil {
		return []place{{a.name, a.whole}}
	}
	places := make([]place, len(a.items))
	for i, it := range a.items {
		places[i] = place{a.name + "." + it.name, it.expr}
	}
	return places
}

// places lists every expression of the component that may rest on outputs.
func (c *component) places() []place {
	places := c.args.places()
	for _, g := range c.groups {
		if g.hosts != nil {
			places = append(places, place{"inventory." + g.name + ".hosts", g.hosts.Expr})
		}
		places = append(places, g.vars.places()...)
	}
	return places
}

// argument is an entry of arguments with its value.
type argument struct {
	name  string
	at    hcl.Range
	expr  hcl.Expression
	value cty.Value
}

// arguments evaluates a map of expressions. known is false where it is not
// even known what names there are.
func (sc *scope) arguments(a arguments) (list []argument, known bool, diags hcl.Diagnostics) {
	if a.whole != nil {
		return sc.wholeArguments(a)
	}
	for _, it := range a.items {
		v, more := sc.eval(it.expr)
		diags = append(diags, more...)
		list = append(list, argument{it.name, it.at, it.expr, v})
	}
	return list, true, diags
}

// wholeArguments takes a single value apart. Marks of the whole count for each
// part.
func (sc *scope) wholeArguments(a arguments) (list []argument, known bool, diags hcl.Diagnostics) {
	v, diags := sc.eval(a.whole)
	v, marks := v.Unmark()
	switch {
	case diags.HasErrors() || !v.IsKnown():
		return nil, false, diags
	case v.IsNull():
		return nil, true, diags
	case !v.Type().IsObjectType() && !v.Type().IsMapType():
		return nil, false, append(diags, mistake(a.at, "Wrong type", "%s is a map, as in: { name = \"value\" }.", a.name))
	}
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		name, _ := key.Unmark()
		list = append(list, argument{name.AsString(), a.at, a.whole, value.WithMarks(marks)})
	}
	return list, true, diags
}
