package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode/utf16"
)

// decodeJSON reads one value of JSON, with numbers as they are written.
func decodeJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, Invalid("there is more than one value")
	}
	return v, nil
}

// jcs writes what decodeJSON gives in the one form that RFC 8785 has for
// it. Whole numbers are written with all their digits, also beyond 2^53.
func jcs(v any) []byte { return appendJCS(nil, v) }

func appendJCS(b []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		return appendObject(b, v)
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJCS(b, item)
		}
		return append(b, ']')
	case string:
		return appendText(b, v)
	case json.Number:
		return append(b, jcsNumber(v)...)
	case nil:
		return append(b, "null"...)
	default: // truths and whole numbers
		return fmt.Append(b, v)
	}
}

// appendObject writes the members in the order of the UTF-16 code units of
// their names. Source: RFC 8785, section 3.2.3.
func appendObject(b []byte, members map[string]any) []byte {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int {
		return slices.Compare(utf16.Encode([]rune(x)), utf16.Encode([]rune(y)))
	})
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, name), ':')
		b = appendJCS(b, members[name])
	}
	return append(b, '}')
}

// short are the characters that have an escape of two. Source: RFC 8785,
// section 3.2.2.2.
var short = map[byte]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}

func appendText(b []byte, s string) []byte {
	s = strings.ToValidUTF8(s, "\ufffd")
	b = append(b, '"')
	for i := range len(s) {
		switch escape, ok := short[s[i]]; {
		case ok:
			b = append(b, '\\', escape)
		case s[i] < 0x20:
			b = fmt.Appendf(b, `\u%04x`, s[i])
		default:
			b = append(b, s[i])
		}
	}
	return append(b, '"')
}

// jcsNumber writes whole numbers as they are and others as ECMAScript
// does, which encoding/json follows. Source: RFC 8785, section 3.2.2.3.
func jcsNumber(n json.Number) string {
	if whole, ok := new(big.Int).SetString(n.String(), 10); ok {
		return whole.String()
	}
	f, err := n.Float64()
	if err != nil {
		return n.String() // beyond what a float64 can hold
	}
	if f == 0 {
		return "0"
	}
	b, err := json.Marshal(f)
	if err != nil {
		return n.String()
	}
	return string(b)
}
