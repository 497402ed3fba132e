package blueprint

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"sync"

	yaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// aliasMarks finds what may be an alias: a star behind white space or a bracket.
// Source: YAML 1.2.2, sections 5.3 and 7.1.
var aliasMarks = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(^|[\s,:?\[\]{}-])\*`) })

// yamldecodeFunc is that of the library, kept from texts that would exhaust it.
func yamldecodeFunc() function.Function {
	param := yaml.YAMLDecodeFunc.Params()[0]
	return function.New(&function.Spec{
		Params: []function.Parameter{param},
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := checkYAML(args[0]); err != nil {
				return cty.NilType, err
			}
			return yaml.YAMLDecodeFunc.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return yaml.YAMLDecodeFunc.Call(args) },
	})
}

// repeated is how often a part of a YAML text may come at most once its aliases are
// followed. Each may stand for what holds others, in as many levels as there are names.
func repeated(text string) float64 {
	names, aliases, most := strings.Count(text, "&"), len(aliasMarks().FindAllStringIndex(text, -1)), 1.0
	for levels := 1; levels <= min(names, aliases); levels++ {
		most = max(most, math.Pow(1+float64(aliases)/float64(levels), float64(levels)))
	}
	return most
}

func checkYAML(v cty.Value) error {
	if !v.IsKnown() || v.IsNull() {
		return nil
	}
	text := v.AsString()
	if float64(len(text))*repeated(text) > MaxFile {
		return errors.New("the text is too large, or its aliases stand for too much")
	}
	depth := 0
	for line := range strings.Lines(text) {
		depth += strings.Count(line, "[") + strings.Count(line, "{")
		if depth > maxDepth || strings.Count(line, "- ")+strings.Count(line, "? ") > maxDepth {
			return fmt.Errorf("the text nests deeper than %d levels", maxDepth)
		}
		depth -= strings.Count(line, "]") + strings.Count(line, "}")
		depth = max(depth, 0)
	}
	return nil
}
