package terraform

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const ten = `resource "terraform_data" "x" {
  count = 10
  input = "a"
  triggers_replace = [timestamp()]
}
`

// BenchmarkSmallRun compares a plan and its apply with the bare commands in a
// prepared folder. The resources are replaced each time.
func BenchmarkSmallRun(b *testing.B) {
	b.Run("driver", func(b *testing.B) {
		w := newWorld(b, map[string]string{"x/main.tf": ten})
		for b.Loop() {
			p, err := w.driver.Plan(b.Context(), w.job, w.bundle, io.Discard)
			if err != nil {
				b.Fatal(err)
			}
			w.job.PlanHash = p.Hash
			if _, err := w.driver.Apply(b.Context(), w.job, w.bundle, p.File, io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		dir := b.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(ten), 0o600); err != nil {
			b.Fatal(err)
		}
		bare(b, dir, "init")
		for b.Loop() {
			bare(b, dir, "plan", "-out", "plan")
			bare(b, dir, "show", "-json", "plan")
			bare(b, dir, "apply", "plan")
		}
	})
}

func bare(b *testing.B, dir string, args ...string) {
	b.Helper()
	cmd := exec.Command("terraform", args...)
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "CHECKPOINT_DISABLE=1", "HOME=" + dir}
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
}
