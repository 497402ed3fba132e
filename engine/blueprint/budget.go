package blueprint

import (
	"reflect"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
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
