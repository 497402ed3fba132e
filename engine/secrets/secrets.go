// Package secrets looks up what secret("...") in a stack names: values in AWS
// Secrets Manager, in the parameter store of AWS Systems Manager, in a HashiCorp
// Vault, or in the environment of a worker. Runners do this; no server does.
package secrets

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// Resolver looks up secrets for runners.
type Resolver struct {
	Getenv func(string) string
	// Env are the beginnings that names have which env:// may give. {project} in
	// them stands for the project of the stack.
	Env   []string
	Vault Vault
	// AWS is how AWS is reached: a stack may name another endpoint.
	AWS *http.Client
}

// Resolve gives the values of references, which are keyed by anything, for a
// job. An error is worded for people: it names the reference, and no value.
func (r *Resolver) Resolve(ctx context.Context, job *engine.Job) (map[string]engine.Secret, error) {
	found, byReference := map[string]engine.Secret{}, map[string]engine.Secret{}
	for key, text := range job.Secrets {
		value, known := byReference[text]
		if !known {
			var err error
			if value, err = r.one(ctx, job, text); err != nil {
				return nil, fmt.Errorf("secret(%q): %w", text, err)
			}
			byReference[text] = value
		}
		found[key] = value
	}
	return found, nil
}

func (r *Resolver) one(ctx context.Context, job *engine.Job, text string) (engine.Secret, error) {
	ref, err := engine.ParseReference(text)
	if err != nil {
		return "", err
	}
	switch ref.Scheme {
	case "aws-sm":
		return r.secretsManager(ctx, job, ref)
	case "aws-ssm":
		return r.parameterStore(ctx, job, ref)
	case "vault":
		return r.Vault.read(ctx, job, ref)
	}
	return r.environment(job, ref)
}

// environment gives what the worker's environment has under an allowed name.
func (r *Resolver) environment(job *engine.Job, ref engine.Reference) (engine.Secret, error) {
	for _, prefix := range r.Env {
		if !strings.HasPrefix(ref.Path, forProject(prefix, job)) {
			continue
		}
		if value := r.Getenv(ref.Path); value != "" {
			return engine.Secret(value), nil
		}
		return "", engine.NotFound("the environment of this worker has no %s", ref.Path)
	}
	return "", engine.Forbidden("this worker gives no variable of that name to stacks; an operator may let it with --secret-env")
}

// forProject puts the stack's project into a setting.
func forProject(setting string, job *engine.Job) string {
	return strings.ReplaceAll(setting, "{project}", engine.ProjectOf(job.Stack))
}

// field picks a field out of a secret that is a JSON object.
func field(value, name string) (engine.Secret, error) {
	if name == "" {
		return engine.Secret(value), nil
	}
	var fields map[string]any
	if json.Unmarshal([]byte(value), &fields) != nil {
		return "", engine.Invalid("the secret is no JSON object, so it has no key %q", name)
	}
	return fieldOf(fields, name)
}

func fieldOf(fields map[string]any, name string) (engine.Secret, error) {
	switch v := fields[name].(type) {
	case nil:
		return "", engine.NotFound("the secret has no %q", name)
	case string:
		return engine.Secret(v), nil
	default:
		b, err := json.Marshal(v)
		return engine.Secret(b), err
	}
}
