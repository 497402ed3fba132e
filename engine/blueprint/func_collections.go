package blueprint

import (
	"errors"
	"math/big"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// collectionFunctions are those of Terraform that cty has not, or has with
// another behaviour.
func collectionFunctions() map[string]function.Function {
	return map[string]function.Function{
		"alltrue": boolsFunc(false), "anytrue": boolsFunc(true), "coalesce": coalesceFunc(), "index": indexFunc(),
		"length": lengthFunc(), "lookup": lookupFunc(), "matchkeys": matchkeysFunc(), "one": oneFunc(), "sum": sumFunc(),
		"transpose": transposeFunc(),
		"sensitive": markFunc(true), "nonsensitive": markFunc(false), "issensitive": isSensitiveFunc(),
	}
}

// anything is a parameter that takes any value, null too.
func anything(name string) function.Parameter {
	return function.Parameter{Name: name, Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true}
}

func returns(t cty.Type) function.TypeFunc { return function.StaticReturnType(t) }

// boolsFunc looks through a list for the value that decides.
func boolsFunc(decides bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   returns(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			unknown := false
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				switch {
				case !v.IsKnown():
					unknown = true
				case !v.IsNull() && v.True() == decides, v.IsNull() && !decides:
					return cty.BoolVal(decides), nil
				}
			}
			if unknown {
				return cty.UnknownVal(cty.Bool), nil
			}
			return cty.BoolVal(!decides), nil
		},
	})
}

// coalesceFunc gives the first argument that is neither null nor empty text.
func coalesceFunc() function.Function {
	vals := anything("vals")
	vals.AllowUnknown = true
	return function.New(&function.Spec{
		VarParam: &vals,
		Type: func(args []cty.Value) (cty.Type, error) {
			types := make([]cty.Type, len(args))
			for i, v := range args {
				types[i] = v.Type()
			}
			t, _ := convert.UnifyUnsafe(types)
			if t == cty.NilType {
				return t, errors.New("all arguments must have the same type")
			}
			return t, nil
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			for _, v := range args {
				v, err := convert.Convert(v, t)
				if err != nil {
					return cty.NilVal, err
				}
				if !v.IsKnown() {
					return cty.UnknownVal(t), nil
				}
				if !v.IsNull() && (v.Type() != cty.String || v.AsString() != "") {
					return v, nil
				}
			}
			return cty.NilVal, errors.New("no argument that is neither null nor an empty text")
		},
	})
}

func indexFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}, {Name: "value", Type: cty.DynamicPseudoType}},
		Type:   returns(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if t := args[0].Type(); !t.IsListType() && !t.IsTupleType() {
				return cty.NilVal, errors.New("the first argument is a list")
			}
			for it := args[0].ElementIterator(); it.Next(); {
				i, v := it.Element()
				eq, err := stdlib.Equal(v, args[1])
				if err != nil {
					return cty.NilVal, err
				}
				if !eq.IsKnown() {
					return cty.UnknownVal(cty.Number), nil
				}
				if eq.True() {
					return i, nil
				}
			}
			return cty.NilVal, errors.New("the list does not hold the value")
		},
	})
}

// lengthFunc counts the elements of a collection, or the characters of a text.
func lengthFunc() function.Function {
	p := anything("value")
	p.AllowNull = false
	return function.New(&function.Spec{
		Params: []function.Parameter{p},
		Type:   returns(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			switch t := args[0].Type(); {
			case t == cty.String:
				return stdlib.Strlen(args[0])
			case t.IsTupleType(), t.IsObjectType(), t.IsCollectionType():
				return cty.NumberIntVal(int64(args[0].LengthInt())), nil
			}
			return cty.NilVal, errors.New("length takes a list, a map, a set or a text")
		},
	})
}

