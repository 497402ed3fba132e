package engine

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"strings"
	"time"
)

// CloudAccess is what one phase of a step authenticates with, where that is more
// than environment variables. It holds secrets and is a part of the Job.
type CloudAccess struct {
	Credential string            `json:"credential"`
	Kind       CredentialKind    `json:"kind"`
	Fields     map[string]string `json:"fields"`
	Secrets    map[string]string `json:"secrets"`
	Session    string            `json:"session"`          // what the cloud is to call the session
	Source     *CloudAccess      `json:"source,omitempty"` // what takes the role on, of an aws-assume-role
}

// Identity is a token that says to a cloud which phase of which step has it.
type Identity struct {
	Token     string    `json:"token"`
	Subject   string    `json:"subject"`
	Audience  string    `json:"audience"`
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// AccessFolder is the folder, in that of an attempt, with the files that the
// tool authenticates with.
const AccessFolder = "access"

// AccessDirs is that folder of the job's, or nothing where it has none.
func (j *Job) AccessDirs() []string {
	if j.Access == nil {
		return nil
	}
	return []string{path.Join(j.Dir, AccessFolder)}
}

// TokenFile is the file in it that has the token of workload identity.
const TokenFile = "token"

// federated gives the access that rests on a token: itself, its source, or nil.
func (a *CloudAccess) federated() *CloudAccess {
	switch {
	case a == nil:
		return nil
	case a.Kind.Federated():
		return a
	default:
		return a.Source.federated()
	}
}

// Federated reports whether the access rests on a token of workload identity.
func (a *CloudAccess) Federated() bool { return a.federated() != nil }

// audience is what the token has to be for. Google's STS takes the name of the
// provider with https: in front.
// Source: https://cloud.google.com/iam/docs/workload-identity-federation-with-other-providers.
func (a *CloudAccess) audience() string {
	if a.Kind == CredentialGCPWorkloadIdentity {
		return "https:" + a.Fields["audience"]
	}
	return a.Fields["audience"]
}

// Masked lists what must not be shown.
func (a *CloudAccess) Masked() (all []string) {
	if a == nil {
		return nil
	}
	for _, v := range a.Secrets {
		all = append(all, v)
	}
	return append(all, a.Source.Masked()...)
}

// References are those, by what stands in for them, of what the job
// authenticates with.
func (j *Job) References() map[string]string {
	own := map[string]string{}
	for a := j.Access; a != nil; a = a.Source {
		for _, v := range a.Secrets {
			if text, ok := j.Secrets[v]; ok {
				own[v] = text
			}
		}
	}
	return own
}

// Settle puts what was looked up in the places of what stands in for it, and
// says what is wrong with it then, without the values.
func (a *CloudAccess) Settle(found map[string]Secret) error {
	if a == nil {
		return nil
	}
	p := CredentialPart{Fields: a.Fields, Values: map[string]Secret{}}
	for name, v := range a.Secrets {
		if value, ok := found[v]; ok {
			a.Secrets[name] = strings.TrimRight(value.Reveal(), "\r\n")
		}
		p.Values[name] = Secret(a.Secrets[name])
	}
	if wrong := a.Kind.mistakes("", p); len(wrong) > 0 {
		return Invalid("credentials %s: %s", a.Credential, strings.Join(wrong, "; "))
	}
	return a.Source.Settle(found)
}

// String says what the cloud will see, for logs.
func (a *CloudAccess) String() string {
	for _, name := range []string{"role_arn", "service_account", "access_key_id", "client_id", "audience"} {
		if v := a.Fields[name]; v != "" {
			return fmt.Sprintf("%s (%s): %s", a.Credential, a.Kind, v)
		}
	}
	return fmt.Sprintf("%s (%s)", a.Credential, a.Kind)
}

// Files gives the environment and, by name, the files that providers and
// Ansible's modules authenticate with. Files stand in dir, in which the file of
// the token is not one of those given: it changes.
func (a *CloudAccess) Files(dir string) (env map[string]string, files map[string][]byte) {
	env, files = map[string]string{}, map[string][]byte{}
	switch a.Kind.Cloud() {
	case CloudAWS:
		a.aws(dir, env, files)
	case CloudAzure:
		a.azure(dir, env, files)
	case CloudGCP:
		a.gcp(dir, env, files)
	}
	maps.DeleteFunc(env, func(_, v string) bool { return v == "" })
	return env, files
}

// aws speaks to the AWS SDKs, that of Terraform's provider and boto3 alike. They
// exchange the token themselves and read its file anew when a session ends.
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html.
func (a *CloudAccess) aws(dir string, env map[string]string, files map[string][]byte) {
	env["AWS_REGION"], env["AWS_DEFAULT_REGION"] = a.Fields["region"], a.Fields["region"]
	switch a.Kind {
	case CredentialAWSStatic:
		env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = a.Fields["access_key_id"], a.Secrets["secret_access_key"]
		env["AWS_SESSION_TOKEN"] = a.Secrets["session_token"]
	case CredentialAWSWebIdentity:
		env["AWS_ROLE_ARN"], env["AWS_ROLE_SESSION_NAME"] = a.Fields["role_arn"], a.session()
		env["AWS_WEB_IDENTITY_TOKEN_FILE"] = path.Join(dir, TokenFile)
	case CredentialAWSAssumeRole:
		env["AWS_CONFIG_FILE"], env["AWS_PROFILE"], env["AWS_SDK_LOAD_CONFIG"] = path.Join(dir, "aws"), awsProfile, "1"
		env["AWS_SHARED_CREDENTIALS_FILE"] = path.Join(dir, "none") // no other profiles
		files["aws"] = a.profiles(dir)
	}
}

// awsProfile is the profile that takes the role on.
const awsProfile = "cloudops"

func (a *CloudAccess) session() string {
	if name := a.Fields["session_name"]; name != "" {
		return name
	}
	return a.Session
}

// profiles is a configuration file of AWS in which one profile takes on the role
// with what the other has. Only this file can name an external identifier.
func (a *CloudAccess) profiles(dir string) []byte {
	var b strings.Builder
	section := func(name string, settings ...string) {
		fmt.Fprintf(&b, "[profile %s]\n", name)
		for i := 0; i < len(settings); i += 2 {
			if v := settings[i+1]; v != "" && !strings.ContainsAny(v, "\r\n") { // which would be other settings
				fmt.Fprintf(&b, "%s = %s\n", settings[i], v)
			}
		}
	}
	life, _ := time.ParseDuration(a.Fields["duration"]) // was checked when it was stored
	section(awsProfile, "role_arn", a.Fields["role_arn"], "source_profile", "source", "external_id", a.Fields["external_id"],
		"role_session_name", a.session(), "duration_seconds", fmt.Sprint(int(life.Seconds())), "region", a.Fields["region"])
	s := a.Source
	if s.Kind == CredentialAWSWebIdentity {
		section("source", "role_arn", s.Fields["role_arn"], "web_identity_token_file", path.Join(dir, TokenFile), "role_session_name", s.session())
	} else {
		section("source", "aws_access_key_id", s.Fields["access_key_id"], "aws_secret_access_key", s.Secrets["secret_access_key"],
			"aws_session_token", s.Secrets["session_token"])
	}
	return []byte(b.String())
}

// azure speaks to Terraform's provider (ARM_) and to the Azure SDKs (AZURE_), whose
// names Ansible's modules share but for the tenant and the secret.
// Sources: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/guides/service_principal_oidc,
// https://learn.microsoft.com/azure/developer/go/sdk/authentication/authentication-overview,
// https://docs.ansible.com/ansible/latest/scenario_guides/guide_azure.html.
func (a *CloudAccess) azure(dir string, env map[string]string, files map[string][]byte) {
	tenant, client, subscription := a.Fields["tenant_id"], a.Fields["client_id"], a.Fields["subscription_id"]
	env["ARM_TENANT_ID"], env["AZURE_TENANT_ID"], env["AZURE_TENANT"] = tenant, tenant, tenant
	env["ARM_CLIENT_ID"], env["AZURE_CLIENT_ID"] = client, client
	env["ARM_SUBSCRIPTION_ID"], env["AZURE_SUBSCRIPTION_ID"] = subscription, subscription
	if a.Kind == CredentialAzureFederated {
		token := path.Join(dir, TokenFile)
		env["ARM_USE_OIDC"], env["ARM_OIDC_TOKEN_FILE_PATH"], env["AZURE_FEDERATED_TOKEN_FILE"] = "true", token, token
		return
	}
	secret, password := a.Secrets["client_secret"], a.Secrets["client_certificate_password"]
	env["ARM_CLIENT_SECRET"], env["AZURE_CLIENT_SECRET"], env["AZURE_SECRET"] = secret, secret, secret
	if pfx, err := base64.StdEncoding.DecodeString(a.Secrets["client_certificate"]); err == nil && len(pfx) > 0 {
		file := path.Join(dir, "client.pfx")
		files["client.pfx"] = pfx
		env["ARM_CLIENT_CERTIFICATE_PATH"], env["AZURE_CLIENT_CERTIFICATE_PATH"] = file, file
		env["ARM_CLIENT_CERTIFICATE_PASSWORD"], env["AZURE_CLIENT_CERTIFICATE_PASSWORD"] = password, password
	}
}

// gcp speaks to whatever looks for application default credentials; Ansible's
// modules have to be told that they do.
// Sources: https://cloud.google.com/docs/authentication/application-default-credentials,
// https://registry.terraform.io/providers/hashicorp/google/latest/docs/guides/provider_reference,
// https://docs.ansible.com/ansible/latest/scenario_guides/guide_gce.html.
func (a *CloudAccess) gcp(dir string, env map[string]string, files map[string][]byte) {
	file := path.Join(dir, "google.json")
	env["GOOGLE_APPLICATION_CREDENTIALS"] = file
	env["GOOGLE_PROJECT"], env["GOOGLE_CLOUD_PROJECT"], env["GCP_PROJECT"] = a.Fields["project_id"], a.Fields["project_id"], a.Fields["project_id"]
	env["GOOGLE_REGION"], env["GCP_REGION"] = a.Fields["region"], a.Fields["region"]
	if a.Kind == CredentialGCPKey {
		files["google.json"] = []byte(a.Secrets["service_account_key"])
		env["GCP_AUTH_KIND"], env["GCP_SERVICE_ACCOUNT_FILE"] = "serviceaccount", file
		return
	}
	env["GCP_AUTH_KIND"] = "application"
	files["google.json"] = a.externalAccount(dir)
}

// externalAccount is the configuration of an external account, by AIP-4117.
// Source: https://google.aip.dev/auth/4117.
func (a *CloudAccess) externalAccount(dir string) []byte {
	doc := map[string]any{ // #nosec G101 -- names and addresses
		"type":               "external_account",
		"audience":           a.Fields["audience"],
		"subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
		"token_url":          "https://sts.googleapis.com/v1/token",
		"credential_source":  map[string]any{"file": path.Join(dir, TokenFile), "format": map[string]any{"type": "text"}},
	}
	if email := a.Fields["service_account"]; email != "" {
		doc["service_account_impersonation_url"] = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + email + ":generateAccessToken"
	}
	b, _ := json.Marshal(doc) // texts always render
	return b
}
