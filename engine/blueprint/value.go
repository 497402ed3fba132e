package blueprint

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// mark is what values carry through expressions.
type mark string

// sensitive marks a value that must not be shown.
const sensitive = mark("sensitive")

// minSecret is the least length of a text, and the least number of digits of a
// number, that is masked in logs: shorter ones would hide half of the log and
// protect nothing. Truth values never are, for the same reason.
const minSecret = 4

// secretTexts lists the texts of at least minSecret bytes within the marked
// parts of a value, the lines of those that have several, and its numbers as
// JSON has them.
func secretTexts(v cty.Value) []string {
	var texts []string
	gatherSecrets(v, false, &texts)
	slices.Sort(texts)
	return slices.Compact(texts)
}

func gatherSecrets(v cty.Value, inside bool, texts *[]string) {
	inside = inside || v.IsMarked()
	v, _ = v.Unmark()
	switch {
	case v.IsNull() || !v.IsKnown():
	case v.Type() == cty.String:
		if inside {
			*texts = append(*texts, maskable(v.AsString())...)
		}
	case v.Type() == cty.Number:
		if text := v.AsBigFloat().Text('f', -1); inside && digits(text) >= minSecret {
			*texts = append(*texts, text)
		}
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next(); {
			_, element := it.Element()
			gatherSecrets(element, inside, texts)
		}
	}
}

func digits(number string) int {
	return len(number) - strings.Count(number, "-") - strings.Count(number, ".")
}

func maskable(text string) []string {
	var texts []string
	for _, t := range append(strings.Split(text, "\n"), text) {
		if len(strings.TrimSpace(t)) >= minSecret {
			texts = append(texts, t)
		}
	}
	return texts
}

// toJSON renders a value whose marks no longer matter. Unknown parts become
// null: callers refuse them before, where they matter.
func toJSON(v cty.Value) (json.RawMessage, error) {
	v, _ = v.UnmarkDeep()
	v = cty.UnknownAsNull(v)
	return ctyjson.Marshal(v, v.Type())
}

// decodeOutput reads an output's value; unknown where there is none.
func decodeOutput(raw, kind json.RawMessage) (cty.Value, error) {
	if raw == nil {
		return cty.DynamicVal, nil
	}
	var t cty.Type
	var err error
	if kind != nil {
		t, err = ctyjson.UnmarshalType(kind)
	} else {
		t, err = ctyjson.ImpliedType(raw)
	}
	if err != nil {
		return cty.NilVal, err
	}
	return ctyjson.Unmarshal(raw, t)
}

// pathText renders a conversion error with the place within the value.
func pathText(err error) string {
	var at cty.PathError
	if !errors.As(err, &at) || len(at.Path) == 0 {
		return err.Error()
	}
	var b strings.Builder
	for _, step := range at.Path {
		switch step := step.(type) {
		case cty.GetAttrStep:
			b.WriteString("." + step.Name)
		case cty.IndexStep:
			fmt.Fprintf(&b, "[%s]", keyText(step.Key))
		}
	}
	return b.String() + ": " + err.Error()
}

func keyText(key cty.Value) string {
	key, _ = key.Unmark()
	switch {
	case !key.IsKnown() || key.IsNull():
		return "..."
	case key.Type() == cty.String:
		return fmt.Sprintf("%q", key.AsString())
	case key.Type() == cty.Number:
		return key.AsBigFloat().Text('f', -1)
	default:
		return "..."
	}
}

// typeText renders a type the way people write it.
func typeText(t cty.Type) string { return typeexpr.TypeString(t) }
