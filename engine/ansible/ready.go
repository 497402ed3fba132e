package ansible

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
)

// dialer tries an endpoint once. It waits for a server's own words where it
// knows them: a port may be open long before there is a server behind it.
type dialer func(ctx context.Context, e endpoint) error

// dialTimeout bounds one try, the answer included.
const dialTimeout = 5 * time.Second

func dial(ctx context.Context, e endpoint) error {
	ctx, stop := context.WithTimeout(ctx, dialTimeout)
	defer stop()
	if e.protocol == httpWinRM || e.protocol == tlsWinRM {
		return askWinRM(ctx, string(e.protocol)+"://"+e.address+"/wsman")
	}
	c, err := new(net.Dialer).DialContext(ctx, "tcp", e.address)
	if err != nil {
		return err
	}
	defer c.Close()
	if e.protocol != speaksSSH {
		return nil
	}
	if err := c.SetReadDeadline(time.Now().Add(dialTimeout)); err != nil {
		return err
	}
	return greeting(c)
}

// askWinRM is content with any answer, which says that a server is there: it
// sends nothing and believes nothing, so any certificate will do.
func askWinRM(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	once := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // #nosec G402 -- only whether anybody answers; nothing is sent or believed
	resp, err := once.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("no WinRM server answers: %w", err)
	}
	return resp.Body.Close()
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

// waitReady waits until every one of the hosts can be reached, where the stack
// asks for that. It returns a *Failure that names the first that could not.
func (d *Driver) waitReady(ctx context.Context, ready *engine.Readiness, hosts []endpoint, log io.Writer) error {
	if ready == nil || len(hosts) == 0 {
		return nil
	}
	timeout := ready.Timeout
	if timeout <= 0 {
		timeout = readyTimeout
	}
	fmt.Fprintf(log, "Waiting up to %s for %d hosts.\n", timeout, len(hosts))
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

// awaited lists what has to answer before the job's play is applied.
func awaited(job *engine.Job) []endpoint {
	if job.Ansible.Ready == nil {
		return nil
	}
	return endpoints(job.Ansible.Inventory, job.Ansible.Ready.Port)
}

// booting lists what may not be up yet when a play is checked: the machines
// that this run has just made, or those that no play has met before.
func booting(job *engine.Job) []endpoint {
	if !job.RunKind.Changing() || job.Destroy {
		return nil
	}
	if job.Ansible.Late {
		return awaited(job)
	}
	return slices.DeleteFunc(awaited(job), func(e endpoint) bool {
		return len(e.keys) > 0 || len(job.Ansible.HostKeys[e.host]) > 0
	})
}

// waitToCheck waits for machines that may be booting. What a run has made has to
// come up; other machines may be down because of what the run is to repair, and
// the check notes that they cannot be reached.
func (d *Driver) waitToCheck(ctx context.Context, job *engine.Job, log io.Writer) error {
	err := d.waitReady(ctx, job.Ansible.Ready, booting(job), log)
	var down *Failure
	if errors.As(err, &down) && !job.Ansible.Late {
		fmt.Fprintf(log, "%s\n", down)
		return nil
	}
	return err
}

// reach tries the endpoint until it answers or the time is up.
func (d *Driver) reach(ctx context.Context, e endpoint, timeout time.Duration) *Failure {
	limit, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	var last error
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := d.dial(limit, e)
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
