package vault

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/cloudops-manager/cloudops/engine"
)

// Passwords hashes passwords with argon2id. It implements engine.Passwords.
type Passwords struct {
	turns chan struct{} // as many as may hash at a time
}

// NewPasswords returns Passwords that use a core for each hash, so that a flood
// of them waits in line instead of filling the memory.
func NewPasswords() *Passwords {
	return &Passwords{turns: make(chan struct{}, runtime.NumCPU())}
}

// The cost of a hash: 19 MiB of memory and two passes, the first choice of the
// OWASP Password Storage Cheat Sheet for argon2id.
const (
	argonTime    = 2
	argonMemory  = 19 << 10 // KiB
	argonThreads = 1
	argonSalt    = 16 // bytes
	argonKey     = 32 // bytes
)

// derive computes a key when its turn comes, and gives the memory that it took
// back to the system at once: it would stay with an idle process otherwise.
func (p *Passwords) derive(ctx context.Context, password engine.Secret, salt []byte, time, memory uint32, threads uint8, size uint32) ([]byte, error) {
	select {
	case p.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-p.turns }()
	defer debug.FreeOSMemory()
	return argon2.IDKey([]byte(password), salt, time, memory, threads, size), nil
}

// Hash returns the hash in PHC form, with its cost and a new salt.
func (p *Passwords) Hash(ctx context.Context, password engine.Secret) (string, error) {
	salt := make([]byte, argonSalt)
	rand.Read(salt)
	key, err := p.derive(ctx, password, salt, argonTime, argonMemory, argonThreads, argonKey)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), nil
}

// Verify reports whether the password is the one behind hash. A hash that
// cannot be read costs as much time as one that does not match.
func (p *Passwords) Verify(ctx context.Context, hash string, password engine.Secret) (bool, error) {
	memory, time, threads, salt, want, ok := readHash(hash)
	if !ok {
		memory, time, threads, salt, want = argonMemory, argonTime, argonThreads, make([]byte, argonSalt), make([]byte, argonKey)
	}
	got, err := p.derive(ctx, password, salt, time, memory, threads, uint32(len(want))) // #nosec G115 -- the length of a hash
	return subtle.ConstantTimeCompare(got, want) == 1 && ok, err
}

func readHash(hash string) (memory, time uint32, threads uint8, salt, key []byte, ok bool) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &threads); err != nil {
		return
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return
	}
	key, err = base64.RawStdEncoding.DecodeString(parts[5])
	return memory, time, threads, salt, key, err == nil && len(key) > 0 && time > 0 && threads > 0
}
