package vault

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// memoryKeys is a KeyStore in memory.
type memoryKeys struct {
	mu   sync.Mutex
	keys []engine.DataKey
}

func (m *memoryKeys) DataKeys(context.Context) ([]engine.DataKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]engine.DataKey(nil), m.keys...), nil
}

func (m *memoryKeys) AddDataKey(_ context.Context, k engine.DataKey, _ ...engine.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(m.keys, func(o engine.DataKey) bool { return o.ID == k.ID }) {
		return engine.ErrConflict
	}
	m.keys = append(m.keys, k)
	slices.SortFunc(m.keys, func(a, b engine.DataKey) int { return a.ID - b.ID })
	return nil
}

func open(t *testing.T, o Options) *Vault {
	t.Helper()
	v, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSealedValueOpensInItsPlaceOnly(t *testing.T) {
	v := open(t, Options{KeyFile: filepath.Join(t.TempDir(), "key"), Keys: &memoryKeys{}})
	for name, plain := range map[string][]byte{"empty": {}, "small": []byte("secret"), "large": bytes.Repeat([]byte("secret "), 10000)} {
		sealed, err := v.Seal("t", "1", "c", plain)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, []byte("secret")) {
			t.Errorf("%s: the sealed value shows its content", name)
		}
		got, err := v.Unseal("t", "1", "c", sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: opened to %d bytes, %v", name, len(got), err)
		}
		for _, other := range [][3]string{{"u", "1", "c"}, {"t", "2", "c"}, {"t", "1", "d"}, {"t1", "", "c"}} {
			if _, err := v.Unseal(other[0], other[1], other[2], sealed); err == nil {
				t.Errorf("%s: opens at %v too", name, other)
			}
		}
	}
}

func TestKeysSurviveARestartAndAreMadeOnce(t *testing.T) {
	keys, file := &memoryKeys{}, filepath.Join(t.TempDir(), "key")
	var vaults [8]*Vault
	var wg sync.WaitGroup
	for i := range vaults {
		wg.Go(func() { vaults[i] = open(t, Options{KeyFile: file, Keys: keys}) })
	}
	wg.Wait()
	sealed, err := vaults[0].Seal("t", "1", "c", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range vaults {
		if _, err := v.Unseal("t", "1", "c", sealed); err != nil {
			t.Errorf("process %d: %v", i, err)
		}
		if v.Fingerprint([]byte("x")) != vaults[0].Fingerprint([]byte("x")) {
			t.Errorf("process %d has other fingerprints", i)
		}
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info.Mode(), err)
	}
}

