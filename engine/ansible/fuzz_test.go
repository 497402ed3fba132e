package ansible

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

// FuzzEvents holds that whatever the callback of a play writes, or somebody in
// its place, is taken in or told.
func FuzzEvents(f *testing.F) {
	f.Add([]byte(`{"event":"task","host":"web","task":"t","module":"m","status":"changed","diff":"-a\n+b","seconds":1}` + "\n" + `{"event":"stats","host":"web","stats":{"ok":1}}` + "\n" + `{"event":"end"}` + "\n"))
	f.Add([]byte(`{"event":"task","host":"","status":"failed","message":"\u001b[31m"}` + "\n{"))
	f.Add([]byte("null\n[]\n"))
	mask := newMasker(&engine.Job{})
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "events")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := readOutcome(path, mask)
		if err != nil {
			return
		}
		out.plan(true)
		out.plan(false)
		out.failure()
		out.refusedKey()
	})
}
