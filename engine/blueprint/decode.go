package blueprint

import (
	"fmt"
	"math/big"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// decoder reads attributes that must be known when a revision is submitted.
// It collects mistakes and goes on with zero values.
type decoder struct {
	sc    *scope // nil for literals
	diags hcl.Diagnostics
}

func (d *decoder) add(diags hcl.Diagnostics) { d.diags = append(d.diags, diags...) }

func (d *decoder) mistake(at hcl.Range, summary, detail string, args ...any) {
	d.diags = append(d.diags, mistake(at, summary, detail, args...))
}

// value evaluates the attribute to a known value of the type without marks;
// ok is false where there is none.
func (d *decoder) value(a *hcl.Attribute, kind cty.Type, what string) (v cty.Value, ok bool) {
	if a == nil {
		return cty.NilVal, false
	}
	if d.refersToOutputs(a) {
		return cty.NilVal, false
	}
	v, diags := d.sc.eval(a.Expr)
	d.add(diags)
	if diags.HasErrors() {
		return cty.NilVal, false
	}
	if v.ContainsMarked() {
		d.mistake(a.Expr.Range(), "Sensitive value", "%s is shown to everybody who sees the stack, and cannot be made from a sensitive value.", a.Name)
		return cty.NilVal, false
	}
	return d.fit(a, v, kind, what)
}

func (d *decoder) refersToOutputs(a *hcl.Attribute) bool {
	for _, u := range d.sc.uses(a.Expr) {
		if u.address != "" {
			d.mistake(a.Expr.Range(), "Unusable reference", "%s must be known when the stack is submitted, and cannot be made from %s.outputs.%s.", a.Name, u.address, u.output)
			return true
		}
	}
	return false
}

func (d *decoder) fit(a *hcl.Attribute, v cty.Value, kind cty.Type, what string) (cty.Value, bool) {
	fit, err := convert.Convert(v, kind)
	if err != nil || fit.IsNull() {
		d.mistake(a.Expr.Range(), "Wrong type", "%s is %s.", a.Name, what)
		return cty.NilVal, false
	}
	if !fit.IsWhollyKnown() {
		return cty.NilVal, false // a variable without a value, which is told elsewhere or wanted
	}
	return fit, true
}

func (d *decoder) text(a *hcl.Attribute) string {
	v, ok := d.value(a, cty.String, "a text in quotes")
	if !ok {
		return ""
	}
	return v.AsString()
}

func (d *decoder) truth(a *hcl.Attribute) bool {
	v, ok := d.value(a, cty.Bool, "true or false")
	return ok && v.True()
}

func (d *decoder) texts(a *hcl.Attribute) []string {
	v, ok := d.value(a, cty.List(cty.String), "a list of texts")
	if !ok {
		return nil
	}
	var texts []string
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if e.IsNull() {
			d.mistake(a.Expr.Range(), "Wrong type", "%s is a list of texts, and null is none.", a.Name)
			continue
		}
		texts = append(texts, e.AsString())
	}
	return texts
}

func (d *decoder) textMap(a *hcl.Attribute) map[string]string {
	v, ok := d.value(a, cty.Map(cty.String), "a map of texts")
	if !ok {
		return nil
	}
	texts := map[string]string{}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if !e.IsNull() {
			texts[k.AsString()] = e.AsString()
		}
	}
	return texts
}

// number reads a whole number within the bounds.
func (d *decoder) number(a *hcl.Attribute, least, most, fallback int64) int {
	v, ok := d.value(a, cty.Number, "a number")
	if !ok {
		return int(fallback)
	}
	return d.whole(a, v, least, most, fallback)
}

// whole takes a number within the bounds.
func (d *decoder) whole(a *hcl.Attribute, v cty.Value, least, most, fallback int64) int {
	n, exact := v.AsBigFloat().Int64()
	if exact != big.Exact || n < least || n > most {
		d.mistake(a.Expr.Range(), "Out of range", "%s is a whole number from %d to %d.", a.Name, least, most)
		return int(fallback)
	}
	return int(n)
}

func (d *decoder) duration(a *hcl.Attribute, fallback time.Duration) time.Duration {
	v, ok := d.value(a, cty.String, `a time such as "90s", "5m" or "72h"`)
	if !ok {
		return fallback
	}
	t, err := time.ParseDuration(v.AsString())
	if err != nil || t <= 0 {
		d.mistake(a.Expr.Range(), "Unusable duration", `%s is a time above zero such as "90s", "5m" or "72h", not %q.`, a.Name, v.AsString())
		return fallback
	}
	return t
}

// choice reads one of the words, or gives the first of them.
func choice[T ~string](d *decoder, a *hcl.Attribute, words ...T) T {
	v, ok := d.value(a, cty.String, "a text in quotes")
	if !ok {
		return words[0]
	}
	known := make([]string, len(words))
	for i, w := range words {
		if known[i] = string(w); known[i] == v.AsString() {
			return w
		}
	}
	d.mistake(a.Expr.Range(), "Unknown choice", "%s is one of %s, not %q.%s", a.Name, oneOf(known), v.AsString(), didYouMean(v.AsString(), known))
	return words[0]
}

// literalBool reads true or false as it is written.
func (d *decoder) literalBool(a *hcl.Attribute) bool {
	v, ok := d.literal(a, cty.Bool, "true or false")
	return ok && v.True()
}

// literalText reads a text as it is written.
func (d *decoder) literalText(a *hcl.Attribute) string {
	v, ok := d.literal(a, cty.String, "a text in quotes")
	if !ok {
		return ""
	}
	return v.AsString()
}

func (d *decoder) literal(a *hcl.Attribute, kind cty.Type, what string) (cty.Value, bool) {
	if a == nil {
		return cty.NilVal, false
	}
	v, diags := a.Expr.Value(nil)
	d.add(diags)
	if diags.HasErrors() {
		return cty.NilVal, false
	}
	fit, err := convert.Convert(v, kind)
	if err != nil || fit.IsNull() || !fit.IsKnown() {
		d.mistake(a.Expr.Range(), "Wrong type", "%s is %s.", a.Name, what)
		return cty.NilVal, false
	}
	return fit, true
}

// content reads a block by its attributes and inner blocks, each of which may
// be there once.
func (d *decoder) content(b *hcl.Block, attributes []string, inner ...string) (hcl.Attributes, map[string]*hcl.Block) {
	schema := &hcl.BodySchema{}
	for _, name := range attributes {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: name})
	}
	for _, name := range inner {
		schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: name})
	}
	content, diags := b.Body.Content(schema)
	d.add(diags)
	return content.Attributes, d.single(content.Blocks)
}

func (d *decoder) single(blocks hcl.Blocks) map[string]*hcl.Block {
	found := map[string]*hcl.Block{}
	for _, b := range blocks {
		if before := found[b.Type]; before != nil {
			d.mistake(b.DefRange, fmt.Sprintf("Second %s block", b.Type), "There is one at line %d already. Put everything into one of them.", before.DefRange.Start.Line)
			continue
		}
		found[b.Type] = b
	}
	return found
}
