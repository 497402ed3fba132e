package engine

import (
	"cmp"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const (
	aRole  = "arn:aws:iam::123456789012:role/apply"
	anUUID = "00000000-0000-0000-0000-000000000001"
	aKey   = `{"type": "service_account", "client_email": "a@pay.iam.gserviceaccount.com", "private_key": "-----BEGIN PRIVATE KEY-----\nMIIE\n"}`
)

func credentialOf(k CredentialKind, fields map[string]string, values map[string]Secret) *Credential {
	return &Credential{Name: "prod", Kind: k, Cloud: cmp.Or(k.Cloud(), CloudLocal), Fields: fields, Values: values}
}

func TestMistakesOfCredentialsAreSaidAllAtOnce(t *testing.T) {
	azure := map[string]string{"tenant_id": "t.example", "client_id": anUUID, "subscription_id": anUUID}
	tests := map[string]struct {
		c    *Credential
		want []string // none where it is right
	}{
		"environment variables":             {credentialOf(CredentialEnvironment, nil, map[string]Secret{"AWS_PROFILE": "x"}), nil},
		"no environment variable":           {credentialOf(CredentialEnvironment, nil, nil), []string{"at least one environment variable"}},
		"two that cannot be set":            {credentialOf(CredentialEnvironment, nil, map[string]Secret{"LD_PRELOAD": "x", "TF_LOG": "x"}), []string{"LD_PRELOAD", "TF_LOG"}},
		"a key of AWS":                      {credentialOf(CredentialAWSStatic, map[string]string{"access_key_id": "AKIA1"}, map[string]Secret{"secret_access_key": "x"}), nil},
		"a key that is not whole":           {credentialOf(CredentialAWSStatic, map[string]string{"access_key_id": "AK IA", "regoin": "x"}, nil), []string{"access_key_id has to be", "secret_access_key is missing", "regoin is no field of aws-static, which has access_key_id"}},
		"a secret that would be shown":      {credentialOf(CredentialAWSStatic, map[string]string{"access_key_id": "AKIA1", "secret_access_key": "x"}, nil), []string{"secret_access_key is a secret", "secret_access_key is missing"}},
		"a field that would be hidden":      {credentialOf(CredentialAWSWebIdentity, nil, map[string]Secret{"role_arn": aRole}), []string{"role_arn is missing", "role_arn is no secret"}},
		"a role of AWS":                     {credentialOf(CredentialAWSWebIdentity, map[string]string{"role_arn": aRole}, nil), nil},
		"a role of an account in China":     {credentialOf(CredentialAWSWebIdentity, map[string]string{"role_arn": "arn:aws-cn:iam::123456789012:role/path/a"}, nil), nil},
		"no role and no such subject":       {credentialOf(CredentialAWSWebIdentity, map[string]string{"role_arn": "reader", "subject": "run"}, nil), []string{"role_arn has to be arn:aws:iam::", "subject has to be component, stack or project"}},
		"a role that is taken on":           {credentialOf(CredentialAWSAssumeRole, map[string]string{"role_arn": aRole, "source": "keys", "duration": "2h", "external_id": "a:b"}, nil), nil},
		"a session of a week":               {credentialOf(CredentialAWSAssumeRole, map[string]string{"role_arn": aRole, "duration": "168h", "session_name": "a b"}, nil), []string{"source is missing", "duration has to be from 15m0s to 12h0m0s", "session_name has to be"}},
		"a secret of an application":        {credentialOf(CredentialAzureServicePrin, azure, map[string]Secret{"client_secret": "x"}), nil},
		"a certificate of an application":   {credentialOf(CredentialAzureServicePrin, azure, map[string]Secret{"client_certificate": "MIIK", "client_certificate_password": "x"}), nil},
		"both":                              {credentialOf(CredentialAzureServicePrin, azure, map[string]Secret{"client_secret": "x", "client_certificate": "MIIK"}), []string{"either client_secret or client_certificate"}},
		"a password alone":                  {credentialOf(CredentialAzureServicePrin, azure, map[string]Secret{"client_certificate_password": "x"}), []string{"either client_secret or client_certificate"}},
		"a federated application":           {credentialOf(CredentialAzureFederated, azure, nil), nil},
		"an application by its name":        {credentialOf(CredentialAzureFederated, map[string]string{"tenant_id": "t", "client_id": "web"}, nil), []string{"client_id has to be", "subscription_id is missing"}},
		"a key file of Google":              {credentialOf(CredentialGCPKey, nil, map[string]Secret{"service_account_key": aKey}), nil},
		"a file of something else":          {credentialOf(CredentialGCPKey, nil, map[string]Secret{"service_account_key": `{"type": "authorized_user"}`}), []string{"service_account_key has to be the JSON key file"}},
		"a provider of a pool":              {credentialOf(CredentialGCPWorkloadIdentity, map[string]string{"audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"}, nil), nil},
		"an address instead of a provider":  {credentialOf(CredentialGCPWorkloadIdentity, map[string]string{"audience": "https://q", "service_account": "plan"}, nil), []string{"audience has to be //iam.googleapis.com", "service_account has to be"}},
		"a key that is kept elsewhere":      {credentialOf(CredentialAWSStatic, map[string]string{"access_key_id": "AKIA1"}, map[string]Secret{"secret_access_key": `secret("vault://kv/pay/aws#key")`}), nil},
		"a key file that is":                {credentialOf(CredentialGCPKey, nil, map[string]Secret{"service_account_key": `secret("env://STACK_KEY")`}), nil},
		"a key that is kept with itself":    {credentialOf(CredentialAWSStatic, map[string]string{"access_key_id": "AKIA1"}, map[string]Secret{"secret_access_key": `secret("aws-sm://key")`}), []string{"secret_access_key: what credentials are made of is kept in vault:// or env://"}},
		"a key that is kept nowhere":        {credentialOf(CredentialAWSStatic, map[string]string{"access_key_id": "AKIA1"}, map[string]Secret{"secret_access_key": `secret("x")`}), []string{"secret_access_key: a secret is kept in"}},
		"settings of a profile in a key":    {credentialOf(CredentialAWSStatic, map[string]string{"access_key_id": "AKIA1"}, map[string]Secret{"secret_access_key": "x\ncredential_process = sh"}), []string{"secret_access_key has to be one line"}},
		"settings of a profile in a region": {credentialOf(CredentialAWSAssumeRole, map[string]string{"role_arn": aRole, "source": "keys", "region": "eu\ncredential_source = Ec2InstanceMetadata"}, nil), []string{"region has to be one line"}},
		"no kind":                           {credentialOf("aws", nil, nil), []string{"a kind is one of"}},
		"no cloud":                          {&Credential{Name: "prod", Kind: CredentialEnvironment, Values: map[string]Secret{"A": "x"}}, []string{"say which cloud they are for: one of [aws azure gcp local]"}},
		"no such cloud":                     {&Credential{Name: "prod", Kind: CredentialEnvironment, Cloud: "moon", Values: map[string]Secret{"A": "x"}}, []string{"say which cloud they are for"}},
		"a cloud that is another's": {&Credential{Name: "prod", Kind: CredentialAWSWebIdentity, Cloud: CloudGCP, Fields: map[string]string{"role_arn": aRole}},
			[]string{"kind aws-web-identity is for cloud aws, not gcp"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := tt.c.check()
			if (err == nil) != (tt.want == nil) {
				t.Fatalf("error = %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in %v", want, err)
				}
			}
		})
	}
}

