package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/blueprint"
	"github.com/cloudops-manager/cloudops/engine/egress"
	"github.com/cloudops-manager/cloudops/engine/issuer"
	"github.com/cloudops-manager/cloudops/engine/siem"
	"github.com/cloudops-manager/cloudops/engine/store"
	"github.com/cloudops-manager/cloudops/engine/vault"
	"github.com/cloudops-manager/cloudops/modules"
	"github.com/cloudops-manager/cloudops/playbooks"
	"github.com/cloudops-manager/cloudops/workers"
)

// components is the server put together.
type components struct {
	options *serverOptions
	log     *slog.Logger
	store   *store.Store
	vault   *vault.Vault
	keys    *engine.Keys
	redis   *workers.Redis
	bell    *workers.Bell
	runs    *engine.Runs
	stacks  *engine.Stacks
	states  *engine.States
	access  *engine.Access
	audit   *engine.Audit
	forward *engine.Forwarding
	hooks   *engine.Hooks
	telling *engine.Webhooks
	rules   *engine.Policies
}

// newCompiler gives the compiler of stacks with all that we ship.
func newCompiler(git blueprint.GitCLI, registry *blueprint.RegistryHTTP) *blueprint.Compiler {
	return blueprint.New(blueprint.Options{
		Modules: modules.Open, ModuleNames: modules.Names(),
		Playbooks: playbooks.Open, PlaybookNames: playbooks.Names(),
		Git: git, Registry: registry,
	})
}

// tokenFromEnvironment finds the token for a registry where Terraform would.
// Source: https://developer.hashicorp.com/terraform/cli/config/config-file#environment-variable-credentials.
func tokenFromEnvironment(_ context.Context, host string) (engine.Secret, error) {
	name, _, _ := strings.Cut(host, ":")
	return engine.Secret(os.Getenv("TF_TOKEN_" + strings.NewReplacer(".", "_", "-", "__").Replace(name))), nil
}

// gitTrust is what git needs to trust whom we trust: it has a name of its own for
// the file with certificates.
func gitTrust() []string {
	return fromHere([][2]string{{"SSL_CERT_FILE", "GIT_SSL_CAINFO"}, {"GIT_SSL_CAINFO", "GIT_SSL_CAINFO"}, {"GIT_SSL_CAPATH", "GIT_SSL_CAPATH"}})
}

// gitEnvironment is what git needs besides where it gets out by itself.
func gitEnvironment() []string {
	return append(gitTrust(), fromHere([][2]string{{"HTTPS_PROXY", "HTTPS_PROXY"}, {"HTTP_PROXY", "HTTP_PROXY"}, {"NO_PROXY", "NO_PROXY"}})...)
}

// fromHere gives variables of our environment under other names.
func fromHere(names [][2]string) (env []string) {
	for _, name := range names {
		if v := os.Getenv(name[0]); v != "" {
			env = append(env, name[1]+"="+v)
		}
	}
	return env
}

// build puts the server together; what is open when it fails is closed again.
func build(ctx context.Context, o *serverOptions, log *slog.Logger) (_ *components, err error) {
	if err := os.MkdirAll(o.dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	c := &components{options: o, log: log}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.store, err = store.Open(ctx, store.Options{URL: o.databaseURL}); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	if err := c.store.Migrate(ctx); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	if c.vault, err = openVault(ctx, o, c.store, log); err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	c.store.UseSealer(c.vault)
	if c.redis, err = workers.OpenRedis(ctx, o.redisURL, log); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	c.bell = workers.NewBell(c.redis, log)
	c.wire(c.vault)
	return c, c.audit.Start(ctx)
}

// wire makes the use cases.
func (c *components) wire(v *vault.Vault) {
	compiler := newCompiler(blueprint.GitCLI{NoFile: !c.options.gitFile, Env: gitTrust(), Guard: c.options.guard},
		&blueprint.RegistryHTTP{Token: c.registryToken, Client: c.options.guard.Client(egress.Limits{})})
	now := func() time.Time { return time.Now().UTC() }
	c.access = &engine.Access{Store: c.store, Passwords: vault.NewPasswords(), Now: now, Policy: c.options.signOn.policy(), SignOn: c.options.signOn.signOn()}
	c.runs = &engine.Runs{
		People: c.access, Store: c.store, Compiler: compiler, Hasher: v, Bell: c.bell, Log: c.log, Now: now,
		Grace: c.options.grace, StateURL: c.stateURL,
		Issuer: &engine.Issuer{Store: c.store, Signer: issuer.Signer{}, URL: c.options.issuer(), Now: now, Log: c.log},
	}
	c.stacks = &engine.Stacks{Store: c.store, Compiler: compiler, Bell: c.bell, Next: workers.Next, Now: now}
	compiler.Stack, compiler.Credentials = c.stacks.NewestFor, c.store.Credential
	c.keys = &engine.Keys{Store: c.store, Ring: v, Now: now, Log: c.log}
	c.states = &engine.States{Store: c.store, Now: now}
	c.rules = &engine.Policies{Store: c.store, Directory: c.access.Directory, Parse: blueprint.ParsePolicy, Now: now}
	c.audit = &engine.Audit{Store: c.store, Keep: days(c.options.keep.eventDays), Now: now}
	ways := siem.Options{HTTP: c.options.forwardClient, Dial: c.options.guard.Dial, Credential: c.store.Credential}
	c.forward = &engine.Forwarding{Audit: c.audit, Shipper: ways.Shipper, Now: now, Log: c.log}
	c.hooks = &engine.Hooks{Store: c.store, Runs: c.runs, Rights: c.access.PrincipalOf, Now: now}
	c.telling = &engine.Webhooks{Store: c.store, Sender: c.options.guard.Poster(), Log: c.log, Now: now, URL: c.options.url}
}

// forwardClient sends the audit log to whom it was named, and nobody else.
func (o *serverOptions) forwardClient(trust *tls.Config) *http.Client {
	return o.guard.Client(egress.Limits{Trust: trust, Stay: true})
}

// registryToken finds the token for a registry among the stored credentials.
func (c *components) registryToken(ctx context.Context, host string) (engine.Secret, error) {
	creds, err := c.store.Credential(ctx, blueprint.RegistryCredential(host))
	if errors.Is(err, engine.ErrNotFound) { // as they were called before names told the project
		creds, err = c.store.Credential(ctx, strings.ReplaceAll(host, ":", "_"))
	}
	if errors.Is(err, engine.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	vars, err := creds.Variables()
	return vars["TOKEN"], err
}

// stateURL is where a component's state is, for Terraform.
func (c *components) stateURL(stack, component string) string {
	return c.options.url + "/v1/state/" + url.PathEscape(stack) + "/" + url.PathEscape(component)
}

func (c *components) close() {
	var errs []error
	if c.bell != nil {
		c.bell.Close()
	}
	if c.redis != nil {
		errs = append(errs, c.redis.Close())
	}
	if c.store != nil {
		errs = append(errs, c.store.Close())
	}
	if err := errors.Join(errs...); err != nil {
		c.log.Warn("closing", "err", err)
	}
}
