package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/net/http/httpproxy"
	"golang.org/x/sync/errgroup"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/egress"
	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// roles are the parts of the server that a process runs.
type roles struct{ api, worker, scheduler bool }

// serverOptions are the settings of all roles.
type serverOptions struct {
	listen, url, dataDir, databaseURL, redisURL string
	issuerURL                                   string
	masterKeyFile, masterKey, adminPassword     string
	addressFile                                 string
	https                                       httpsOptions
	clouds                                      []string
	concurrency, driftConcurrency               int
	workerName                                  string
	terraform, ansible, mirror                  string
	sandbox                                     sandboxOptions
	grace, drain                                time.Duration
	gitFile                                     bool
	allowPrivate, trustedProxies                []string
	guard                                       *egress.Guard // follows from the settings
	logLevel, logFormat                         string
	keep                                        keepOptions
	secretsOf                                   secretOptions
	signOn                                      signOnOptions
}

func newServe() *cobra.Command {
	return newRole("serve", "Run everything in one process: API, pages, workers and schedules", roles{true, true, true})
}

func newRole(name, short string, r roles) *cobra.Command {
	var o serverOptions
	cmd := &cobra.Command{
		Use: name, Short: short, Args: noArgs, GroupID: "",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.complete(); err != nil {
				return err
			}
			if all := (roles{true, true, true}); r != all && o.redisURL == "embedded" {
				return misuse("a process with only some roles shares Redis with the others, as in: --redis-url redis://127.0.0.1:6379")
			}
			return serve(cmd.Context(), o, r, cmd.ErrOrStderr())
		},
	}
	o.flags(cmd)
	return cmd
}

func (o *serverOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address to listen on; port 0 takes a free one")
	f.StringVar(&o.url, "url", "", "address under which people and workers reach the API (default http://LISTEN)")
	f.StringVar(&o.issuerURL, "issuer-url", "", "address under which clouds reach the issuer of workload identity, by HTTPS (default that of the API)")
	f.StringVar(&o.dataDir, "data-dir", defaultDataDir(), "folder for the database, workspaces and providers")
	f.StringVar(&o.databaseURL, "database-url", "", "sqlite:///path or postgres://... (default SQLite in the data folder)")
	f.StringVar(&o.redisURL, "redis-url", "embedded", "redis://, rediss://, redis-sentinel://... or embedded")
	o.masterFlags(f)
	f.StringVar(&o.addressFile, "address-file", "", "file to write the API's address into once it listens")
	o.https.flags(f)
	f.StringSliceVar(&o.clouds, "clouds", []string{"aws", "azure", "gcp", "local"}, "clouds whose queues this worker serves")
	f.IntVar(&o.concurrency, "concurrency", runtime.NumCPU(), "steps at a time a cloud")
	f.IntVar(&o.driftConcurrency, "drift-concurrency", 1, "drift checks at a time a cloud")
	f.StringVar(&o.workerName, "worker-name", "", "name of this worker (default the host's name)")
	f.StringVar(&o.terraform, "terraform", "", "path of terraform (default: found on PATH, else installed into the data folder)")
	f.StringVar(&o.ansible, "ansible-playbook", "", "path of ansible-playbook (default: found on PATH)")
	f.StringVar(&o.mirror, "provider-mirror", "", "folder with Terraform providers in the layout of a filesystem mirror")
	o.sandbox.flags(f)
	f.BoolVar(&o.gitFile, "git-file", false, "let stacks take modules from Git repositories on this machine's disk, by git::file://")
	f.StringSliceVar(&o.allowPrivate, "allow-private-network", nil, "network, address or host with or without a port that addresses named by users may lead to although it is not public, as in: 10.0.0.0/8 or git.internal:443")
	f.StringSliceVar(&o.trustedProxies, "trusted-proxy", nil, "address or network of a proxy before the server, which tells in X-Forwarded-For who its clients are")
	f.DurationVar(&o.grace, "grace", 2*time.Minute, "time between interrupting and killing a cancelled step")
	f.DurationVar(&o.drain, "drain", 0, "how long to wait at the end for steps in hand; 0 leaves them to their runners, which go on")
	o.keep.flags(f)
	o.secretsOf.flags(f)
	o.signOn.flags(f)
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&o.logFormat, "log-format", "text", "text or json")
}

// complete fills in what follows from other settings and checks all of them.
func (o *serverOptions) complete() error {
	errs := []error{o.place(), o.secrets(), o.checkIssuer(), o.networks()}
	o.placeKey()
	if o.workerName == "" {
		name, err := os.Hostname()
		o.workerName, errs = name, append(errs, err)
	}
	if o.concurrency < 1 || o.driftConcurrency < 1 {
		errs = append(errs, errors.New("--concurrency and --drift-concurrency are at least 1"))
	}
	for _, c := range o.clouds {
		if !knownCloud(c) {
			errs = append(errs, fmt.Errorf("--clouds: %q is none of %v", c, engine.Clouds()))
		}
	}
	errs = append(errs, o.keep.check(), o.sandbox.check(), o.secretsOf.check(o.masterKey), o.https.check(), o.signOn.check())
	if _, err := o.logger(io.Discard); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return &exitError{code: exitMisuse, err: err}
	}
	return nil
}