func TestSecretOfAKindEndsWithoutTheEndOfItsFile(t *testing.T) {
	c := credentialOf(CredentialAWSStatic, map[string]string{"access_key_id": "AKIA1"}, map[string]Secret{"secret_access_key": "x\r\n"})
	c.Plan = &CredentialPart{Values: map[string]Secret{"secret_access_key": "y\n"}}
	if c.tidy(); c.Values["secret_access_key"] != "x" || c.Plan.Values["secret_access_key"] != "y" {
		t.Errorf("%q, %q", c.Values["secret_access_key"].Reveal(), c.Plan.Values["secret_access_key"].Reveal())
	}
	key := credentialOf(CredentialEnvironment, nil, map[string]Secret{"SSH_PRIVATE_KEY": "key\n"})
	if key.tidy(); key.Values["SSH_PRIVATE_KEY"] != "key\n" {
		t.Error("a key in the environment lost the end of its line, without which ssh takes it for none")
	}
}

func TestWhatASourceIsMadeOfMayBeKeptElsewhere(t *testing.T) {
	kept := `secret("vault://kv/pay/aws#key")`
	job := &Job{Env: map[string]string{}, Mask: []string{kept, "another"}, Access: &CloudAccess{Kind: CredentialAWSAssumeRole, Fields: map[string]string{"role_arn": aRole, "source": "keys"},
		Source: &CloudAccess{Credential: "keys", Kind: CredentialAWSStatic, Fields: map[string]string{"access_key_id": "AKIA1"}, Secrets: map[string]string{"secret_access_key": kept}}}}
	if err := job.refer(); err != nil {
		t.Fatal(err)
	}
	standIn := job.Access.Source.Secrets["secret_access_key"]
	if refs := job.References(); len(refs) != 1 || refs[standIn] != "vault://kv/pay/aws#key" || !slices.Equal(job.Mask, []string{"another"}) {
		t.Fatalf("references %v, masked %v", refs, job.Mask)
	}
	if err := job.Access.Settle(map[string]Secret{standIn: "of the vault\n"}); err != nil {
		t.Fatal(err)
	}
	_, files := job.Access.Files("/d")
	if !strings.Contains(string(files["aws"]), "aws_secret_access_key = of the vault\n") || !slices.Contains(job.Access.Masked(), "of the vault") {
		t.Errorf("%s", files["aws"])
	}
	job.Access.Source.Secrets["secret_access_key"] = standIn
	err := job.Access.Settle(map[string]Secret{standIn: "hush\ncredential_process = sh"})
	if err == nil || !strings.Contains(err.Error(), "credentials keys: secret_access_key has to be one line") || strings.Contains(err.Error(), "hush") {
		t.Errorf("error = %v", err)
	}
}

