package blueprint

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/cloudops-manager/cloudops/engine"
)

// kept marks a text in which something stands in for a secret that is kept
// elsewhere. Only a runner learns the secret, so all that can be done here is to
// put the stand-in somewhere, alone or within a text.
type kept struct{ standIn, reference string }

// refer gives the value that stands in for a secret. What it looks like cannot
// be known by whoever writes stacks, nor come about by chance.
func (s *stack) refer(reference string) (cty.Value, error) {
	if _, err := engine.ParseReference(reference); err != nil {
		return cty.DynamicVal, err
	}
	sum := sha256.Sum256([]byte(s.nonce + reference))
	k := kept{"Secret-" + hex.EncodeToString(sum[:16]), reference}
	return cty.StringVal(k.standIn).WithMarks(cty.NewValueMarks(sensitive, k)), nil
}

// secretFunc is secret("aws-sm://...").
func (s *stack) secretFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "reference", Type: cty.String}},
		Type:   returns(cty.String),
		Impl:   func(args []cty.Value, _ cty.Type) (cty.Value, error) { return s.refer(args[0].AsString()) },
	})
}

// referred puts stand-ins where a value that was given for a variable is
// written as secret("...").
func (s *stack) referred(v cty.Value) (cty.Value, error) {
	return cty.Transform(v, func(_ cty.Path, part cty.Value) (cty.Value, error) {
		if part.IsMarked() || !part.IsKnown() || part.IsNull() || part.Type() != cty.String {
			return part, nil
		}
		if reference, ok := engine.ReferenceIn(part.AsString()); ok {
			return s.refer(reference)
		}
		return part, nil
	})
}

// keptIn lists the secrets that a value has stand-ins for. misused tells that
// something else was made from one, as if it were the secret itself: then it is
// marked with secrets and holds the stand-in of none.
func keptIn(v cty.Value) (all []kept, misused bool) {
	if !v.ContainsMarked() {
		return nil, false
	}
	plain, marks := v.UnmarkDeepWithPaths()
	for _, at := range marks {
		part, err := at.Path.Apply(plain)
		if err == nil && !part.IsKnown() {
			continue // it waits for an output, and is looked at again
		}
		text := ""
		if err == nil && part.Type() == cty.String && !part.IsNull() {
			text = part.AsString()
		}
		secrets, held := 0, len(all)
		for m := range at.Marks {
			if k, ok := m.(kept); ok {
				if secrets++; strings.Contains(text, k.standIn) {
					all = append(all, k)
				}
			}
		}
		misused = misused || secrets > 0 && len(all) == held
	}
	return all, misused
}

// isKept reports whether something with the marks comes from a secret.
func isKept(marks cty.ValueMarks) bool {
	for m := range marks {
		if _, ok := m.(kept); ok {
			return true
		}
	}
	return false
}

// refersToKept reports whether anything in a value comes from a secret.
func refersToKept(v cty.Value) bool {
	all, misused := keptIn(v)
	return misused || len(all) > 0
}

// judged is a condition, which must not rest on what only a runner knows. To
// those who walk through the source it looks like parentheses around it.
type judged struct{ *hclsyntax.ParenthesesExpr }

// Value implements hclsyntax.Expression.
func (j judged) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := j.ParenthesesExpr.Value(ctx)
	if refersToKept(v) {
		return cty.UnknownVal(cty.Bool), append(diags, unknownHere(j.Range()))
	}
	return v, diags
}

// keptRule is what may be done with a secret.
const keptRule = "what secret(...) names is known only when a step runs; it can be put somewhere as it is, or into a text as in \"user:${secret(\"...\")}\", and neither be looked at nor changed"

// unknownHere is the mistake of looking at a secret.
func unknownHere(at hcl.Range) *hcl.Diagnostic {
	return mistake(at, "Secret is not known here", "W%s.", keptRule[1:])
}

// placing names the functions that put values somewhere as they are. All others
// would work on the stand-in.
var placing = map[string]bool{
	"chunklist": true, "coalesce": true, "coalescelist": true, "compact": true, "concat": true, "element": true, "flatten": true, "format": true,
	"formatlist": true, "issensitive": true, "join": true, "keys": true, "length": true, "lookup": true, "merge": true, "one": true,
	"reverse": true, "sensitive": true, "slice": true, "templatefile": true, "tolist": true, "tomap": true, "tostring": true,
	"try": true, "can": true, "values": true, "zipmap": true,
}

var plainVerbs = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([^%]|%%|%[sv])*$`) })

// careful is f without a way to work on a stand-in.
func careful(name string, f function.Function) function.Function {
	check := func(args []cty.Value) error { return errors.New(keptRule) }
	switch {
	case name == "format" || name == "formatlist":
		check = func(args []cty.Value) error {
			if text, _ := args[0].Unmark(); text.IsKnown() && !text.IsNull() && plainVerbs().MatchString(text.AsString()) {
				return nil
			}
			return errors.New("a secret goes into a text by %s only")
		}
	case placing[name]:
		return f
	}
	return function.New(&function.Spec{
		Params: open(f.Params()), VarParam: openOne(f.VarParam()),
		Type: func(args []cty.Value) (cty.Type, error) {
			for _, arg := range args {
				if refersToKept(arg) {
					if err := check(args); err != nil {
						return cty.NilType, err
					}
				}
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

// open lets through whatever the function itself is to decide on.
func open(params []function.Parameter) []function.Parameter {
	all := make([]function.Parameter, len(params))
	for i := range params {
		all[i] = *openOne(&params[i])
	}
	return all
}

func openOne(p *function.Parameter) *function.Parameter {
	if p == nil {
		return nil
	}
	q := *p
	q.AllowMarked, q.AllowUnknown, q.AllowNull, q.AllowDynamicType = true, true, true, true
	return &q
}
