package blueprint

import (
	"fmt"
	"strings"

	yaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// maxAliases is how often a YAML text may use what it has named: a few that
// build on each other stand for more than any memory holds.
const maxAliases = 32

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

func checkYAML(v cty.Value) error {
	if !v.IsKnown() || v.IsNull() {
		return nil
	}
	text := v.AsString()
	aliases := strings.Count(text, " *") + strings.Count(text, "[*") + strings.Count(text, ",*") + strings.Count(text, "\n*")
	if strings.Contains(text, "&") && aliases > maxAliases {
		return fmt.Errorf("the text uses more than %d aliases", maxAliases)
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
