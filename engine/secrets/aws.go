package secrets

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/amazon"
)

// secretsManager reads a secret. Source:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html.
func (r *Resolver) secretsManager(ctx context.Context, job *engine.Job, ref engine.Reference) (engine.Secret, error) {
	client, err := r.aws(ctx, job, ref, "secretsmanager", "SECRETS_MANAGER")
	if err != nil {
		return "", err
	}
	in := map[string]string{"SecretId": ref.Path}
	if version := ref.Query.Get("version"); strings.Count(version, "-") == 4 {
		in["VersionId"] = version
	} else if version != "" {
		in["VersionStage"] = version
	}
	var out struct {
		SecretString *string
		SecretBinary []byte
	}
	if err := client.Call(ctx, "secretsmanager.GetSecretValue", in, &out); err != nil {
		return "", explain(err, "secretsmanager:GetSecretValue")
	}
	if out.SecretString == nil {
		return field(string(out.SecretBinary), ref.Query.Get("key"))
	}
	return field(*out.SecretString, ref.Query.Get("key"))
}

// parameterStore reads a parameter, decrypted. Source:
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html.
func (r *Resolver) parameterStore(ctx context.Context, job *engine.Job, ref engine.Reference) (engine.Secret, error) {
	client, err := r.aws(ctx, job, ref, "ssm", "SSM")
	if err != nil {
		return "", err
	}
	var out struct{ Parameter struct{ Value string } }
	if err := client.Call(ctx, "AmazonSSM.GetParameter", map[string]any{"Name": ref.Path, "WithDecryption": true}, &out); err != nil {
		return "", explain(err, "ssm:GetParameter")
	}
	return engine.Secret(out.Parameter.Value), nil
}

func explain(err error, permission string) error {
	return fmt.Errorf("%w (the component's credentials need %s)", err, permission)
}

// aws calls a service as the component itself would.
func (r *Resolver) aws(ctx context.Context, job *engine.Job, ref engine.Reference, service, variable string) (*amazon.Client, error) {
	region := ref.Query.Get("region")
	for _, other := range []string{job.Env["AWS_REGION"], job.Env["AWS_DEFAULT_REGION"], providerRegion(job)} {
		if region == "" {
			region = other
		}
	}
	if region == "" {
		return nil, engine.Invalid("no region is known; name it as in ...?region=eu-west-1")
	}
	if err := amazon.CheckRegion(region); err != nil {
		return nil, engine.Invalid("%v", err)
	}
	env, err := signIn(job)
	if err != nil {
		return nil, err
	}
	credentials, err := amazon.From(ctx, env, region, r.AWS)
	endpoint := cmp.Or(job.Env["AWS_ENDPOINT_URL_"+variable], job.Env["AWS_ENDPOINT_URL"])
	return &amazon.Client{Service: service, Region: region, Endpoint: endpoint, Credentials: credentials, HTTP: r.AWS}, err
}

// signIn is what the component signs in to AWS with: keys of its environment, or
// the files that the runner itself wrote for its credentials. A file that the
// environment of a stack names is not read: the runner may read more than the
// tools that it walls in, and the address that a token goes to is the stack's.
func signIn(job *engine.Job) (map[string]string, error) {
	env := map[string]string{}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"} {
		env[name] = job.Env[name]
		if _, waits := job.Secrets[env[name]]; waits {
			return nil, engine.Invalid("the component's %s is kept in AWS itself, where it cannot be had first; keep it in env:// or vault://", name)
		}
	}
	if job.Access != nil {
		files, _ := job.Access.Files(filepath.Join(job.Dir, engine.AccessFolder))
		maps.Copy(env, files)
	}
	return env, nil
}

// providerRegion is the region of the component's cloud block.
func providerRegion(job *engine.Job) (region string) {
	if job.Terraform == nil {
		return ""
	}
	for _, p := range job.Terraform.Providers {
		if p.Name == "aws" && json.Unmarshal(p.Settings["region"], &region) == nil {
			return region
		}
	}
	return ""
}
