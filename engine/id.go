package engine

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// crockford is the alphabet of ULIDs: it sorts like the bytes it stands for.
// Source: https://github.com/ulid/spec.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID returns prefix, a dash and 26 characters: 48 bits of milliseconds and
// 80 random bits, so that identifiers sort by the time they were made.
func NewID(prefix string, at time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(at.UnixMilli())<<16)
	rand.Read(b[6:]) // never fails: crypto/rand.Read crashes the program instead
	enc := base32.NewEncoding(crockford).WithPadding(base32.NoPadding)
	return prefix + "-" + enc.EncodeToString(b[:])
}

// NewToken returns a secret of 256 random bits behind a prefix that leak
// scanners can look for.
func NewToken(prefix string) Secret {
	var b [32]byte
	rand.Read(b[:])
	enc := base32.StdEncoding.WithPadding(base32.NoPadding)
	return Secret(prefix + "_" + strings.ToLower(enc.EncodeToString(b[:])))
}
