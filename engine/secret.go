package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"regexp"
	"sync"
)

// Secret is text that must not be printed. It shows as [hidden] in every
// format, log and JSON document; Reveal gives the text.
type Secret string

const hidden = "[hidden]"

// String implements fmt.Stringer.
func (Secret) String() string { return hidden }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return hidden }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler, for JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// Hash returns the SHA-256 of a secret that has enough randomness of its own,
// such as a token, in hex: what the database keeps of it.
func (s Secret) Hash() string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

var secretNameRule = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)pass|secret|token|key|credential|private`)
})

// SecretsWithin lists the texts of a secret that is a JSON document whose names
// say that they are secret by themselves, such as "password" beside "host". Who
// reads the document prints them alone.
func SecretsWithin(secret string) []string {
	var doc any
	if json.Unmarshal([]byte(secret), &doc) != nil {
		return nil
	}
	return secretTexts(doc, false)
}

// secretTexts lists texts that have such a name, or are within what has.
func secretTexts(v any, named bool) (all []string) {
	switch v := v.(type) {
	case string:
		if named {
			return []string{v}
		}
	case []any:
		for _, e := range v {
			all = append(all, secretTexts(e, named)...)
		}
	case map[string]any:
		for name, e := range v {
			all = append(all, secretTexts(e, named || secretNameRule().MatchString(name))...)
		}
	}
	return all
}

// minEncoded is the least length, in bytes, of a secret that is also looked for in
// base64: of shorter ones too little would be left to tell them by.
const minEncoded = 6

// InBase64 is what is always there of a secret in base64, whatever stands before
// and behind it, such as the name in the header of basic authentication: the
// characters that have no bits of others. It may begin at any of three places.
func InBase64(secret string) (all []string) {
	if len(secret) < minEncoded {
		return nil
	}
	for before := range 3 {
		b := append(bytes.Repeat([]byte{0}, before), secret...)
		from, to := (before*8+5)/6, len(b)*8/6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			all = append(all, encoding.EncodeToString(b)[from:to])
		}
	}
	return all
}
