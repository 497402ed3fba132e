package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func TestWorkerTidiesItsDiskWithTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &components{options: &serverOptions{dataDir: t.TempDir(), keep: keepOptions{workspaceDays: 14}}, log: slog.New(slog.DiscardHandler)}
		kept := []string{
			filepath.Join(sourcesDir(c.options.dataDir), "digest"),
			filepath.Join(c.options.dataDir, "workspaces", "shop", "terraform.x", "key-0"),
		}
		almost := time.Now().Add(time.Hour - days(14))
		for _, dir := range kept {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(dir, almost, almost); err != nil {
				t.Fatal(err)
			}
		}
		there := func() (n int) {
			for _, dir := range kept {
				if _, err := os.Stat(dir); err == nil {
					n++
				}
			}
			return n
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go c.tidy(ctx)
		synctest.Wait()
		if n := there(); n != 2 {
			t.Errorf("%d are left before their time", n)
		}
		time.Sleep(cleanEvery) // of the bubble's clock
		synctest.Wait()
		if n := there(); n != 0 {
			t.Errorf("%d are left after it", n)
		}
	})
}