// A machine that slept has a key in hand that may be destroyed by now: the clock
// that runs on is the one on the wall.
func TestKeysAreLookedForBeforeSealingAfterASleepOrAnotherTime(t *testing.T) {
	for name, jump := range map[string]time.Duration{"slept": time.Hour, "put back": -time.Hour} {
		keys, now := &memoryKeys{}, time.Now() // with both clocks
		v := open(t, Options{KeyFile: filepath.Join(t.TempDir(), "key"), Keys: keys, Now: func() time.Time { return now }})
		second, err := v.NewKey(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.AddDataKey(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		now = now.Round(0).Add(jump)
		sealed, err := v.Seal("t", "1", "c", nil)
		if err != nil || string(sealed[:engine.KeyTagSize]) != v.Tag(2) {
			t.Errorf("%s: sealed under %x, %v", name, sealed[:engine.KeyTagSize], err)
		}
	}
}

// A server whose clock is behind would seal under a key that may be destroyed at
// any moment.
func TestNothingIsSealedUnderARetiredKeyWhateverTheClock(t *testing.T) {
	keys, now := &memoryKeys{}, time.Now()
	v := open(t, Options{KeyFile: filepath.Join(t.TempDir(), "key"), Keys: keys, Now: func() time.Time { return now }})
	for id := 2; id <= 3; id++ {
		k, err := v.NewKey(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		k.ActiveAt = now.Add(time.Duration(id) * time.Hour)
		if err := keys.AddDataKey(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		retired int // that far
		clock   time.Duration
		want    int
	}{{0, 0, 1}, {1, 0, 2}, {1, 2 * time.Hour, 2}, {1, 3 * time.Hour, 3}, {2, 0, 3}} {
		for i := range tt.retired {
			keys.keys[slices.IndexFunc(keys.keys, func(k engine.DataKey) bool { return k.ID == i+1 })].RetiredAt = now
		}
		was := now
		now = now.Add(tt.clock)
		if err := v.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		sealed, err := v.Seal("t", "1", "c", nil)
		if err != nil || string(sealed[:engine.KeyTagSize]) != v.Tag(tt.want) {
			t.Errorf("%d retired, %s later: sealed under %x, %v", tt.retired, tt.clock, sealed, err)
		}
		now = was
	}
}

// sealsOnly is a key service that lets us encrypt, and not decrypt.
type sealsOnly struct{ Master }

func (sealsOnly) DecryptWithContext(context.Context, []byte, []byte) ([]byte, error) {
	return nil, errors.New("AccessDenied")
}

// Once a key is in the database that does not open, no process seals any more.
func TestKeyThatDoesNotOpenAgainIsNotMade(t *testing.T) {
	keys, file := &memoryKeys{}, filepath.Join(t.TempDir(), "key")
	v := open(t, Options{KeyFile: file, Keys: keys})
	v.master = sealsOnly{v.master}
	if _, err := v.NewKey(t.Context(), 2); err == nil || !strings.Contains(err.Error(), "does not open what it has just sealed") || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("error = %v", err)
	}
	if _, err := Open(t.Context(), Options{Master: v.master, Keys: &memoryKeys{}}); err == nil {
		t.Error("a first key is made that nobody can open")
	}
}

func TestAnotherMasterKeyIsToldApart(t *testing.T) {
	keys := &memoryKeys{}
	open(t, Options{KeyFile: filepath.Join(t.TempDir(), "key"), Keys: keys})
	_, err := Open(t.Context(), Options{KeyFile: filepath.Join(t.TempDir(), "other"), Keys: keys})
	if err == nil || !strings.Contains(err.Error(), "was the key file replaced") {
		t.Errorf("error = %v", err)
	}
	if _, err := Open(t.Context(), Options{Key: "not base64!", Keys: keys}); err == nil || strings.Contains(err.Error(), "not base64!") {
		t.Errorf("error = %v, want one that does not repeat the key", err)
	}
}

func TestValuesThatAreSealedAtOnceDoNotMix(t *testing.T) {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				plain := bytes.Repeat([]byte{byte(i), byte(j), 0}, deflateFrom)
				packed, err := pack(plain)
				if err != nil || len(packed) > len(plain)/10 {
					t.Errorf("%d bytes of %d, %v", len(packed), len(plain), err)
				}
				if got, err := unpack(packed); err != nil || !bytes.Equal(got, plain) {
					t.Errorf("another value came back, %v", err)
				}
			}
		})
	}
	all.Wait()
}

func TestPasswords(t *testing.T) {
	p := NewPasswords()
	hash, err := p.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		hash     string
		password engine.Secret
		want     bool
	}{
		"the password itself":          {hash, "correct horse", true},
		"another password":             {hash, "wrong horse", false},
		"nobody has this name":         {"", "correct horse", false},
		"a hash that cannot be read":   {"$argon2id$v=19$nonsense", "correct horse", false},
		"an empty password for nobody": {"", "", false},
	} {
		if got, err := p.Verify(t.Context(), tt.hash, tt.password); got != tt.want || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestPasswordsWaitForTheirTurnToBeHashed(t *testing.T) {
	p := NewPasswords()
	for range cap(p.turns) { // every core hashes
		p.turns <- struct{}{}
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := p.Verify(gone, "", "correct horse"); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v of one who did not wait", err)
	}
	if _, err := p.Hash(gone, "correct horse"); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v of one who did not wait", err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := p.Hash(t.Context(), "correct horse")
		done <- err
	}()
	<-p.turns
	if err := <-done; err != nil || len(p.turns) != cap(p.turns)-1 {
		t.Errorf("error = %v, %d of %d turns are taken", err, len(p.turns), cap(p.turns))
	}
}

func BenchmarkSeal(b *testing.B) {
	v, err := Open(b.Context(), Options{KeyFile: filepath.Join(b.TempDir(), "key"), Keys: &memoryKeys{}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := v.Seal("t", "1", "c", []byte("a small secret value")); err != nil {
			b.Fatal(err)
		}
	}
}
