package blueprint

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// fileFunctions read files of the bundle, and of nothing else.
func (s *stack) fileFunctions() map[string]function.Function {
	return map[string]function.Function{
		"file":       s.fileFunc(utf8Text),
		"filebase64": s.fileFunc(func(b []byte) (string, error) { return base64.StdEncoding.EncodeToString(b), nil }),
		"filemd5":    s.fileFunc(func(b []byte) (string, error) { return digest(md5.New, hex.EncodeToString, b), nil }),
		"filesha1":   s.fileFunc(func(b []byte) (string, error) { return digest(sha1.New, hex.EncodeToString, b), nil }),
		"filesha256": s.fileFunc(func(b []byte) (string, error) { return digest(sha256.New, hex.EncodeToString, b), nil }),
		"filesha512": s.fileFunc(func(b []byte) (string, error) { return digest(sha512.New, hex.EncodeToString, b), nil }),
		"filebase64sha256": s.fileFunc(func(b []byte) (string, error) {
			return digest(sha256.New, base64.StdEncoding.EncodeToString, b), nil
		}),
		"fileexists":   s.fileexistsFunc(),
		"fileset":      s.filesetFunc(),
		"templatefile": s.templatefileFunc(),
	}
}

func utf8Text(b []byte) (string, error) {
	if !utf8.Valid(b) {
		return "", errors.New("the file is not UTF-8; use filebase64")
	}
	return string(b), nil
}

// inTree turns a path in an expression into a name in the bundle.
func inTree(name string) (string, error) {
	if leadsOut(name) {
		return "", fmt.Errorf("%q leads out of the stack's folder", name)
	}
	return path.Clean(name), nil
}

func (s *stack) readFile(name string) ([]byte, error) {
	clean, err := inTree(name)
	if err != nil {
		return nil, err
	}
	f, ok := s.tree[clean]
	if !ok {
		return nil, fmt.Errorf("the stack has no file %q%s", name, didYouMean(clean, s.tree.names()))
	}
	return f.Data, nil
}

func (s *stack) fileFunc(render func([]byte) (string, error)) function.Function {
	return textFunc(func(name string) (string, error) {
		b, err := s.readFile(name)
		if err != nil {
			return "", err
		}
		return render(b)
	})
}

func (s *stack) fileexistsFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   returns(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			clean, err := inTree(args[0].AsString())
			_, ok := s.tree[clean]
			return cty.BoolVal(ok), err
		},
	})
}

// filesetFunc lists the files right in a folder whose names fit a pattern.
func (s *stack) filesetFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}, {Name: "pattern", Type: cty.String}},
		Type:   returns(cty.Set(cty.String)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			dir, err := inTree(args[0].AsString())
			if err != nil {
				return cty.NilVal, err
			}
			return s.fileset(dir, args[1].AsString())
		},
	})
}

func (s *stack) fileset(dir, pattern string) (cty.Value, error) {
	var found []cty.Value
	for name := range s.tree {
		if !within(name, dir) {
			continue
		}
		rest := name
		if dir != "." {
			rest = name[len(dir)+1:]
		}
		ok, err := path.Match(pattern, rest)
		if err != nil {
			return cty.NilVal, errors.New("the pattern is written with *, ? and [a-z]")
		}
		if ok {
			found = append(found, cty.StringVal(rest))
		}
	}
	if found == nil {
		return cty.SetValEmpty(cty.String), nil
	}
	return cty.SetVal(found), nil
}

// templatefileFunc renders a file as a template over the given values.
func (s *stack) templatefileFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}, {Name: "vars", Type: cty.DynamicPseudoType}},
		Type:   returns(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			t := args[1].Type()
			if !t.IsObjectType() && !t.IsMapType() {
				return cty.NilVal, errors.New("the second argument is a map of values for the template")
			}
			return s.render(args[0].AsString(), args[1].AsValueMap())
		},
	})
}

func (s *stack) render(name string, values map[string]cty.Value) (cty.Value, error) {
	text, err := s.readFile(name)
	if err != nil {
		return cty.NilVal, err
	}
	tokens, _ := hclsyntax.LexTemplate(text, name, hcl.InitialPos)
	if deepest(tokens) != nil {
		return cty.NilVal, fmt.Errorf("%s nests too deeply", name)
	}
	expr, diags := hclsyntax.ParseTemplate(text, name, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, templateError(diags)
	}
	count(expr)
	ctx := (&budget{left: maxWork / 10}).context().NewChild()
	ctx.Variables, ctx.Functions = values, metered(s.templateFunctions())
	v, diags := expr.Value(ctx)
	if diags.HasErrors() {
		return cty.NilVal, templateError(diags)
	}
	return v, nil
}

// templateFunctions leaves out what could make a template call itself.
func (s *stack) templateFunctions() map[string]function.Function {
	table := maps.Clone(s.functions())
	delete(table, "templatefile")
	return table
}

func templateError(diags hcl.Diagnostics) error {
	d := diags.Errs()[0].(*hcl.Diagnostic)
	if d.Subject == nil {
		return fmt.Errorf("%s: %s", d.Summary, d.Detail)
	}
	return fmt.Errorf("%s:%d: %s: %s", d.Subject.Filename, d.Subject.Start.Line, d.Summary, d.Detail)
}
