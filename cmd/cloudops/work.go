package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/ansible"
	"github.com/cloudops-manager/cloudops/engine/runner"
	"github.com/cloudops-manager/cloudops/workers"
)

// work serves the queues until ctx ends, and then waits for the steps in hand, those
// of workers before it included, as long as it is to drain. Runners go on without it.
func (c *components) work(ctx context.Context) error {
	exe, err := self()
	if err != nil {
		return err
	}
	launcher := &runner.Launcher{
		Runs: c.runs, Worker: c.options.workerName, Self: exe, Root: filepath.Join(c.options.dataDir, "runners"),
		API: c.options.url, Settings: c.options.runnerSettings(exe), Log: c.log, Forget: forget, PassOn: c.options.secretsOf.allowed,
	}
	var clouds []engine.Cloud
	for _, name := range c.options.clouds {
		clouds = append(clouds, engine.Cloud(name))
	}
	srv := workers.NewServer(c.redis, c.bell, workers.Options{
		Clouds: clouds, Concurrency: c.options.concurrency, DriftConcurrency: c.options.driftConcurrency, Drain: c.options.drain, Log: c.log,
	}, launcher)
	group, ctx := errgroup.WithContext(ctx)
	draining, stop := outlive(ctx, c.options.drain)
	defer stop()
	group.Go(func() error { c.tidy(ctx); return nil })
	group.Go(func() error { return launcher.Adopt(draining) })
	group.Go(func() error { return ignoreEnd(ctx, srv.Run(ctx)) })
	return group.Wait()
}

// forget removes the secrets of an attempt that nobody goes on with.
func forget(ctx context.Context, dir string) error {
	if err := ansible.Forget(ctx, dir); err != nil || ctx.Err() != nil { // what still runs may need them
		return err
	}
	return runner.ForgetAccess(dir)
}

// outlive gives a context that ends the time after ctx.
func outlive(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	longer, stop := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(by, stop) })
	return longer, stop
}

// self is the path of this program. What was called is better than what runs:
// it is the new one after an upgrade.
func self() (string, error) {
	if path, err := exec.LookPath(os.Args[0]); err == nil {
		return filepath.Abs(path)
	}
	return os.Executable()
}

// runnerSettings are the settings that a worker passes on to its runners.
func (o *serverOptions) runnerSettings(exe string) map[string]string {
	settings := map[string]string{
		"self": exe, "data-dir": o.dataDir, "terraform": o.terraform, "ansible-playbook": o.ansible,
		"provider-mirror": o.mirror, "walls": o.sandbox.settings(), "worker": o.workerName, "concurrency": strconv.Itoa(o.concurrency),
	}
	settings[settingAllowPrivate] = strings.Join(o.allowPrivate, ",")
	o.secretsOf.pass(settings)
	return settings
}
