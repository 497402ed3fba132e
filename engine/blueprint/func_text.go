package blueprint

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// textFunctions are those on texts that cty has not, or has with another
// behaviour.
func textFunctions() map[string]function.Function {
	return map[string]function.Function{
		"startswith": testFunc(strings.HasPrefix), "endswith": testFunc(strings.HasSuffix), "strcontains": testFunc(strings.Contains),
		"replace": replaceFunc(), "timecmp": timecmpFunc(),
		"base64encode": textFunc(func(s string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(s)), nil }),
		"base64decode": textFunc(base64decode),
		"urlencode":    textFunc(func(s string) (string, error) { return url.QueryEscape(s), nil }),
		"basename":     textFunc(func(s string) (string, error) { return path.Base(s), nil }),
		"dirname":      textFunc(func(s string) (string, error) { return path.Dir(s), nil }),
	}
}

// refusedCall is why a function of Terraform cannot be used in a stack.
func refusedCall(name string) error {
	return fmt.Errorf("%s gives another value each time, and a plan that was approved could not be reproduced; make the value a variable, or inside a module", name)
}

// textFunc is a function from text to text.
func textFunc(call func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}},
		Type:   returns(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := call(args[0].AsString())
			return cty.StringVal(s), err
		},
	})
}

// testFunc is a yes-or-no question about two texts.
func testFunc(call func(text, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:   returns(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(call(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

func base64decode(s string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", errors.New("the text is not base64")
	}
	if !utf8.Valid(b) {
		return "", errors.New("what the text stands for is not UTF-8")
	}
	return string(b), nil
}

// replaceFunc replaces a text, or a pattern where that is between slashes.
func replaceFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "part", Type: cty.String}, {Name: "by", Type: cty.String}},
		Type:   returns(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, part, by := args[0].AsString(), args[1].AsString(), args[2].AsString()
			if len(part) > 1 && part[0] == '/' && part[len(part)-1] == '/' {
				re, err := regexp.Compile(part[1 : len(part)-1])
				if err != nil {
					return cty.NilVal, errors.New("the pattern between the slashes is not a regular expression")
				}
				return cty.StringVal(re.ReplaceAllString(text, by)), nil
			}
			return cty.StringVal(strings.ReplaceAll(text, part, by)), nil
		},
	})
}

// timecmpFunc compares two times: -1, 0 or 1.
func timecmpFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "a", Type: cty.String}, {Name: "b", Type: cty.String}},
		Type:   returns(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			a, errA := time.Parse(time.RFC3339, args[0].AsString())
			b, errB := time.Parse(time.RFC3339, args[1].AsString())
			if errA != nil || errB != nil {
				return cty.NilVal, errors.New("times are written like 2026-01-02T03:04:05Z")
			}
			return cty.NumberIntVal(int64(a.Compare(b))), nil
		},
	})
}
