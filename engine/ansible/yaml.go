package ansible

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// renderYAML writes v as YAML in its JSON-like form. Each text is marked
// !unsafe: values are data, and Ansible would otherwise run what stands in
// {{ }} in them, on this machine.
func renderYAML(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	var out strings.Builder
	writeYAML(&out, tree)
	out.WriteByte('\n')
	return []byte(out.String()), nil
}

func writeYAML(out *strings.Builder, v any) {
	switch v := v.(type) {
	case map[string]any:
		out.WriteByte('{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			separate(out, i)
			quoteYAML(out, key)
			out.WriteString(": ")
			writeYAML(out, v[key])
		}
		out.WriteByte('}')
	case []any:
		out.WriteByte('[')
		for i, e := range v {
			separate(out, i)
			writeYAML(out, e)
		}
		out.WriteByte(']')
	case string:
		out.WriteString("!unsafe ")
		quoteYAML(out, v)
	case json.Number:
		out.WriteString(plainNumber(v))
	case nil:
		out.WriteString("null")
	default:
		fmt.Fprint(out, v) // a bool
	}
}

// plainNumber writes n without an exponent, which YAML 1.1 takes for a text.
func plainNumber(n json.Number) string {
	f, ok := new(big.Float).SetString(n.String())
	if !strings.ContainsAny(n.String(), "eE") || !ok {
		return n.String()
	}
	return f.Text('f', -1)
}

func separate(out *strings.Builder, i int) {
	if i > 0 {
		out.WriteString(",\n")
	}
}

// quoteYAML writes s in double quotes. All but printable ASCII is escaped,
// since YAML refuses some characters that JSON lets pass.
func quoteYAML(out *strings.Builder, s string) {
	out.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r >= ' ' && r < 0x7f:
			out.WriteRune(r)
		default:
			fmt.Fprintf(out, `\U%08x`, r)
		}
	}
	out.WriteByte('"')
}
