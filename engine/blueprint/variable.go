package blueprint

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// variable is a variable block of a stack or of a Terraform module.
type variable struct {
	name        string
	at          hcl.Range
	kind        cty.Type
	defaults    *typeexpr.Defaults
	fallback    cty.Value // the default; cty.NilVal where there is none
	sensitive   bool
	nullable    bool
	validations []validation
	scale       *scaleRule // nil where it cannot be changed on its own
}

// validation is a rule that a variable's value must keep.
type validation struct {
	condition, message hcl.Expression
}

func variableSchema() *hcl.BodySchema {
	return &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "type"}, {Name: "default"}, {Name: "description"}, {Name: "sensitive"}, {Name: "nullable"}},
		Blocks:     []hcl.BlockHeaderSchema{{Type: "validation"}, {Type: "scale"}},
	}
}

func (s *stack) variableBlock(b *hcl.Block) hcl.Diagnostics {
	content, diags := b.Body.Content(variableSchema())
	diags = append(diags, checkLabel(b, "variable")...)
	v, more := decodeVariable(b, content)
	diags = append(diags, more...)
	for _, inner := range content.Blocks {
		if inner.Type == "scale" {
			diags = append(diags, v.addScale(inner)...)
			continue
		}
		diags = append(diags, v.addValidation(inner)...)
	}
	if before, dup := s.variables[v.name]; dup {
		return append(diags, duplicate(v.at, "variable", v.name, before.at))
	}
	s.variables[v.name] = v
	return diags
}

// decodeVariable reads what the variables of stacks and modules have in common.
func decodeVariable(b *hcl.Block, content *hcl.BodyContent) (*variable, hcl.Diagnostics) {
	v := &variable{name: b.Labels[0], at: b.DefRange, kind: cty.DynamicPseudoType, nullable: true}
	d := &decoder{}
	d.literalText(content.Attributes["description"])
	v.sensitive = d.literalBool(content.Attributes["sensitive"])
	if a := content.Attributes["nullable"]; a != nil {
		v.nullable = d.literalBool(a)
	}
	if a := content.Attributes["type"]; a != nil {
		d.add(v.decodeType(a.Expr))
	}
	if a := content.Attributes["default"]; a != nil {
		v.fallback = cty.DynamicVal
		value, diags := a.Expr.Value(nil)
		if d.add(diags); !diags.HasErrors() {
			d.add(v.decodeDefault(value, a.Expr.Range()))
		}
	}
	return v, d.diags
}

// decodeType reads a type constraint, the quoted words of old modules included.
func (v *variable) decodeType(expr hcl.Expression) hcl.Diagnostics {
	if value, diags := expr.Value(nil); !diags.HasErrors() && value.Type() == cty.String && value.IsKnown() && !value.IsNull() {
		old := map[string]cty.Type{"string": cty.String, "list": cty.List(cty.DynamicPseudoType), "map": cty.Map(cty.DynamicPseudoType)}
		if kind, ok := old[value.AsString()]; ok {
			v.kind = kind
			return nil
		}
	}
	kind, defaults, diags := typeexpr.TypeConstraintWithDefaults(expr)
	if !diags.HasErrors() {
		v.kind, v.defaults = kind, defaults
	}
	return diags
}

func (v *variable) decodeDefault(value cty.Value, at hcl.Range) hcl.Diagnostics {
	if value.IsNull() && !v.nullable {
		return hcl.Diagnostics{mistake(at, "Unusable default", "Variable %q is not nullable, and so its default cannot be null.", v.name)}
	}
	fit, err := v.convert(value)
	if err != nil {
		return hcl.Diagnostics{mistake(at, "Unusable default", "The default does not fit the type of variable %q: %v.", v.name, err)}
	}
	v.fallback = fit
	return nil
}

// convert fits a value to the variable's type, with the defaults of optional
// attributes filled in.
func (v *variable) convert(value cty.Value) (cty.Value, error) {
	value, marks := value.UnmarkDeepWithPaths()
	if v.defaults != nil && !value.IsNull() && value.IsKnown() {
		value = v.defaults.Apply(value)
	}
	fit, err := convert.Convert(value, v.kind)
	if err != nil {
		return cty.DynamicVal, errors.New(pathText(err))
	}
	if len(marks) == 0 {
		return fit, nil
	}
	return fit.Mark(sensitive), nil
}

func (v *variable) addValidation(b *hcl.Block) hcl.Diagnostics {
	content, diags := b.Body.Content(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{
		{Name: "condition", Required: true}, {Name: "error_message", Required: true},
	}})
	condition, message := content.Attributes["condition"], content.Attributes["error_message"]
	if condition != nil && message != nil {
		v.validations = append(v.validations, validation{condition.Expr, message.Expr})
	}
	return diags
}

