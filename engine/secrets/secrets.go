// Package secrets looks up what secret("...") in a stack names: values in AWS
// Secrets Manager, in the parameter store of AWS Systems Manager, in a HashiCorp
// Vault, or in the environment of a worker. Runners do this; no server does.
package secrets

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

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

// passes are the schemes in the order in which they are looked up: what signs in
// to Vault may be in the environment, and what signs in to AWS in either.
var passes = [][]string{{"env"}, {"vault"}, {"aws-sm", "aws-ssm"}}

// Resolve gives the values of references, which are keyed by anything, for a
// job. An error is worded for people: it names the reference, and no value.
func (r *Resolver) Resolve(ctx context.Context, job *engine.Job) (map[string]engine.Secret, error) {
	found, byReference := map[string]engine.Secret{}, map[string]engine.Secret{}
	for _, schemes := range passes {
		own := withFound(job, found)
		for key, text := range job.Secrets {
			ref, err := engine.ParseReference(text)
			if err == nil && !slices.Contains(schemes, ref.Scheme) {
				continue
			}
			value, known := byReference[text]
			if err == nil && !known {
				value, err = r.one(ctx, own, ref)
			}
			if err != nil {
				return nil, fmt.Errorf("secret(%q): %w", text, err)
			}
			found[key], byReference[text] = value, value
		}
	}
	return found, nil
}

// withFound is the job with what is known by now of its environment.
func withFound(job *engine.Job, found map[string]engine.Secret) *engine.Job {
	own := *job
	own.Env = maps.Clone(job.Env)
	for name, value := range own.Env {
		if v, ok := found[value]; ok {
			own.Env[name] = v.Reveal()
		}
	}
	return &own
}

func (r *Resolver) one(ctx context.Context, job *engine.Job, ref engine.Reference) (value engine.Secret, err error) {
	switch ref.Scheme {
	case "aws-sm":
		value, err = r.secretsManager(ctx, job, ref)
	case "aws-ssm":
		value, err = r.parameterStore(ctx, job, ref)
	case "vault":
		value, err = r.Vault.read(ctx, job, ref)
	default:
		value, err = r.environment(job, ref)
	}
	if err == nil && !utf8.ValidString(value.Reveal()) {
		return "", engine.Invalid("the secret is no text, and only texts can stand in a stack; keep it in base64")
	}
	return value, err
}

// environment gives what the worker's environment has under an allowed name.
func (r *Resolver) environment(job *engine.Job, ref engine.Reference) (engine.Secret, error) {
	for _, prefix := range r.Env {
		if !begins(ref.Path, prefix, job) {
			continue
		}
		if value := r.Getenv(ref.Path); value != "" {
			return engine.Secret(value), nil
		}
		return "", engine.NotFound("the environment of this worker has no %s", ref.Path)
	}
	return "", engine.Forbidden("this worker gives no variable of that name to stacks; an operator may let it with --secret-env")
}

// begins reports whether a name begins with a prefix. Where that has the project
// in it, a capital letter follows: projects have none, so that neither STACK_pay_
// nor STACK_pay stands for what is of a project pay_eu or payments.
func begins(name, prefix string, job *engine.Job) bool {
	rest, ok := strings.CutPrefix(name, forProject(prefix, job))
	if !ok || !strings.Contains(prefix, project) {
		return ok
	}
	return rest != "" && 'A' <= rest[0] && rest[0] <= 'Z'
}

// project stands in settings for the project of a stack.
const project = "{project}"

// forProject puts the stack's project into a setting.
func forProject(setting string, job *engine.Job) string {
	return strings.ReplaceAll(setting, project, engine.ProjectOf(job.Stack))
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
