package blueprint

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// The bounds of functions whose result may be far larger than what they are given,
// and of the texts that all calls of functions make, which may be within each other.
const (
	maxMade   = 1 << 18  // elements
	maxText   = 4 << 20  // bytes
	maxTexts  = 32 << 20 // bytes
	maxIndent = 1_000
)

var widths = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`%[^%a-zA-Z]*\d{5}`) })

// guards say what a call would make too much of, by the function's name. Each takes
// arguments as its function does, without marks, known and not null.
var guards = map[string]func(args []cty.Value) error{
	"base64encode": short,
	"csvdecode":    filelike,
	"format":       narrow,
	"formatlist":   narrow,
	"indent": func(args []cty.Value) error {
		if args[0].GreaterThan(cty.NumberIntVal(maxIndent)).True() {
			return errors.New("text is indented by at most " + strconv.Itoa(maxIndent) + " blanks")
		}
		blanks, _ := args[0].AsBigFloat().Int64()
		text := args[1].AsString()
		return bounded(len(text)+int(blanks)*strings.Count(text, "\n"), maxText)
	},
	"join": func(args []cty.Value) error {
		parts := 0
		for _, list := range args[1:] {
			parts += list.LengthInt()
		}
		return bounded(len(args[0].AsString())*parts+weight(args[1:]), maxText)
	},
	"jsondecode": filelike,
	"jsonencode": short,
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
	"urlencode":  short,
	"yamlencode": short,
}

// filelike refuses texts to decode that are larger than a file of a stack.
func filelike(args []cty.Value) error { return bounded(len(args[0].AsString()), MaxFile) }

// short refuses what is too large to be written in another way.
func short(args []cty.Value) error { return bounded(weight(args), maxText) }

// narrow refuses formats that would be filled with much: with blanks, or by the same
// argument again and again.
func narrow(args []cty.Value) error {
	format := args[0].AsString()
	if widths().MatchString(format) {
		return errors.New("widths and precisions have at most four digits")
	}
	lists, texts := 1, []cty.Value{}
	for _, arg := range args[1:] {
		if t := arg.Type(); t.IsListType() || t.IsSetType() || t.IsTupleType() {
			lists = max(lists, arg.LengthInt())
		} else {
			texts = append(texts, arg)
		}
	}
	verbs := strings.Count(format, "%")
	if verbs > 0 {
		if err := bounded(weight(args[1:]), maxText/verbs); err != nil {
			return err
		}
	}
	return bounded(len(format)+verbs*weight(texts), maxText/lists)
}

func bounded(made, most int) error {
	if made > most {
		return errors.New("the result would be too large")
	}
	return nil
}

// weight is how many bytes of text values hold, and one for each element. It stops
// once that is more than anything may have.
func weight(values []cty.Value) int {
	total := 0
	for _, v := range values {
		for _, part := range cty.DeepValues(v) {
			if total += 1 + textLength(part); total > maxText {
				return total
			}
		}
	}
	return total
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

// metered is a table of functions whose calls make no more text than maxTexts, all
// together. It is for one goroutine.
func metered(table map[string]function.Function) map[string]function.Function {
	left := maxTexts
	all := make(map[string]function.Function, len(table))
	for name, f := range table {
		all[name] = meter(f, strings.HasSuffix(name, "decode"), &left)
	}
	return all
}

// perByte is what a byte of text counts that is decoded, for it may become a value.
const perByte = 8

// meter takes from left what a call makes: of functions that decode, by their argument.
func meter(f function.Function, decodes bool, left *int) function.Function {
	return function.New(&function.Spec{
		Params: f.Params(), VarParam: f.VarParam(),
		Type: f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if *left < 0 {
				return cty.NilVal, errors.New("the texts of this stack are too large all together")
			}
			if decodes {
				*left -= perByte * textLength(args[0])
			}
			v, err := f.Call(args)
			if err == nil {
				*left -= textLength(v)
			}
			return v, err
		},
	})
}

// textLength is the length of a text that is known; 0 for all else.
func textLength(v cty.Value) int {
	if v, _ = v.Unmark(); v.Type() != cty.String || !v.IsKnown() || v.IsNull() {
		return 0
	}
	return len(v.AsString())
}
