package main

import (
	"bytes"
	"context"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
	"github.com/spf13/pflag"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestDrainEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		draining, stop := outlive(ctx, time.Minute)
		defer stop()
		time.Sleep(time.Hour) // of the bubble's clock
		end()
		began := time.Now()
		if draining.Err() != nil {
			t.Error("it ended with the worker")
		}
		<-draining.Done()
		if lasted := time.Since(began); lasted != time.Minute {
			t.Errorf("it lasted %s", lasted)
		}
	})
}

func TestWorkerSaysWhatItsWallsHold(t *testing.T) {
	for mode, told := range map[string]bool{"auto": true, "off": false} {
		var log bytes.Buffer
		o := sandboxOptions{policy: sandbox.Policy{Mode: sandbox.Mode(mode)}}
		if err := o.survey(slog.New(slog.NewTextHandler(&log, nil))); err != nil || strings.Contains(log.String(), "holds=\"files") != told {
			t.Errorf("%s: %v, log = %s", mode, err, log.String())
		}
	}
}

func TestWorkerDoesNotStartWithWallsThatCannotBeHad(t *testing.T) {
	o := serverOptions{sandbox: sandboxOptions{policy: sandbox.Policy{Mode: "required"}}, logLevel: "info", logFormat: "text"}
	if err := serve(t.Context(), o, roles{worker: true}, io.Discard); err == nil || !strings.Contains(err.Error(), `--sandbox: there is no mode "required"`) {
		t.Errorf("error = %v", err)
	}
}

func TestSandboxSettingsAreChecked(t *testing.T) {
	for flag, fails := range map[string]string{
		"--sandbox-memory=2GiB":         "",
		"--sandbox-memory=much":         `"much"`,
		"--sandbox-users=12-40":         "from 1000 on",
		"--sandbox-users=none":          "no range",
		"--sandbox-connect=0":           "no TCP port",
		"--sandbox-read=etc":            "absolute",
		"--sandbox-write=/srv/artifact": "",
	} {
		var o sandboxOptions
		f := pflag.NewFlagSet("test", pflag.ContinueOnError)
		o.flags(f)
		err := f.Parse([]string{flag})
		if err == nil {
			err = o.check()
		}
		if (err == nil) != (fails == "") || err != nil && !strings.Contains(err.Error(), fails) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

func TestRunnersOfAWorkerBeforeHaveNoWalls(t *testing.T) {
	if p := wallsOf(map[string]string{"sandbox": "auto"}); p.Mode != "" {
		t.Errorf("walls of %+v", p)
	}
	o := sandboxOptions{policy: sandbox.Policy{Mode: sandbox.Auto, Connect: []int{22}}}
	if p := wallsOf(map[string]string{"walls": o.settings()}); p.Mode != sandbox.Auto || len(p.Connect) != 1 {
		t.Errorf("walls of %+v", p)
	}
}
