package ansible

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// dialer tries one connection.
type dialer func(ctx context.Context, address string) error

func dialTCP(ctx context.Context, address string) error {
	d := net.Dialer{Timeout: 5 * time.Second}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return c.Close()
}

// The pauses between two tries to reach a host, and how long we try where
// the stack does not say.
const (
	firstPause   = 100 * time.Millisecond
	lastPause    = 5 * time.Second
	readyTimeout = 5 * time.Minute
)

// waitReady waits until every host of the inventory can be reached. It returns
// a *Failure that names the first that could not.
func (d *Driver) waitReady(ctx context.Context, job *engine.Job, log io.Writer) error {
	ready := job.Ansible.Ready
	if ready == nil {
		return nil
	}
	timeout := ready.Timeout
	if timeout <= 0 {
		timeout = readyTimeout
	}
	hosts := endpoints(job.Ansible.Inventory, ready.Port)
	if len(hosts) > 0 {
		fmt.Fprintf(log, "Waiting up to %s for %d hosts.\n", timeout, len(hosts))
	}
	failed := make([]*Failure, len(hosts))
	var wg sync.WaitGroup
	for i, h := range hosts {
		wg.Go(func() { failed[i] = d.reach(ctx, h, timeout) })
	}
	wg.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return first(failed)
}

// reach tries the endpoint until it answers or the time is up.
func (d *Driver) reach(ctx context.Context, e endpoint, timeout time.Duration) *Failure {
	limit, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	var last error
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := d.dial(limit, e.address)
		if err == nil {
			return nil
		}
		if limit.Err() == nil || last == nil {
			last = err // the end of the time tells less than the try before
		}
		select {
		case <-limit.Done():
			return &Failure{Host: e.host, Message: fmt.Sprintf("%s did not answer within %s: %s", e.address, timeout, last)}
		case <-time.After(pause):
		}
	}
}

// first joins the failures into one error.
func first(failed []*Failure) error {
	var f *Failure
	for _, g := range failed {
		switch {
		case g == nil:
		case f == nil:
			f = g
		default:
			f.More++
		}
	}
	if f == nil {
		return nil
	}
	return f
}
