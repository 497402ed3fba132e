package runner

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSourcesThatNobodyUsesAreRemoved(t *testing.T) {
	s := Sources{Root: t.TempDir()}
	long := time.Now().Add(-40 * 24 * time.Hour)
	for _, name := range []string{"deleted", "used", unfinished + "killed"} {
		dir := filepath.Join(s.Root, name)
		if err := os.MkdirAll(filepath.Join(dir, "web"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, long, long); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Dir(t.Context(), "used", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.ClearUnused(time.Now().Add(-30 * 24 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(s.Root); err != nil || len(left) != 1 || left[0].Name() != "used" {
		t.Errorf("%v is left, %v", left, err)
	}
	if err := (Sources{Root: filepath.Join(s.Root, "none")}).ClearUnused(time.Now()); err != nil {
		t.Errorf("a worker that never ran: %v", err)
	}
}
