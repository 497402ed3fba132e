package blueprint

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/cloudops-manager/cloudops/engine"
)

// scaleRule is the scale block of a variable: a whole number within bounds,
// which may be changed without new sources.
type scaleRule struct{ min, max int }

// maxScale bounds what can be asked for, as a slip of the finger.
const maxScale = 1_000_000

func (v *variable) addScale(b *hcl.Block) hcl.Diagnostics {
	d := &decoder{}
	attrs, _ := d.content(b, []string{"min", "max"})
	rule := scaleRule{max: maxScale}
	for name, bound := range map[string]*int{"min": &rule.min, "max": &rule.max} {
		if n, ok := d.literal(attrs[name], cty.Number, "a number"); ok {
			*bound = d.whole(attrs[name], n, 0, maxScale, int64(*bound))
		} else if attrs[name] == nil {
			d.mistake(b.DefRange, "Missing bound", "Say within which bounds %q may be scaled, as in: scale { min = 1, max = 10 }", v.name)
		}
	}
	switch {
	case v.scale != nil:
		d.mistake(b.DefRange, "Duplicate scale block", "Variable %q has bounds already. Take one of the blocks out.", v.name)
	case v.sensitive:
		d.mistake(b.DefRange, "Sensitive value", "Variable %q is sensitive, and what is scaled is shown to everybody who sees the stack.", v.name)
	case rule.min > rule.max:
		d.mistake(b.DefRange, "Out of range", "The least value of %q, %d, is above the most, %d.", v.name, rule.min, rule.max)
	}
	if v.scale = &rule; rule.min > rule.max {
		v.scale = nil
	}
	return d.diags
}

// checkScale holds a value against the bounds.
func (v *variable) checkScale(value cty.Value) *hcl.Diagnostic {
	if v.scale == nil || !value.IsKnown() {
		return nil
	}
	if n, ok := countOf(value); !ok || n < v.scale.min || n > v.scale.max {
		return mistake(v.at, "Invalid value for variable", "Variable %q is a whole number from %d to %d, by its scale block.", v.name, v.scale.min, v.scale.max)
	}
	return nil
}

func countOf(v cty.Value) (int, bool) {
	v, _ = v.Unmark()
	v, err := convert.Convert(v, cty.Number)
	if err != nil || v.IsNull() || !v.IsKnown() || !v.AsBigFloat().IsInt() {
		return 0, false
	}
	n, _ := v.AsBigFloat().Int64()
	return int(n), true
}

// scales tells the engine what can be scaled.
func (s *stack) scales() (list []engine.Scale) {
	for _, name := range sortedKeys(s.variables) {
		v := s.variables[name]
		if v.scale == nil {
			continue
		}
		value, _ := countOf(s.values[name])
		list = append(list, engine.Scale{Variable: name, Min: v.scale.min, Max: v.scale.max, Value: value, Inputs: s.inputsThatAre(name)})
	}
	return list
}

// inputsThatAre lists the inputs that are the variable and nothing else.
func (s *stack) inputsThatAre(name string) (inputs []string) {
	for _, c := range s.components {
		for _, it := range c.args.items {
			t, diags := hcl.AbsTraversalForExpr(it.expr)
			if !diags.HasErrors() && len(t) == 2 && t.RootName() == "var" && slices.Equal(staticNames(t), []string{name}) {
				inputs = append(inputs, c.address()+"."+it.name)
			}
		}
	}
	return inputs
}
