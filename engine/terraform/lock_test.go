package terraform

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

func TestCancelReachesWhoWaitsForALockOfTheWorker(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no Terraform on it
	d := New(Options{DataDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	r := &session{Driver: d, log: io.Discard}
	tests := map[string]struct {
		lock string
		wait func(context.Context) error
	}{
		"the provider store":       {filepath.Join(d.store(), ".lock"), func(ctx context.Context) error { return r.stock(ctx, nothing) }},
		"Terraform's installation": {filepath.Join(d.DataDir, "terraform", "lock"), func(ctx context.Context) error { _, err := d.find(ctx, io.Discard); return err }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := os.MkdirAll(filepath.Dir(tt.lock), 0o700); err != nil {
				t.Fatal(err)
			}
			held, err := tryLock(tt.lock)
			if err != nil || held == nil {
				t.Fatal(held, err)
			}
			defer held.Close()
			ctx, cancel := context.WithCancelCause(t.Context())
			stop := errors.New("somebody cancelled")
			cancel(stop)
			if err := tt.wait(ctx); !errors.Is(err, stop) {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestLockIsTakenOnceItIsFree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := tryLock(path)
	if err != nil || first == nil {
		t.Fatal(first, err)
	}
	got := make(chan *os.File)
	go func() {
		f, err := lock(t.Context(), path)
		if err != nil {
			t.Error(err)
		}
		got <- f
	}()
	first.Close()
	second := <-got
	defer second.Close()
	if other, err := tryLock(path); err != nil || other != nil {
		t.Errorf("the lock is free, %v", err)
	}
}
