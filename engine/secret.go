package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
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
