package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/cloudops-manager/cloudops/api"
	"github.com/cloudops-manager/cloudops/api/web"
	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/blueprint"
	"github.com/cloudops-manager/cloudops/engine/siem"
)

// bind takes the address before anything else starts, so that a port in use
// is said at once and port 0 is known.
func (o *serverOptions) bind(r roles) (net.Listener, error) {
	if !r.api {
		if o.url == "" {
			return nil, misuse("a process without the API needs to know where it is, as in: --url http://api.internal:8080")
		}
		return nil, nil
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return nil, err
	}
	if o.url == "" {
		o.url = o.https.address(l.Addr().String())
	}
	return l, nil
}

// The time that requests get to end when the server is stopped. Streams have
// no end of their own and are cut after the first; their clients come again.
const (
	cutStreams  = time.Second
	stopServing = 10 * time.Second
)

// serveAPI answers requests until ctx ends, and then lets those under way end.
func (c *components) serveAPI(ctx context.Context, l net.Listener) error {
	handler, err := c.handler()
	if err != nil {
		return err
	}
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	srv := c.newServer(handler)
	srv.BaseContext = func(net.Listener) context.Context { return requests }
	toHTTPS, err := c.secure(srv)
	if err != nil {
		return err
	}
	defer toHTTPS.Close()
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		grace, stop := context.WithTimeout(context.WithoutCancel(ctx), stopServing)
		defer stop()
		defer time.AfterFunc(cutStreams, cut).Stop()
		stopped <- srv.Shutdown(grace)
	})
	if err := c.tell(); err != nil {
		return err
	}
	go c.beat(requests)
	if srv.TLSConfig != nil {
		err = srv.ServeTLS(l, "", "")
	} else {
		err = srv.Serve(l)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// tell writes the address into the file that was asked for.
func (c *components) tell() error {
	if c.options.addressFile == "" {
		return nil
	}
	return os.WriteFile(c.options.addressFile, []byte(c.options.url+"\n"), 0o644)
}

func (c *components) handler() (http.Handler, error) {
	signOn, err := c.signOn()
	if err != nil {
		return nil, err
	}
	pages, err := web.New(web.Deps{
		Runs: c.runs, Stacks: c.stacks, States: c.states, Access: c.access, Policies: c.rules, Store: c.store, Bell: c.bell, Now: c.runs.Now, Log: c.log,
		Secure: c.options.secure(), Cookie: api.SessionCookie(c.options.secure()), URL: c.options.url, SignOn: signOn, Webhooks: c.telling,
	})
	if err != nil {
		return nil, err
	}
	return api.New(api.Deps{
		Runs: c.runs, Stacks: c.stacks, States: c.states, Access: c.access, Policies: c.rules, Keys: c.keys, Audit: c.audit, Forward: c.forward, Formats: siem.Formats(), Webhooks: c.telling, Hooks: c.hooks, Store: c.store, Bell: c.bell,
		Log: c.log, Now: c.runs.Now, Ready: c.ready, Version: version, Pages: pages, PackFiles: blueprint.PackFiles,
		Secure: c.options.secure(), TrustedProxies: c.options.trustedProxies,
	})
}

// secure reports whether browsers come by HTTPS.
func (o *serverOptions) secure() bool {
	u, err := url.Parse(o.url)
	return err == nil && u.Scheme == "https"
}

// ready reports whether the parts that requests need are there.
func (c *components) ready(ctx context.Context) error {
	return errors.Join(c.store.Ping(ctx), c.redis.Ping(ctx))
}

// beat lets those who watch leases know that the API is there.
func (c *components) beat(ctx context.Context) {
	ticker := time.NewTicker(engine.BeatEvery)
	defer ticker.Stop()
	for {
		if err := c.runs.Beat(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("the database did not take a beat", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
