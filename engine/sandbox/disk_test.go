package sandbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
)

func TestEachFileCountsForTheInodeThatItTakes(t *testing.T) {
	dir := t.TempDir()
	for i := range 100 {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if used, hidden := usage([]string{dir}); used < 100*leastBytes || used > 110*leastBytes || hidden != "" {
		t.Errorf("used = %d, hidden = %q", used, hidden)
	}
}

func TestStepThatFillsTheDiskIsStopped(t *testing.T) {
	for name, tt := range map[string]struct {
		policy Policy
		full   bool
	}{
		"more than is allowed": {Policy{Mode: Auto, Limits: Limits{Disk: 1 << 20}}, true},
		"less":                 {Policy{Mode: Auto, Limits: Limits{Disk: 4 << 20}}, false},
		"no limit":             {Policy{Mode: Auto}, false},
		"no walls":             {Policy{Mode: Off, Limits: Limits{Disk: 1 << 20}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "big"), make([]byte, 2<<20), 0o600); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := (&Box{policy: tt.policy}).Watch(t.Context(), dir, filepath.Join(dir, "missing"))
				defer stop()
				deadline, end := context.WithTimeout(ctx, 2*lookEach)
				defer end()
				<-deadline.Done()
				if full := new(DiskError); errors.As(context.Cause(ctx), &full) != tt.full {
					t.Errorf("cause = %v", context.Cause(ctx))
				}
			})
		})
	}
}
