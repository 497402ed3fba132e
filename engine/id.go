package engine

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"sync"
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
	return prefix + "-" + ulid().EncodeToString(b[:])
}

var ulid = sync.OnceValue(func() *base32.Encoding {
	return base32.NewEncoding(crockford).WithPadding(base32.NoPadding)
})

// idTime gives the millisecond that an identifier of NewID was made with, or
// the zero time for anything else.
func idTime(id string) time.Time {
	_, digits, _ := strings.Cut(id, "-")
	b, err := ulid().DecodeString(digits)
	if err != nil || len(b) != 16 {
		return time.Time{}
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b) >> 16))
}

// after gives the time to make an identifier with that sorts after another,
// whatever the clock has done since that was made.
func after(id string, now time.Time) time.Time {
	if next := idTime(id).Add(time.Millisecond); next.After(now) {
		return next
	}
	return now
}

// NewToken returns a secret of 256 random bits behind a prefix that leak
// scanners can look for.
func NewToken(prefix string) Secret {
	var b [32]byte
	rand.Read(b[:])
	enc := base32.StdEncoding.WithPadding(base32.NoPadding)
	return Secret(prefix + "_" + strings.ToLower(enc.EncodeToString(b[:])))
}
