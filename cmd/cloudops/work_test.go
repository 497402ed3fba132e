package main

import (
	"bytes"
	"context"
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

func TestWorkerSaysThatPlaysHaveNoWalls(t *testing.T) {
	for mode, told := range map[string]bool{"auto": true, "off": false} {
		var log bytes.Buffer
		o := serverOptions{sandbox: mode}
		if err := o.walls(slog.New(slog.NewTextHandler(&log, nil))); err != nil || strings.Contains(log.String(), "none around plays") != told {
			t.Errorf("%s: %v, log = %s", mode, err, log.String())
		}
	}
}

func TestWorkerDoesNotStartWithWallsThatCannotBeHad(t *testing.T) {
	o := serverOptions{sandbox: "required", logLevel: "info", logFormat: "text"}
	if err := serve(t.Context(), o, roles{worker: true}, io.Discard); err == nil || !strings.Contains(err.Error(), `--sandbox: there is no mode "required"`) {
		t.Errorf("error = %v", err)
	}
}
