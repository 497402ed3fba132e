package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/workers"
)

// from is a context whose changes come from a part of the system.
func from(ctx context.Context, part string) context.Context {
	return engine.WithOrigin(ctx, engine.Origin{Via: part})
}

// forwardEvery is how often the audit log is sent on.
const forwardEvery = 5 * time.Second

// schedule fires schedules and sweeps until ctx ends.
func (c *components) schedule(ctx context.Context, group *errgroup.Group) {
	schedules := &workers.Schedules{Store: c.store, Starter: c.runs, Bell: c.bell, Now: c.runs.Now, Log: c.log}
	group.Go(func() error { return ignoreEnd(ctx, schedules.Run(from(ctx, "schedule"))) })
	sweep := &workers.Sweep{Sweeper: c.runs, Redis: c.redis, Bell: c.bell, Log: c.log}
	telling := &workers.Webhooks{Messenger: c.telling, Bell: c.bell, Log: c.log}
	group.Go(func() error { return ignoreEnd(ctx, telling.Run(from(ctx, "webhooks"))) })
	group.Go(func() error { return ignoreEnd(ctx, sweep.Run(from(ctx, "sweep"))) })
	chores := &workers.Chores{Store: c.store, Now: c.runs.Now, Log: c.log, Chores: []workers.Chore{
		{Name: "retention", Every: cleanEvery, Do: func(ctx context.Context) error {
			_, err := c.options.keep.retention(c.store, c.runs.Now, c.log).Clean(ctx)
			return err
		}},
		{Name: "issuer", Every: time.Hour, Do: c.runs.Issuer.Tidy},
		{Name: "audit", Every: time.Minute, Do: c.audit.Tend},
		{Name: "webhooks", Every: cleanEvery, Do: c.telling.Clean},
	}}
	group.Go(func() error { return ignoreEnd(ctx, chores.Run(from(ctx, "chore"))) })
	reseal := &workers.Chores{Store: c.store, Now: c.runs.Now, Log: c.log, Chores: []workers.Chore{
		{Name: "reseal", Every: resealEvery, Do: func(ctx context.Context) error { return c.keys.Reseal(ctx, resealPause) }},
	}}
	group.Go(func() error { return ignoreEnd(ctx, reseal.Run(from(ctx, "chore"))) }) // apart from those that it may take long beside
	forward := &workers.Chores{Store: c.store, Now: c.runs.Now, Log: c.log, Every: forwardEvery, Chores: []workers.Chore{
		{Name: "forward", Every: forwardEvery, Do: c.forward.Forward},
	}}
	group.Go(func() error { return ignoreEnd(ctx, forward.Run(ctx)) })
}

// What is under an older data key is sealed again, with pauses that leave the
// database to others.
const (
	resealEvery = time.Minute
	resealPause = 50 * time.Millisecond
)

// relay hands over to the queues what was written beside runs, until ctx ends.
func (c *components) relay(ctx context.Context) error {
	relay := &workers.Relay{Store: c.store, Redis: c.redis, Bell: c.bell, Log: c.log}
	return relay.Run(ctx)
}