// lookupFunc finds a key in a map; without a default the key has to be there.
func lookupFunc() function.Function {
	call := func(args []cty.Value) (cty.Value, error) {
		m, key := args[0], args[1].AsString()
		switch {
		case m.Type().IsObjectType() && m.Type().HasAttribute(key):
			return m.GetAttr(key), nil
		case m.Type().IsMapType() && m.HasIndex(args[1]).True():
			return m.Index(args[1]), nil
		case !m.Type().IsObjectType() && !m.Type().IsMapType():
			return cty.NilVal, errors.New("lookup takes a map")
		case len(args) == 3:
			return args[2], nil
		}
		return cty.NilVal, errors.New("the map has no such key, and no default was given")
	}
	fallback := anything("default")
	fallback.AllowUnknown = true
	return function.New(&function.Spec{
		Params:   []function.Parameter{{Name: "map", Type: cty.DynamicPseudoType}, {Name: "key", Type: cty.String}},
		VarParam: &fallback,
		Type: func(args []cty.Value) (cty.Type, error) {
			if len(args) > 3 {
				return cty.NilType, errors.New("lookup takes a map, a key and at most one default")
			}
			if !args[0].IsKnown() || !args[1].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			v, err := call(args)
			return v.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return call(args) },
	})
}

// matchkeysFunc picks the values whose key, at the same place, is wanted.
func matchkeysFunc() function.Function {
	list := cty.List(cty.DynamicPseudoType)
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "values", Type: list}, {Name: "keys", Type: list}, {Name: "wanted", Type: list}},
		Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			if args[0].LengthInt() != args[1].LengthInt() {
				return cty.NilVal, errors.New("values and keys must be of the same length")
			}
			keys, wanted := args[1].AsValueSlice(), args[2].AsValueSlice()
			var picked []cty.Value
			for i, v := range args[0].AsValueSlice() {
				for _, w := range wanted {
					if keys[i].RawEquals(w) {
						picked = append(picked, v)
						break
					}
				}
			}
			if picked == nil {
				return cty.ListValEmpty(t.ElementType()), nil
			}
			return cty.ListVal(picked), nil
		},
	})
}

// oneFunc takes the only element out of a list, or null out of an empty one.
func oneFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
		Type:   returns(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			t := args[0].Type()
			if !t.IsListType() && !t.IsSetType() && !t.IsTupleType() {
				return cty.NilVal, errors.New("one takes a list or a set")
			}
			switch list := args[0].AsValueSlice(); len(list) {
			case 0:
				return cty.NullVal(cty.DynamicPseudoType), nil
			case 1:
				return list[0], nil
			}
			return cty.NilVal, errors.New("the list has more than one element")
		},
	})
}

func sumFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Number)}},
		Type:   returns(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			total := new(big.Float)
			for _, v := range args[0].AsValueSlice() {
				if !v.IsKnown() {
					return cty.UnknownVal(cty.Number), nil
				}
				if v.IsNull() {
					return cty.NilVal, errors.New("null cannot be added")
				}
				total.Add(total, v.AsBigFloat())
			}
			return cty.NumberVal(total), nil
		},
	})
}

// transposeFunc swaps keys and values of a map of lists of texts.
func transposeFunc() function.Function {
	t := cty.Map(cty.List(cty.String))
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "map", Type: t}},
		Type:   returns(t),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if !args[0].IsWhollyKnown() {
				return cty.UnknownVal(t), nil
			}
			swapped := map[string][]cty.Value{}
			for it := args[0].ElementIterator(); it.Next(); {
				key, list := it.Element()
				if list.IsNull() {
					continue
				}
				for _, v := range list.AsValueSlice() {
					if v.IsNull() {
						return cty.NilVal, errors.New("null cannot be a key")
					}
					swapped[v.AsString()] = append(swapped[v.AsString()], key)
				}
			}
			if len(swapped) == 0 {
				return cty.MapValEmpty(cty.List(cty.String)), nil
			}
			out := map[string]cty.Value{}
			for k, v := range swapped {
				out[k] = cty.ListVal(v)
			}
			return cty.MapVal(out), nil
		},
	})
}

// markFunc sets or takes off the mark of sensitive values.
func markFunc(set bool) function.Function {
	p := anything("value")
	p.AllowMarked, p.AllowUnknown = true, true
	return function.New(&function.Spec{
		Params: []function.Parameter{p},
		Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if set {
				return args[0].Mark(sensitive), nil
			}
			v, _ := args[0].Unmark()
			return v, nil
		},
	})
}

func isSensitiveFunc() function.Function {
	p := anything("value")
	p.AllowMarked, p.AllowUnknown = true, true
	return function.New(&function.Spec{
		Params: []function.Parameter{p},
		Type:   returns(cty.Bool),
		Impl:   func(args []cty.Value, _ cty.Type) (cty.Value, error) { return cty.BoolVal(args[0].IsMarked()), nil },
	})
}
