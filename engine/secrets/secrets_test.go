package secrets

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
	"github.com/cloudops-manager/cloudops/engine/enginetest"
)

const value = "s3cret \"quoted\""

// lookUp resolves one reference for a job.
func lookUp(t *testing.T, r *Resolver, job engine.Job, reference string) (engine.Secret, error) {
	t.Helper()
	job.Secrets = map[string]string{"a": reference, "b": reference}
	found, err := r.Resolve(t.Context(), &job)
	if err != nil && (!strings.Contains(err.Error(), reference) || strings.Contains(err.Error(), "s3cret")) {
		t.Errorf("error = %v, want one that names the reference, and no value", err)
	}
	if found["a"] != found["b"] {
		t.Error("one reference has two values")
	}
	return found["a"], err
}

func TestEnvironmentOfTheWorker(t *testing.T) {
	r := &Resolver{Env: []string{"STACK_{project}_", "ALL_"}, Getenv: func(name string) string {
		return map[string]string{"STACK_payments_DB": value, "ALL_DB": "everybody's", "CLOUDOPS_MASTER_KEY": "s3cret", "PATH": "/bin"}[name]
	}}
	for reference, tt := range map[string]struct {
		stack string
		want  engine.Secret
		kind  error
	}{
		"env://STACK_payments_DB":   {"payments.web", value, nil},
		"env://STACK_payments_DB ":  {"payments.web", "", engine.ErrInvalid},
		"env://ALL_DB":              {"web", "everybody's", nil},
		"env://ALL_OTHER":           {"web", "", engine.ErrNotFound},
		"env://PATH":                {"web", "", engine.ErrForbidden},
		"env://CLOUDOPS_MASTER_KEY": {"web", "", engine.ErrForbidden},
	} {
		got, err := lookUp(t, r, engine.Job{Stack: tt.stack}, reference)
		if got != tt.want || !errors.Is(err, tt.kind) {
			t.Errorf("%s: %q, %v", reference, got.Reveal(), err)
		}
	}
	if _, err := lookUp(t, r, engine.Job{Stack: "other.web"}, "env://STACK_payments_DB"); !errors.Is(err, engine.ErrForbidden) {
		t.Errorf("another project: %v", err)
	}
}

// kv is a Vault with a KV engine of version 2, mounted at kv.
func kv(t *testing.T) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("X-Vault-Token")
		switch {
		case token != "hvs.worker" && token != "hvs.own":
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"errors":["permission denied"]}`))
		case r.URL.Path == "/v1/kv/data/payments/db" && r.URL.RawQuery == "":
			_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"data": map[string]any{"password": value, "port": 5432}, "metadata": map[string]any{"version": 2}}})
		case r.URL.Path == "/v1/kv/data/payments/db" && r.URL.RawQuery == "version=1":
			_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"data": map[string]any{"password": "before"}}})
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"errors":[]}`))
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestVault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("hvs.worker\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &Resolver{Vault: Vault{Address: kv(t).URL, TokenFile: file, Prefix: "kv/{project}/"}}
	own := map[string]string{"VAULT_TOKEN": "hvs.own"}
	for name, tt := range map[string]struct {
		job       engine.Job
		reference string
		want      engine.Secret
		says      string
	}{
		"with the worker's token":       {engine.Job{Stack: "payments.web"}, "vault://kv/payments/db#password", value, ""},
		"a number":                      {engine.Job{Stack: "payments.web"}, "vault://kv/payments/db#port", "5432", ""},
		"an older version":              {engine.Job{Stack: "payments.web"}, "vault://kv/payments/db?version=1#password", "before", ""},
		"of another project":            {engine.Job{Stack: "shop.web"}, "vault://kv/payments/db#password", "", "the worker's token is not for that path"},
		"by a way around":               {engine.Job{Stack: "shop.web"}, "vault://kv/shop/../payments/db#password", "", "names no place"},
		"with a token of its own":       {engine.Job{Stack: "shop.web", Env: own}, "vault://kv/payments/db#password", value, ""},
		"with a token that is no good":  {engine.Job{Env: map[string]string{"VAULT_TOKEN": "hvs.s3cret"}}, "vault://kv/payments/db#password", "", "permission denied"},
		"that is not there":             {engine.Job{Env: own}, "vault://kv/payments/none#password", "", "nothing at kv/payments/none"},
		"of which the field is missing": {engine.Job{Env: own}, "vault://kv/payments/db#user", "", `has no "user"`},
	} {
		got, err := lookUp(t, r, tt.job, tt.reference)
		if got != tt.want || (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %q, %v", name, got.Reveal(), err)
		}
	}
	if _, err := lookUp(t, &Resolver{}, engine.Job{}, "vault://kv/payments/db#password"); err == nil || !strings.Contains(err.Error(), "--vault-address") {
		t.Errorf("error = %v without a Vault", err)
	}
}