// assign gives the variables their values and checks them.
func (s *stack) assign(given map[string]json.RawMessage) (diags hcl.Diagnostics) {
	known := slices.Sorted(maps.Keys(s.variables))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if s.variables[name] == nil {
			diags = append(diags, misgiven("Unknown variable", "A value was given for variable %q, which the stack does not have.%s", name, didYouMean(name, known)))
		}
	}
	s.values = map[string]cty.Value{}
	for _, name := range known {
		v := s.variables[name]
		value, d := s.valueOf(v, given[name])
		if referred, err := s.referred(value); err == nil {
			value = referred
		} else if d == nil {
			d = mistake(v.at, "Unusable value", "The value given for variable %q: %v.", name, err)
		}
		if d != nil {
			diags = append(diags, d)
		}
		if v.sensitive {
			s.secrets = append(s.secrets, secretTexts(value.Mark(sensitive))...)
			value = value.Mark(sensitive)
		}
		s.values[name] = value
	}
	if diags.HasErrors() {
		return diags
	}
	return s.validate(known)
}

func (s *stack) valueOf(v *variable, raw json.RawMessage) (cty.Value, *hcl.Diagnostic) {
	unknown := cty.UnknownVal(v.kind.WithoutOptionalAttributesDeep())
	switch {
	case raw != nil:
		return s.givenValue(v, raw, unknown)
	case v.fallback != cty.NilVal:
		return v.fallback, nil
	case s.lenient:
		return unknown, nil
	default:
		return unknown, mistake(v.at, "Missing variable", "Variable %q has no default and was given no value. Give one, for example with: --var %s=...", v.name, v.name)
	}
}

func (s *stack) givenValue(v *variable, raw json.RawMessage, unknown cty.Value) (cty.Value, *hcl.Diagnostic) {
	value, err := parseValue(raw, v.kind)
	if err != nil {
		return unknown, mistake(v.at, "Unusable value", "The value given for variable %q is not JSON.", v.name)
	}
	if value.IsNull() && !v.nullable {
		if v.fallback != cty.NilVal {
			return v.fallback, nil
		}
		return unknown, mistake(v.at, "Unusable value", "Variable %q is not nullable, but null was given.", v.name)
	}
	fit, err := v.convert(value)
	if err != nil {
		return unknown, mistake(v.at, "Unusable value", "The value given for variable %q does not fit its type, %s: %v.", v.name, typeText(v.kind), err)
	}
	return fit, nil
}

// parseValue reads a value as JSON. Text given for a collection is read as an
// expression, the way Terraform reads -var.
func parseValue(raw json.RawMessage, kind cty.Type) (cty.Value, error) {
	implied, err := ctyjson.ImpliedType(raw)
	if err != nil {
		return cty.NilVal, err
	}
	value, err := ctyjson.Unmarshal(raw, implied)
	if err != nil || implied != cty.String || kind.IsPrimitiveType() || kind == cty.DynamicPseudoType || value.IsNull() {
		return value, err
	}
	text := []byte(value.AsString())
	if tooDeep(text, "") != nil {
		return value, nil
	}
	expr, diags := hclsyntax.ParseExpression(text, "", hcl.InitialPos)
	if diags.HasErrors() {
		return value, nil // the type check says what is wrong with it
	}
	if parsed, diags := expr.Value(nil); !diags.HasErrors() {
		return parsed, nil
	}
	return value, nil
}

// validate checks the rules of the variables.
func (s *stack) validate(names []string) (diags hcl.Diagnostics) {
	sc := s.scope(func(string, string) cty.Value { return cty.DynamicVal })
	for _, name := range names {
		if d := s.variables[name].checkScale(s.values[name]); d != nil {
			diags = append(diags, d)
		}
		if refersToKept(s.values[name]) {
			continue // only a runner learns the value
		}
		for _, rule := range s.variables[name].validations {
			diags = append(diags, sc.check(s.variables[name], rule)...)
		}
	}
	return diags
}

func (sc *scope) check(v *variable, rule validation) hcl.Diagnostics {
	for _, u := range append(sc.uses(rule.condition), sc.uses(rule.message)...) {
		if u.address != "" {
			return hcl.Diagnostics{mistake(u.at, "Unusable reference", "A rule about a variable is checked before anything exists, and cannot refer to outputs.")}
		}
	}
	ok, diags := sc.eval(rule.condition)
	ok, _ = ok.Unmark()
	if diags.HasErrors() || !ok.IsKnown() {
		return diags
	}
	ok, err := convert.Convert(ok, cty.Bool)
	if err != nil || ok.IsNull() {
		return hcl.Diagnostics{mistake(rule.condition.Range(), "Unusable condition", "A condition is true or false.")}
	}
	if ok.True() {
		return nil
	}
	return hcl.Diagnostics{mistake(v.at, "Invalid value for variable", "%s", sc.ruleText(v, rule))}
}

// ruleText is the message of a rule that was broken.
func (sc *scope) ruleText(v *variable, rule validation) string {
	text, diags := sc.eval(rule.message)
	if text, err := convert.Convert(text, cty.String); !diags.HasErrors() && err == nil && !text.IsMarked() && text.IsKnown() && !text.IsNull() {
		return text.AsString()
	}
	return "The value of variable \"" + v.name + "\" breaks a rule whose message cannot be shown."
}

// required reports whether a value must be given.
func (v *variable) required() bool { return v.fallback == cty.NilVal }
