package runner

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

// The folder of a runner that cannot be helped used to keep what its tool was
// given.
func TestRunnerThatIsGivenUpLeavesNoSecrets(t *testing.T) {
	self := enginetest.Need(t, "false", "apt-get install coreutils")
	dir := t.TempDir()
	if err := WriteOrder(dir, Order{API: "http://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var forgotten []string
		l := &Launcher{Self: self, Log: slog.New(slog.DiscardHandler), Forget: func(_ context.Context, dir string) error {
			forgotten = append(forgotten, dir)
			return nil
		}}

		if err := l.see(t.Context(), dir); err != nil {
			t.Error(err)
		}

		if len(forgotten) != 1 || forgotten[0] != dir {
			t.Errorf("forgotten: %v", forgotten)
		}
	})
	if _, err := os.Stat(filepath.Join(dir, orderFile)); err != nil {
		t.Errorf("the next worker finds no order: %v", err)
	}
}
