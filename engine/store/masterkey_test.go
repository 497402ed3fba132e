package store_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/vault"
)

func TestMasterKeyIsChanged(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		c := &clock{}
		file := filepath.Join(t.TempDir(), "key")
		from, to := got(vault.NewMasterKey())(t), got(vault.KeyFile(file))(t)
		a := c.process(t, url, from)
		step := fillArtifacts(t, a.Store)
		print := a.vault.Fingerprint([]byte("x"))
		values := a.under(t)

		moved := got(vault.Rewrap(t.Context(), got(vault.LocalKey(from))(t), to, a.Store, event("key.rewrap", "")))(t)
		wantEqual(t, moved, 2)
		must(t, a.PutArtifact(t.Context(), step, "a1", []byte(secret))) // who runs goes on
		_, err := a.keys.Rotate(t.Context(), ada)
		wantKind(t, err, engine.ErrConflict)
		if _, err := vault.Open(t.Context(), vault.Options{Key: from, Keys: a.Store}); err == nil || !strings.Contains(err.Error(), to.String()) {
			t.Errorf("error = %v, want one that names the other master key", err)
		}
		key := strings.TrimSpace(string(got(os.ReadFile(file))(t)))
		b := c.process(t, url, key)
		opensAll(t, b.Store, step)
		wantEqual(t, b.vault.Fingerprint([]byte("x")), print)
		wantEqual(t, b.under(t), values)
		got(b.keys.Rotate(t.Context(), ada))(t)

		_, err = vault.Rewrap(t.Context(), got(vault.LocalKey(from))(t), to, a.Store, event("key.rewrap", ""))
		if err == nil || !strings.Contains(err.Error(), "does not open") {
			t.Errorf("error = %v for a master key that is not the one", err)
		}
	})
}

// meanwhile is a master key with which something else happens as soon as it seals.
type meanwhile struct {
	vault.Master
	do func()
}

func (m *meanwhile) EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error) {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return m.Master.EncryptWithContext(ctx, plaintext, associatedData)
}

// Of keys under two master keys no process could open all, and none could start.
func TestKeyThatIsMadeWhileTheMasterKeyChangesIsUnderTheSameOne(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		c, key := &clock{}, got(vault.NewMasterKey())(t)
		a := c.process(t, url, key)
		from, to := got(vault.LocalKey(key))(t), got(vault.KeyFile(filepath.Join(t.TempDir(), "key")))(t)
		rewrap := func(to vault.Master) error {
			_, err := vault.Rewrap(t.Context(), from, to, a.Store, event("key.rewrap", ""))
			return err
		}
		rotated := &meanwhile{to, func() { got(a.keys.Rotate(t.Context(), ada))(t) }}
		wantKind(t, rewrap(rotated), engine.ErrConflict)
		c.advance(time.Hour)

		slow := &meanwhile{from, func() { must(t, rewrap(to)) }}
		b := &process{Store: a.Store, vault: got(vault.Open(t.Context(), vault.Options{Master: slow, Keys: a.Store, Now: c.now}))(t)}
		b.keys = &engine.Keys{Store: b.Store, Ring: b.vault, Now: c.now, Log: slog.New(slog.DiscardHandler)}
		_, err := b.keys.Rotate(t.Context(), ada)
		wantKind(t, err, engine.ErrConflict)
		for _, k := range got(a.DataKeys(t.Context()))(t) {
			wantEqual(t, k.Master, to.String())
		}
		got(vault.Open(t.Context(), vault.Options{Master: to, Keys: a.Store, Now: c.now}))(t)
	})
}