// place fills in where the data is.
func (o *serverOptions) place() (err error) {
	o.dataDir, err = filepath.Abs(o.dataDir)
	if o.databaseURL == "" {
		o.databaseURL = "sqlite://" + filepath.Join(o.dataDir, "cloudops.db")
	}
	return err
}

// networks checks whom the server trusts and what it may reach where its users
// say where to.
func (o *serverOptions) networks() error {
	rules, err := egress.ParseRules(o.allowPrivate)
	if err != nil {
		return fmt.Errorf("--allow-private-network: %w", err)
	}
	for _, proxy := range o.trustedProxies {
		_, network := netip.ParsePrefix(proxy)
		if _, address := netip.ParseAddr(proxy); network != nil && address != nil {
			return fmt.Errorf("--trusted-proxy: %q is no address or network", proxy)
		}
	}
	o.guard = newGuard(rules)
	return nil
}

func newGuard(rules []egress.Rule) *egress.Guard {
	return &egress.Guard{Allow: rules, Proxy: httpproxy.FromEnvironment().ProxyFunc()}
}

// settingAllowPrivate is how a worker tells its runners what they may reach.
const settingAllowPrivate = "allow-private-network"

// passedGuard is the guard of a runner; one that lets only public addresses be
// reached where the worker said nothing that can be read.
func passedGuard(settings map[string]string) *egress.Guard {
	var rules []egress.Rule
	if allowed := settings[settingAllowPrivate]; allowed != "" {
		rules, _ = egress.ParseRules(strings.Split(allowed, ","))
	}
	return newGuard(rules)
}

// secrets reads what is never a flag, since every user of a machine can see
// the arguments of its processes.
func (o *serverOptions) secrets() (err error) {
	if o.adminPassword, _, err = environment("CLOUDOPS_ADMIN_PASSWORD"); err != nil {
		return err
	}
	o.signOn.clientSecret, _, err = environment("CLOUDOPS_OIDC_CLIENT_SECRET")
	return err
}

func knownCloud(name string) bool {
	for _, c := range engine.Clouds() {
		if string(c) == name {
			return true
		}
	}
	return false
}

// logger writes structured logs to w.
func (o *serverOptions) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, fmt.Errorf("--log-level is debug, info, warn or error, not %q", o.logLevel)
	}
	opts := &slog.HandlerOptions{Level: level}
	switch o.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return nil, fmt.Errorf("--log-format is text or json, not %q", o.logFormat)
}

// serve runs the roles until ctx ends or one of them fails.
func serve(ctx context.Context, o serverOptions, r roles, stderr io.Writer) error {
	started := time.Now()
	if err := errors.Join(sandbox.Conceal(), sandbox.KeepOpenFiles()); err != nil {
		return fmt.Errorf("hide from other programs: %w", err)
	}
	log, err := o.logger(stderr)
	if err != nil {
		return err
	}
	if r.worker {
		o.sandbox.policy.Closed, o.sandbox.policy.Shut = o.secretPlaces(), sandbox.ServerPorts(o.databaseURL, o.redisURL)
		if err := o.sandbox.survey(log); err != nil {
			return err
		}
	}
	listener, err := o.bind(r)
	if err != nil {
		return err
	}
	c, err := build(ctx, &o, log)
	if err != nil {
		return err
	}
	defer c.close()
	if r.api {
		if err := c.announce(ctx, stderr); err != nil {
			return err
		}
	}
	group, working := errgroup.WithContext(ctx)
	ctx, drained := working, func() {}
	if r.worker && o.drain > 0 { // the other roles stay for as long as runners need them
		ctx, drained = context.WithCancel(context.WithoutCancel(working))
	}
	defer drained()
	if r.worker {
		group.Go(func() error { defer drained(); return c.work(from(working, "worker "+o.workerName)) })
	}
	if r.api {
		group.Go(func() error { return c.serveAPI(ctx, listener) })
	}
	if r.scheduler {
		c.schedule(ctx, group)
	}
	group.Go(func() error { return ignoreEnd(ctx, c.relay(ctx)) })
	group.Go(func() error { return ignoreEnd(ctx, c.vault.Follow(ctx, log)) })
	log.Info("ready", "roles", r.String(), "url", o.url, "version", version, "after", time.Since(started).Round(time.Millisecond))
	return group.Wait()
}

// String lists the roles.
func (r roles) String() string {
	var names []string
	for _, role := range []struct {
		on   bool
		name string
	}{{r.api, "api"}, {r.worker, "worker"}, {r.scheduler, "scheduler"}} {
		if role.on {
			names = append(names, role.name)
		}
	}
	return strings.Join(names, ",")
}

// ignoreEnd drops the error of a loop that ended because it was told to.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// announce makes the first admin and prints the password, once.
func (c *components) announce(ctx context.Context, stderr io.Writer) error {
	password, err := c.access.Bootstrap(ctx, engine.Secret(c.options.adminPassword))
	if err != nil || password == "" {
		return err
	}
	_, err = fmt.Fprintf(stderr, "\n  First start: user admin, password %s\n  It is shown this once, and changed at the first sign-in. Sign in at %s or with: cloudops login --server %s --username admin\n\n",
		password.Reveal(), c.options.url, c.options.url)
	return err
}
