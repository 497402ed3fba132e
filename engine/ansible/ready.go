package ansible

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// dialer tries one connection. With ssh it waits for an SSH server's greeting:
// a port may be open long before there is one behind it.
type dialer func(ctx context.Context, address string, ssh bool) error

// dialTimeout bounds one try, the greeting included.
const dialTimeout = 5 * time.Second

func dialTCP(ctx context.Context, address string, ssh bool) error {
	d := net.Dialer{Timeout: dialTimeout}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	if !ssh {
		return nil
	}
	if err := c.SetReadDeadline(time.Now().Add(dialTimeout)); err != nil {
		return err
	}
	return greeting(c)
}

// greeting reads an SSH server's identification, which other lines may come
// before. Source: RFC 4253, section 4.2.
func greeting(from io.Reader) error {
	lines := bufio.NewScanner(io.LimitReader(from, 8<<10))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "SSH-") {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("no SSH server answers: %w", err)
	}
	return errors.New("no SSH server answers, the connection was closed")
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
		err := d.dial(limit, e.address, e.ssh)
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