func TestAWS(t *testing.T) {
	moto := enginetest.Moto(t)
	r := &Resolver{AWS: http.DefaultClient}
	env := map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": moto.URL}
	job := engine.Job{Env: env, Terraform: &engine.TerraformJob{Providers: []engine.ProviderSettings{
		{Name: "aws", Settings: map[string]json.RawMessage{"region": []byte(`"eu-west-1"`)}},
	}}}
	for _, made := range []struct {
		service, variable, target string
		in                        map[string]string
	}{
		{"secretsmanager", "SECRETS_MANAGER", "secretsmanager.CreateSecret", map[string]string{"Name": "prod/db", "SecretString": `{"password":"s3cret \"quoted\"","port":5432}`}},
		{"secretsmanager", "SECRETS_MANAGER", "secretsmanager.CreateSecret", map[string]string{"Name": "plain", "SecretString": value}},
		{"ssm", "SSM", "AmazonSSM.PutParameter", map[string]string{"Name": "/prod/token", "Value": value, "Type": "SecureString"}},
	} {
		c, err := r.aws(t.Context(), &job, engine.Reference{}, made.service, made.variable)
		if err == nil {
			err = c.Call(t.Context(), made.target, made.in, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for reference, tt := range map[string]struct {
		want engine.Secret
		says string
	}{
		"aws-sm://plain":                               {value, ""},
		"aws-sm://prod/db?key=password":                {value, ""},
		"aws-sm://prod/db?key=port&version=AWSCURRENT": {"5432", ""},
		"aws-sm://prod/db?key=user":                    {"", `has no "user"`},
		"aws-sm://plain?key=user":                      {"", "no JSON object"},
		"aws-sm://none":                                {"", "secretsmanager:GetSecretValue"},
		"aws-sm://plain?region=us-east-1":              {"", "ResourceNotFoundException"},
		"aws-sm://plain?region=evil.example/x":         {"", "no region of AWS"},
		"aws-ssm:///prod/token":                        {value, ""},
		"aws-ssm:///prod/none":                         {"", "ssm:GetParameter"},
	} {
		got, err := lookUp(t, r, job, reference)
		if got != tt.want || (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %q, %v", reference, got.Reveal(), err)
		}
	}
	file := filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(file, []byte("a.b.c"), 0o600); err != nil {
		t.Fatal(err)
	}
	federated := engine.Job{Env: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": moto.URL}}
	if got, err := lookUp(t, r, federated, "aws-sm://plain"); err != nil || got != value {
		t.Errorf("with a web identity: %q, %v", got.Reveal(), err)
	}
	assumed := engine.CloudAccess{Kind: engine.CredentialAWSAssumeRole, Session: "s", Fields: map[string]string{"role_arn": "arn:aws:iam::123456789012:role/r", "external_id": "x", "region": "eu-west-1", "duration": "1h"},
		Source: &engine.CloudAccess{Kind: engine.CredentialAWSStatic, Fields: map[string]string{"access_key_id": "id"}, Secrets: map[string]string{"secret_access_key": "secret"}}}
	dir := t.TempDir()
	assuming, files := assumed.Files(dir)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	assuming["AWS_ENDPOINT_URL"] = moto.URL
	if got, err := lookUp(t, r, engine.Job{Env: assuming}, "aws-sm://plain"); err != nil || got != value {
		t.Errorf("with a role that is taken on: %q, %v", got.Reveal(), err)
	}
	if _, err := lookUp(t, r, engine.Job{Env: map[string]string{"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": moto.URL}}, "aws-sm://plain"); err == nil || !strings.Contains(err.Error(), "no AWS credentials of its own") {
		t.Errorf("error = %v without credentials", err)
	}
	if _, err := lookUp(t, r, engine.Job{Env: env}, "aws-sm://plain"); err == nil || !strings.Contains(err.Error(), "no region is known") {
		t.Errorf("error = %v without a region", err)
	}
}