func TestPlansHaveAPartOfTheirOwn(t *testing.T) {
	c := credentialOf(CredentialAWSStatic, map[string]string{"access_key_id": "AKIAAPPLY", "region": "eu-west-1"}, map[string]Secret{"secret_access_key": "of-apply", "session_token": "of-apply"})
	if a := c.access(PhasePlan); a.Secrets["secret_access_key"] != "of-apply" {
		t.Errorf("without a part of their own plans get %+v", a)
	}
	c.Plan = &CredentialPart{Fields: map[string]string{"access_key_id": "AKIAPLAN"}, Values: map[string]Secret{"secret_access_key": "of-plan"}}
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	want := &CloudAccess{Credential: "prod", Kind: CredentialAWSStatic, Fields: map[string]string{"access_key_id": "AKIAPLAN", "region": "eu-west-1"}, Secrets: map[string]string{"secret_access_key": "of-plan"}}
	if a := c.access(PhasePlan); !reflect.DeepEqual(a, want) {
		t.Errorf("plans get %+v", a)
	}
	if a := c.access(PhaseApply); a.Fields["access_key_id"] != "AKIAAPPLY" || a.Secrets["session_token"] != "of-apply" {
		t.Errorf("applies get %+v", a)
	}
	c.Plan = &CredentialPart{Fields: map[string]string{"region": "eu-west-2"}}
	err := c.check()
	for _, want := range []string{"region is the same for plans and applies", "for plans, secret_access_key is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, without %q", err, want)
		}
	}
}

