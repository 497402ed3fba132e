package terraform

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// used makes a slot that was used at the time.
func used(t *testing.T, d *Driver, slot string, at time.Time) (dir string) {
	t.Helper()
	dir = filepath.Join(d.DataDir, "workspaces", filepath.FromSlash(slot))
	if err := os.MkdirAll(filepath.Join(dir, "src"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"lock", "src/main.tf"} {
		if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(dir, at, at); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWorkspacesOfStacksThatAreGoneAreRemoved(t *testing.T) {
	d := New(Options{DataDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	now := time.Now()
	long, month := now.Add(-40*24*time.Hour), now.Add(-30*24*time.Hour)
	gone := used(t, d, "gone/terraform.x/k-0", long)
	half := used(t, d, "gone/terraform.x/k-1.old", long) // a worker was killed as it removed it
	sibling := used(t, d, "shop/terraform.x/k-1", long)
	recent := used(t, d, "shop/terraform.x/k-0", now)
	errored := used(t, d, "shop/terraform.y/k-0", long)
	if err := os.WriteFile(filepath.Join(errored, "src", erroredFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	held := used(t, d, "shop/terraform.z/k-0", long)
	lock, err := tryLock(filepath.Join(held, "lock"))
	if err != nil || lock == nil {
		t.Fatal(lock, err)
	}
	defer lock.Close()
	if err := d.ClearUnused(month); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{
		gone: false, half: false, filepath.Dir(filepath.Dir(gone)): false, sibling: false,
		recent: true, errored: true, held: true,
	} {
		if exists(dir) != want {
			t.Errorf("%s is there: %t", dir, !want)
		}
	}
}

func TestWorkspaceThatIsUsedStays(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": `output "a" { value = 1 }`})
	w.plan(t)
	if err := w.driver.ClearUnused(time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	w.plan(t)
	slots, _ := filepath.Glob(filepath.Join(w.driver.DataDir, "workspaces", "*", "*", "*"))
	if err := w.driver.ClearUnused(time.Now().Add(time.Hour)); err != nil || len(slots) != 1 || exists(slots[0]) {
		t.Errorf("slots %v, %v", slots, err)
	}
}
