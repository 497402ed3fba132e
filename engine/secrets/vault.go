package secrets

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/hashivault"
)

// Vault is the HashiCorp Vault that a worker reads from, in engines of kind KV
// of version 2.
type Vault struct {
	Address      string // empty where the worker has none
	Namespace    string
	TokenFile    string
	Certificates string // file; empty for those that the system trusts
	// Prefix is the folder of what stacks may read with the worker's own token;
	// {project} in it stands for the project of the stack.
	Prefix string
}

// read reads a field. A component whose credentials have a VAULT_TOKEN reads
// with that, else it is the worker's token, for the paths that it may be used for.
func (v Vault) read(ctx context.Context, job *engine.Job, ref engine.Reference) (engine.Secret, error) {
	if v.Address == "" {
		return "", engine.Invalid("this worker knows no Vault; start it with --vault-address")
	}
	c := &hashivault.Client{Address: v.Address, Namespace: v.Namespace, Token: job.Env["VAULT_TOKEN"], TokenFile: v.TokenFile}
	path := strings.Trim(ref.Path, "/")
	folder := strings.Trim(forProject(v.Prefix, job), "/")
	if c.Token == "" && (folder == "" || !strings.HasPrefix(path, folder+"/")) {
		return "", engine.Forbidden("the worker's token is not for that path; keep a VAULT_TOKEN in the component's credentials, or let an operator widen --vault-prefix")
	}
	if c.Token == "" && v.TokenFile == "" {
		return "", engine.Invalid("this worker has no token for Vault; start it with --vault-token-file")
	}
	if _, waits := job.Secrets[c.Token]; waits {
		return "", engine.Invalid("the component's VAULT_TOKEN is kept elsewhere itself, where it cannot be had first; keep it in env://")
	}
	if err := c.Open(v.Certificates); err != nil {
		return "", err
	}
	return readKV(ctx, c, path, ref)
}

// readKV reads a field of a secret. Source:
// https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version.
func readKV(ctx context.Context, c *hashivault.Client, path string, ref engine.Reference) (engine.Secret, error) {
	mount, name, _ := strings.Cut(path, "/")
	at := mount + "/data/" + name
	if version := ref.Query.Get("version"); version != "" {
		at += "?" + url.Values{"version": {version}}.Encode()
	}
	var out struct {
		Data map[string]any `json:"data"`
	}
	err := c.Call(ctx, http.MethodGet, at, nil, &out)
	var said *hashivault.Error
	if errors.As(err, &said) && said.Status == http.StatusNotFound {
		return "", engine.NotFound("Vault has nothing at %s", path)
	}
	if err != nil {
		return "", err
	}
	return fieldOf(out.Data, ref.Field)
}
