package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cloudops-manager/cloudops/engine/egress"
	"github.com/cloudops-manager/cloudops/engine/secrets"
)

// secretOptions say where runners look secrets up that are kept elsewhere.
type secretOptions struct {
	env   []string
	vault secrets.Vault
}

func (o *secretOptions) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.env, "secret-env", nil, `beginnings of names of this worker's environment variables that stacks may read, as secret("env://NAME"); {project} stands for the stack's project, and a capital letter follows behind it`)
	f.StringVar(&o.vault.Address, "vault-address", "", `URL of the HashiCorp Vault that secret("vault://...") reads from`)
	f.StringVar(&o.vault.Namespace, "vault-namespace", "", "namespace in Vault")
	f.StringVar(&o.vault.TokenFile, "vault-token-file", "", "file with the worker's token for Vault, as an agent renews it")
	f.StringVar(&o.vault.Certificates, "vault-ca-cert", "", "file with the certificates that Vault is trusted by (default those of the system)")
	f.StringVar(&o.vault.Prefix, "vault-prefix", "", `folder in Vault of what stacks may read with the worker's token, such as "kv/{project}/"; {project} stands for the stack's project`)
}

// ours are the beginnings of variables that the server itself is told secrets by,
// or signs in with to its database, a key service or a registry.
var ours = []string{"CLOUDOPS_", "AWS_", "AZURE_", "GOOGLE_", "VAULT_", "TF_TOKEN_", "PG"}

// check refuses what would hand out the server's own secrets; masterKey is the
// URI of its master key.
func (o *secretOptions) check(masterKey string) error {
	taken := ours
	if name, ok := strings.CutPrefix(masterKey, "env://"); ok {
		taken = append(slices.Clone(ours), name)
	}
	var errs []error
	for _, prefix := range o.env {
		before, _, _ := strings.Cut(prefix, "{project}")
		if slices.ContainsFunc(taken, func(t string) bool { return strings.HasPrefix(t, before) || strings.HasPrefix(before, t) }) {
			errs = append(errs, fmt.Errorf("--secret-env %q would give stacks what the server itself has secrets in; choose a beginning of your own, such as STACK_", prefix))
		}
	}
	return errors.Join(errs...)
}

// The settings of runners that are about secrets.
const (
	settingSecretEnv      = "secret-env"
	settingVaultAddress   = "vault-address"
	settingVaultNamespace = "vault-namespace"
	settingVaultTokenFile = "vault-token-file"
	settingVaultCACert    = "vault-ca-cert"
	settingVaultPrefix    = "vault-prefix"
)

// pass adds what runners have to know. None of it is a secret itself.
func (o *secretOptions) pass(settings map[string]string) {
	settings[settingSecretEnv] = strings.Join(o.env, ",")
	settings[settingVaultAddress], settings[settingVaultNamespace] = o.vault.Address, o.vault.Namespace
	settings[settingVaultTokenFile], settings[settingVaultCACert] = o.vault.TokenFile, o.vault.Certificates
	settings[settingVaultPrefix] = o.vault.Prefix
}

// newResolver is what a runner looks secrets up with.
func newResolver(settings map[string]string) *secrets.Resolver {
	r := &secrets.Resolver{Getenv: os.Getenv, AWS: passedGuard(settings).Client(egress.Limits{Stay: true}), Vault: secrets.Vault{
		Address: settings[settingVaultAddress], Namespace: settings[settingVaultNamespace], TokenFile: settings[settingVaultTokenFile],
		Certificates: settings[settingVaultCACert], Prefix: settings[settingVaultPrefix],
	}}
	if env := settings[settingSecretEnv]; env != "" {
		r.Env = strings.Split(env, ",")
	}
	return r
}

// allowed reports whether a variable of the worker's environment is for runners:
// {project} may be any.
func (o *secretOptions) allowed(name string) bool {
	for _, prefix := range o.env {
		before, _, _ := strings.Cut(prefix, "{project}")
		if strings.HasPrefix(name, before) {
			return true
		}
	}
	return false
}
