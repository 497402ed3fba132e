package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestUnitsLeaveRunnersAloneAndTimeToDrain(t *testing.T) {
	units, err := filepath.Glob("../../deploy/*.service")
	if err != nil || len(units) != 2 {
		t.Fatal(units, err)
	}
	for _, path := range units {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		settings := map[string]string{}
		for line := range strings.Lines(string(b)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			settings[name] = value
		}
		if settings["KillMode"] != "process" {
			t.Errorf("%s: KillMode is %q", path, settings["KillMode"])
		}
		// The drain that deploy/README.md gives as an example, and the end after it.
		stop, err := time.ParseDuration(strings.TrimSuffix(settings["TimeoutStopSec"], "in")) // 15min
		if err != nil || stop < 10*time.Minute+stopServing {
			t.Errorf("%s: TimeoutStopSec is %q", path, settings["TimeoutStopSec"])
		}
	}
}