// An empty file, or a variable of the shell that is not set, would give plans the
// rights of applies, and nobody would know.
func TestNothingForPlansIsNotWhatAppliesHave(t *testing.T) {
	for name, tt := range map[string]struct {
		kind CredentialKind
		plan CredentialPart
		want string
	}{
		"no part at all":   {CredentialEnvironment, CredentialPart{}, "there is nothing for plans"},
		"an empty role":    {CredentialAWSWebIdentity, CredentialPart{Fields: map[string]string{"role_arn": ""}}, "for plans, role_arn is empty"},
		"one of two empty": {CredentialAWSAssumeRole, CredentialPart{Fields: map[string]string{"role_arn": "", "external_id": "x-1"}}, "for plans, role_arn is empty"},
		"a role":           {CredentialAWSWebIdentity, CredentialPart{Fields: map[string]string{"role_arn": aRole}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := credentialOf(tt.kind, map[string]string{"role_arn": aRole, "session_name": ""}, nil)
			switch tt.kind {
			case CredentialAWSAssumeRole:
				c.Fields["source"] = "keys"
			case CredentialEnvironment:
				c.Fields, c.Values = nil, map[string]Secret{"A": "x"}
			}
			c.Plan = &tt.plan
			c.tidy()
			err := c.check()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v", err)
			}
		})
	}
}

