package blueprint

import (
	"errors"
	"reflect"
	"regexp"
	"strconv"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// maxWork is what working out a stack may cost: a value costs one for each of
// its elements and one for every 16 bytes of text, when an expression or a round of
// a for expression makes it. What one expression refers to may cost as much again.
// A stack of a thousand components takes some tens of thousands; a few lines of
// doubling would take all there is.
const maxWork = 1_000_000

// budget is what is left of maxWork.
type budget struct {
	left int
	told bool // that it is used up
}

// spend takes what v costs.
func (b *budget) spend(v cty.Value) {
	for _, part := range cty.DeepValues(v) {
		b.left--
		if part, _ = part.Unmark(); part.Type() == cty.String && part.IsKnown() && !part.IsNull() {
			b.left -= len(part.AsString()) / 16
		}
		if b.left < 0 {
			return
		}
	}
}

// usedUp says, once, that there is nothing left.
func (b *budget) usedUp(at hcl.Range) hcl.Diagnostics {
	if b.told {
		return nil
	}
	b.told = true
	return hcl.Diagnostics{mistake(at, "Too much to work out", "The values of this stack grow beyond what a stack may have. Look for locals that multiply each other and for expressions within each other.")}
}

// budgetName is where for expressions find the budget. No source text can refer to it.
const budgetName = "(budget)"

var budgetType = sync.OnceValue(func() cty.Type { return cty.Capsule("budget", reflect.TypeFor[budget]()) })

// context is what expressions are worked out in that spend from the budget.
func (b *budget) context() *hcl.EvalContext {
	return &hcl.EvalContext{Variables: map[string]cty.Value{budgetName: cty.CapsuleVal(budgetType(), b)}}
}

// budgetOf finds the budget that an expression is worked out with, or nil.
func budgetOf(ctx *hcl.EvalContext) *budget {
	for ; ctx != nil; ctx = ctx.Parent() {
		if v, ok := ctx.Variables[budgetName]; ok {
			return v.EncapsulatedValue().(*budget)
		}
	}
	return nil
}

// counted is what a for expression works out in each round. To those who walk
// through the source it looks like parentheses around it.
type counted struct{ *hclsyntax.ParenthesesExpr }

// Value implements hclsyntax.Expression.
func (c counted) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	b := budgetOf(ctx)
	if b == nil {
		return c.ParenthesesExpr.Value(ctx)
	}
	if b.left < 0 { // the loops around this one have rounds left
		return cty.DynamicVal, b.usedUp(c.Range())
	}
	v, diags := c.ParenthesesExpr.Value(ctx)
	b.spend(v)
	return v, diags
}

// count makes each for expression below node count its rounds, and conditions
// look at no secret that is kept elsewhere.
func count(node hclsyntax.Node) {
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if c, ok := n.(*hclsyntax.ConditionalExpr); ok {
			c.Condition = judged{&hclsyntax.ParenthesesExpr{Expression: c.Condition, SrcRange: c.Condition.Range()}}
		}
		if f, ok := n.(*hclsyntax.ForExpr); ok {
			if f.CondExpr != nil {
				f.CondExpr = judged{&hclsyntax.ParenthesesExpr{Expression: f.CondExpr, SrcRange: f.CondExpr.Range()}}
			}
			f.ValExpr = counted{&hclsyntax.ParenthesesExpr{Expression: f.ValExpr, SrcRange: f.ValExpr.Range()}}
		}
		return nil
	})
}

// The bounds of functions whose result may be far larger than what they are given.
const (
	maxMade   = 1 << 18 // elements
	maxText   = 4 << 20 // bytes
	maxIndent = 1_000
)

var widths = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`%[^%a-zA-Z]*\d{5}`) })

// guards say what a call would make too much of, by the function's name.
var guards = map[string]func(args []cty.Value) error{
	"format":     narrow,
	"formatlist": narrow,
	"indent": func(args []cty.Value) error {
		if args[0].GreaterThan(cty.NumberIntVal(maxIndent)).True() {
			return errors.New("text is indented by at most " + strconv.Itoa(maxIndent) + " blanks")
		}
		return nil
	},
	"replace": func(args []cty.Value) error {
		text, part, by := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if len(part) > 1 && part[0] == '/' {
			part = ""
		}
		return bounded((len(text)/max(1, len(part))+1)*len(by), maxText)
	},
	"setproduct": func(args []cty.Value) error {
		made := 1
		for _, list := range args {
			if made *= max(1, list.LengthInt()); made > maxMade {
				break
			}
		}
		return bounded(made, maxMade)
	},
}

func narrow(args []cty.Value) error {
	if widths().MatchString(args[0].AsString()) {
		return errors.New("widths and precisions have at most four digits")
	}
	return nil
}

func bounded(made, most int) error {
	if made > most {
		return errors.New("the result would be too large")
	}
	return nil
}

// guarded is f behind its guard. Arguments that are not known yet make nothing.
func guarded(f function.Function, guard func(args []cty.Value) error) function.Function {
	return function.New(&function.Spec{
		Params: f.Params(), VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			plain := make([]cty.Value, len(args))
			for i, arg := range args {
				if plain[i], _ = arg.Unmark(); !plain[i].IsKnown() || plain[i].IsNull() {
					return f.ReturnTypeForValues(args)
				}
			}
			if err := guard(plain); err != nil {
				return cty.NilType, err
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}
