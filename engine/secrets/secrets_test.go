package secrets

import (
	"encoding/json"
	"errors"
	"io"
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

// A stack's own environment says where AWS is, so a file that it names there
// would be sent to whomever it names.
func TestFilesThatAStackNamesAreReadByNobody(t *testing.T) {
	var heard []string
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard = append(heard, r.Header.Get("Authorization")+string(body))
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(evil.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "master.key")
	profile := filepath.Join(dir, "config")
	if err := errors.Join(os.WriteFile(file, []byte("s3cret-of-the-machine"), 0o600),
		os.WriteFile(profile, []byte("[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = s\n[profile s]\naws_access_key_id = OFTHEMACHINE\naws_secret_access_key = x\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, env := range map[string]map[string]string{
		"a token":   {"AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r"},
		"a profile": {"AWS_CONFIG_FILE": profile, "AWS_PROFILE": "p"},
	} {
		env["AWS_REGION"], env["AWS_ENDPOINT_URL"] = "eu-west-1", evil.URL
		_, err := lookUp(t, &Resolver{AWS: http.DefaultClient}, engine.Job{Env: env}, "aws-sm://plain")
		if err == nil || !strings.Contains(err.Error(), "no AWS credentials of its own") || len(heard) > 0 {
			t.Errorf("%s: %v; the stack's own address heard %q", name, err, heard)
		}
	}
}

func TestWhatSignsInMayBeKeptElsewhereItself(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("hvs.worker"), 0o600); err != nil {
		t.Fatal(err)
	}
	var signed string
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header.Get("Authorization")
		_, _ = w.Write([]byte(`{"SecretString":"of AWS"}`))
	}))
	t.Cleanup(aws.Close)
	r := &Resolver{AWS: http.DefaultClient, Env: []string{"STACK_"}, Vault: Vault{Address: kv(t).URL},
		Getenv: func(name string) string {
			return map[string]string{"STACK_VAULT": "hvs.own", "STACK_KEY": "AKIAOWN"}[name]
		}}
	job := &engine.Job{
		Env:     map[string]string{"VAULT_TOKEN": "1", "AWS_ACCESS_KEY_ID": "2", "AWS_SECRET_ACCESS_KEY": "3", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": aws.URL},
		Secrets: map[string]string{"1": "env://STACK_VAULT", "2": "env://STACK_KEY", "3": "vault://kv/payments/db#password", "4": "aws-sm://a"},
	}
	for range 20 { // maps have no order
		found, err := r.Resolve(t.Context(), job)
		if err != nil || found["4"] != "of AWS" || found["3"] != value || !strings.Contains(signed, "Credential=AKIAOWN/") {
			t.Fatalf("%v, %v, signed %s", found, err, signed)
		}
	}
	for name, reference := range map[string]string{"AWS_SECRET_ACCESS_KEY": "aws-sm://b", "VAULT_TOKEN": "vault://kv/payments/db#password"} {
		job := engine.Job{Env: map[string]string{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_REGION": "eu-west-1", name: "a"}}
		if _, err := lookUp(t, r, job, reference); err == nil || !strings.Contains(err.Error(), name+" is kept") {
			t.Errorf("%s that is kept where it signs in: %v", name, err)
		}
	}
}

func TestSecretThatIsNoTextIsRefused(t *testing.T) {
	r := &Resolver{Env: []string{"STACK_"}, Getenv: func(string) string { return "\xff\xfe" }}
	if _, err := lookUp(t, r, engine.Job{}, "env://STACK_A"); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("error = %v", err)
	}
}

func TestProjectsDoNotReadEachOthersBySimilarNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("hvs.worker"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &Resolver{Env: []string{"STACK_{project}_", "OWN_{project}"}, Getenv: func(string) string { return value },
		Vault: Vault{Address: kv(t).URL, TokenFile: file, Prefix: "kv/{project}"}}
	for stack, allowed := range map[string]map[string]bool{
		"pay.web":      {"env://STACK_pay_eu_DB": false, "env://STACK_pay_2_DB": false, "env://OWN_payments_DB": false, "env://STACK_pay_DB": true, "vault://kv/payments/db#password": false},
		"pay_eu.web":   {"env://STACK_pay_eu_DB": true},
		"payments.web": {"env://OWN_payments_DB": false, "env://OWN_paymentsDB": true, "vault://kv/payments/db#password": true},
	} {
		for reference, ok := range allowed {
			if _, err := lookUp(t, r, engine.Job{Stack: stack}, reference); (err == nil) != ok || err != nil && !errors.Is(err, engine.ErrForbidden) {
				t.Errorf("%s reads %s: %v", stack, reference, err)
			}
		}
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
	own := t.TempDir()
	dir := filepath.Join(own, engine.AccessFolder)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, engine.TokenFile), []byte("a.b.c"), 0o600)); err != nil {
		t.Fatal(err)
	}
	federated := engine.Job{Dir: own, Env: map[string]string{"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": moto.URL},
		Access: &engine.CloudAccess{Kind: engine.CredentialAWSWebIdentity, Fields: map[string]string{"role_arn": "arn:aws:iam::123456789012:role/r"}}}
	if got, err := lookUp(t, r, federated, "aws-sm://plain"); err != nil || got != value {
		t.Errorf("with a web identity: %q, %v", got.Reveal(), err)
	}
	assumed := engine.CloudAccess{Kind: engine.CredentialAWSAssumeRole, Session: "s", Fields: map[string]string{"role_arn": "arn:aws:iam::123456789012:role/r", "external_id": "x", "region": "eu-west-1", "duration": "1h"},
		Source: &engine.CloudAccess{Kind: engine.CredentialAWSStatic, Fields: map[string]string{"access_key_id": "id"}, Secrets: map[string]string{"secret_access_key": "secret"}}}
	_, files := assumed.Files(dir)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := lookUp(t, r, engine.Job{Dir: own, Access: &assumed, Env: federated.Env}, "aws-sm://plain"); err != nil || got != value {
		t.Errorf("with a role that is taken on: %q, %v", got.Reveal(), err)
	}
	if _, err := lookUp(t, r, engine.Job{Env: map[string]string{"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": moto.URL}}, "aws-sm://plain"); err == nil || !strings.Contains(err.Error(), "no AWS credentials of its own") {
		t.Errorf("error = %v without credentials", err)
	}
	if _, err := lookUp(t, r, engine.Job{Env: env}, "aws-sm://plain"); err == nil || !strings.Contains(err.Error(), "no region is known") {
		t.Errorf("error = %v without a region", err)
	}
}