// The server would send the reference, as if it were the secret itself.
func TestServerUsesNoReferenceAsASecret(t *testing.T) {
	for name, tt := range map[string]struct {
		c    *Credential
		want map[string]Secret // nil where they are refused
	}{
		"variables":   {credentialOf(CredentialEnvironment, nil, map[string]Secret{"TOKEN": "t"}), map[string]Secret{"TOKEN": "t"}},
		"a reference": {credentialOf(CredentialEnvironment, nil, map[string]Secret{"TOKEN": `secret("env://STACK_A")`}), nil},
		"a key of AWS": {credentialOf(CredentialAWSStatic, map[string]string{"access_key_id": "AKIA1"}, map[string]Secret{"secret_access_key": "x"}),
			map[string]Secret{"secret_access_key": "x", "AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "x"}},
		"a key of AWS that is kept elsewhere": {credentialOf(CredentialAWSStatic, map[string]string{"access_key_id": "AKIA1"}, map[string]Secret{"secret_access_key": `secret("env://STACK_A")`}), nil},
	} {
		got, err := tt.c.Variables()
		if !maps.Equal(got, tt.want) || (tt.want == nil) != errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestSubjectsAreFixed(t *testing.T) {
	for _, tt := range []struct {
		which, stack, component string
		phase                   Phase
		want                    string
	}{
		{"component", "web", "terraform.db", PhasePlan, "project:default:stack:web:component:terraform.db:phase:plan"},
		{"component", "pay.web", "terraform.db", PhaseApply, "project:pay:stack:web:component:terraform.db:phase:apply"},
		{"stack", "pay.web", "terraform.db", PhaseApply, "project:pay:stack:web:phase:apply"},
		{"project", "pay.web", "terraform.db", PhaseApply, "project:pay:phase:apply"},
		// A key is chosen by who writes the stack, and trust policies have wildcards.
		{"component", "pay.web", `terraform.db["a:phase:apply*?%"]`, PhasePlan, "project:pay:stack:web:component:terraform.db%5B%22a%3Aphase%3Aapply%2A%3F%25%22%5D:phase:plan"},
	} {
		if got := subjectOf(tt.which, tt.stack, tt.component, tt.phase); got != tt.want {
			t.Errorf("subject %s", got)
		}
	}
}

func TestFilesAndVariablesThatProvidersRead(t *testing.T) {
	pfx := "a certificate"
	azure := map[string]string{"tenant_id": "t", "client_id": "c", "subscription_id": "s"}
	source := &CloudAccess{Kind: CredentialAWSStatic, Fields: map[string]string{"access_key_id": "AKIA1"}, Secrets: map[string]string{"secret_access_key": "key-of-the-source"}}
	tests := map[string]struct {
		access *CloudAccess
		env    map[string]string
		files  map[string]string
	}{
		"a key of AWS": {&CloudAccess{Kind: CredentialAWSStatic, Fields: map[string]string{"access_key_id": "AKIA1", "region": "eu-west-1"}, Secrets: map[string]string{"secret_access_key": "x"}},
			map[string]string{"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}, nil},
		"a role by its token": {&CloudAccess{Kind: CredentialAWSWebIdentity, Session: "cloudops-run-1-plan", Fields: map[string]string{"role_arn": aRole}},
			map[string]string{"AWS_ROLE_ARN": aRole, "AWS_WEB_IDENTITY_TOKEN_FILE": "/d/token", "AWS_ROLE_SESSION_NAME": "cloudops-run-1-plan"}, nil},
		"a role by a key": {&CloudAccess{Kind: CredentialAWSAssumeRole, Session: "ignored", Source: source, Fields: map[string]string{"role_arn": aRole, "external_id": "x-1", "session_name": "mine", "duration": "30m"}},
			map[string]string{"AWS_CONFIG_FILE": "/d/aws", "AWS_SHARED_CREDENTIALS_FILE": "/d/none", "AWS_PROFILE": "cloudops", "AWS_SDK_LOAD_CONFIG": "1"},
			map[string]string{"aws": "[profile cloudops]\nrole_arn = " + aRole + "\nsource_profile = source\nexternal_id = x-1\nrole_session_name = mine\nduration_seconds = 1800\n" +
				"[profile source]\naws_access_key_id = AKIA1\naws_secret_access_key = key-of-the-source\n"}},
		"a secret of an application": {&CloudAccess{Kind: CredentialAzureServicePrin, Fields: azure, Secrets: map[string]string{"client_secret": "x"}},
			map[string]string{"ARM_TENANT_ID": "t", "ARM_CLIENT_ID": "c", "ARM_SUBSCRIPTION_ID": "s", "ARM_CLIENT_SECRET": "x",
				"AZURE_TENANT_ID": "t", "AZURE_TENANT": "t", "AZURE_CLIENT_ID": "c", "AZURE_SUBSCRIPTION_ID": "s", "AZURE_CLIENT_SECRET": "x", "AZURE_SECRET": "x"}, nil},
		"a certificate": {&CloudAccess{Kind: CredentialAzureServicePrin, Fields: azure, Secrets: map[string]string{"client_certificate": "YSBjZXJ0aWZpY2F0ZQ==", "client_certificate_password": "p"}},
			map[string]string{"ARM_TENANT_ID": "t", "ARM_CLIENT_ID": "c", "ARM_SUBSCRIPTION_ID": "s", "ARM_CLIENT_CERTIFICATE_PATH": "/d/client.pfx", "ARM_CLIENT_CERTIFICATE_PASSWORD": "p",
				"AZURE_TENANT_ID": "t", "AZURE_TENANT": "t", "AZURE_CLIENT_ID": "c", "AZURE_SUBSCRIPTION_ID": "s", "AZURE_CLIENT_CERTIFICATE_PATH": "/d/client.pfx", "AZURE_CLIENT_CERTIFICATE_PASSWORD": "p"},
			map[string]string{"client.pfx": pfx}},
		"a key file of Google": {&CloudAccess{Kind: CredentialGCPKey, Fields: map[string]string{"project_id": "pay", "region": "r"}, Secrets: map[string]string{"service_account_key": aKey}},
			map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": "/d/google.json", "GCP_AUTH_KIND": "serviceaccount", "GCP_SERVICE_ACCOUNT_FILE": "/d/google.json",
				"GOOGLE_PROJECT": "pay", "GOOGLE_CLOUD_PROJECT": "pay", "GCP_PROJECT": "pay", "GOOGLE_REGION": "r", "GCP_REGION": "r"},
			map[string]string{"google.json": aKey}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			env, files := tt.access.Files("/d")
			if !maps.Equal(env, tt.env) {
				t.Errorf("environment %v", env)
			}
			if len(files) != len(tt.files) {
				t.Errorf("files %s", files)
			}
			for name, want := range tt.files {
				if string(files[name]) != want {
					t.Errorf("%s is\n%s", name, files[name])
				}
			}
			for name := range env {
				if CheckEnvName(name) != nil {
					t.Errorf("%s is no variable that may be set", name)
				}
			}
		})
	}
	hidden := (&CloudAccess{Kind: CredentialAWSAssumeRole, Source: source, Secrets: map[string]string{"service_account_key": aKey}}).Masked()
	for _, want := range []string{"key-of-the-source", aKey} {
		if !slices.Contains(hidden, want) {
			t.Errorf("%q is not masked", want)
		}
	}
}
