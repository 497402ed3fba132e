package main

import (
	"context"
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
